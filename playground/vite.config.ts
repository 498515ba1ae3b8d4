// Bundles the page into a few fixed-name files that the program embeds; compression is left to build/pack.ts.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { pack } from './build/pack.ts';

// `npm run dev` works against a running server: CITYQUERY_URL=http://127.0.0.1:8080 npm run dev
const server = process.env.CITYQUERY_URL ?? 'http://127.0.0.1:8080';
const proxied = ['/graphql', '/auth', '/schema.graphql', '/playground/demo.json'];

export default defineConfig({
  base: '/playground/',
  plugins: [react(), pack()],
  server: { proxy: Object.fromEntries(proxied.map((path) => [path, { target: server, ws: path === '/graphql' }])) },
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content security policy allows no data: scripts or styles
    modulePreload: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1500, // one file on purpose; pack.ts holds the limit that counts
    rolldownOptions: {
      output: {
        codeSplitting: false,
        // Fixed names, so that the program can name them when it is compiled; pack.ts puts the hash in the address.
        entryFileNames: 'app.js',
        assetFileNames: (asset) => (asset.names[0]?.endsWith('.css') ? 'app.css' : '[name][extname]'),
      },
    },
  },
});
