// Writes the page's script to the path that is given.
import { build } from 'esbuild';

await build({
  entryPoints: [new URL('page.mjs', import.meta.url).pathname],
  outfile: process.argv[2],
  bundle: true,
  platform: 'browser',
  define: { global: 'window' },
  logLevel: 'error',
});
