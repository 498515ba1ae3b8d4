// Builds the page again beside the committed one and compares: what is embedded must be what the sources say.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const committed = join(root, 'dist');
const fresh = mkdtempSync(join(tmpdir(), 'playground-'));
try {
  execFileSync('npm', ['run', '--silent', 'build', '--', '--outDir', fresh, '--logLevel', 'warn'], { cwd: root, stdio: 'inherit' });
  const names = new Set([...readdirSync(committed), ...readdirSync(fresh)]);
  const stale = [...names].filter((name) => !same(name));
  if (stale.length > 0) {
    console.error(`playground/dist is stale (${stale.join(', ')}): run \`npm run build\` in playground/ and commit the result`);
    process.exitCode = 1;
  } else {
    console.log(`playground/dist is what its sources say (${names.size} files)`);
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

/** Same bytes; or, where another Node.js brings another compressor, the same content. */
function same(name) {
  try {
    const [a, b] = [committed, fresh].map((folder) => readFileSync(join(folder, name)));
    return a.equals(b) || brotliDecompressSync(a).equals(brotliDecompressSync(b));
  } catch {
    return false; // one of the two is missing or is no brotli file
  }
}
