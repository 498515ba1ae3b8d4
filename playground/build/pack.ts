// Turns the bundle into what is committed: brotli files, addresses that carry a hash, and the licences of what is inside.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import type { Plugin } from 'vite';

/** All files together, compressed; more would not belong into a repository. */
const LIMIT = 2 * 1024 * 1024;

export function pack(): Plugin {
  let folder = '';
  let root = '';
  const packages = new Set<string>();
  return {
    name: 'pack',
    apply: 'build',
    configResolved(config) {
      root = config.root;
      folder = join(root, config.build.outDir);
      if (config.build.outDir.startsWith('/')) folder = config.build.outDir;
    },
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        for (const id of Object.keys(chunk.modules)) {
          const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1];
          if (name) packages.add(name);
        }
      }
    },
    closeBundle() {
      writeFileSync(join(folder, 'licenses.txt'), licences(root, [...packages].sort()));
      address(folder);
      compress(folder);
    },
  };
}

/** Writes the content's hash behind each address in the page, so that files may be kept for ever by a browser. */
function address(folder: string) {
  const page = join(folder, 'index.html');
  const html = readFileSync(page, 'utf8').replace(/"\/playground\/([\w.-]+)"/g, (_all, name: string) => {
    const hash = createHash('sha256').update(readFileSync(join(folder, name))).digest('hex').slice(0, 16);
    return `"/playground/${name}?v=${hash}"`;
  });
  writeFileSync(page, html.replaceAll(' crossorigin', ''));
}

function compress(folder: string) {
  let total = 0;
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    const content = readFileSync(path);
    const small = brotliCompressSync(content, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_LGWIN]: 22,
        [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
      },
    });
    rmSync(path);
    writeFileSync(`${path}.br`, small);
    total += small.length;
    console.log(`${name.padEnd(14)} ${String(content.length).padStart(8)} → ${String(small.length).padStart(7)} bytes`);
  }
  console.log(`in all ${total} bytes`);
  if (total > LIMIT) throw new Error(`the bundle has ${total} bytes compressed; ${LIMIT} are allowed`);
}

/** The licences ask that their text goes with every copy. */
function licences(root: string, packages: string[]): string {
  const parts = packages.map((name) => {
    const folder = join(root, 'node_modules', name);
    const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string; license: string };
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? readFileSync(join(folder, file), 'utf8').trim() : '';
    return `${name} ${about.version} (${about.license})\n\n${text}\n`;
  });
  return `The playground contains these packages.\n\n${parts.join(`\n${'-'.repeat(72)}\n\n`)}`;
}
