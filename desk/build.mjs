// Builds the pages' scripts and styles from source/ into built/.
//
// Entry points keep their names (the shells in pages/ name them); what they share goes into
// chunks/, whose names tell their contents. Beside each file lies a compressed one. A second build
// replaces the first only once it is complete.
import { cp, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const HERE = dirname(fileURLToPath(import.meta.url));
const SOURCE = join(HERE, 'source');
const BUILT = join(HERE, 'built');
const FRESH = join(HERE, 'built.new');
/** The pages; each has a script and a style sheet of that name. */
const PAGES = ['home', 'sign-in', 'desk', 'wall'];
const COMPRESSED = /\.(js|css|svg|txt|json)$/;

/** @type {import('esbuild').BuildOptions} */
const COMMON = {
  bundle: true,
  minify: true,
  target: ['chrome123', 'firefox120', 'safari17.5'],
  outdir: FRESH,
  legalComments: 'linked',
  logLevel: 'warning',
  metafile: true,
};

async function scripts() {
  return build({
    ...COMMON,
    entryPoints: PAGES.flatMap((page) => [join(SOURCE, `${page}.js`), join(SOURCE, `${page}.css`)]),
    format: 'esm',
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    assetNames: 'chunks/[name]-[hash]',
    // The SDK was written for Node first: `global` is the window, and GraphQL is not spoken here.
    define: { global: 'globalThis' },
    alias: { 'graphql-ws': join(SOURCE, 'sdk', 'no-graphql.js') },
  });
}

/** What runs before anything is painted: a plain script, so that the browser waits for it. */
async function first() {
  return build({ ...COMMON, entryPoints: [join(SOURCE, 'house', 'first.js')], format: 'iife' });
}

/** The licenses of all that was put into the bundles. */
async function licenses(inputs) {
  const packages = new Set(
    inputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter(Boolean),
  );
  const texts = [...packages].sort().map(async (name) => {
    const folder = join(HERE, 'node_modules', name);
    const { version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const file = (await readdir(folder)).find((each) => /^licen[cs]e/i.test(each));
    const text = file ? await readFile(join(folder, file), 'utf8') : '';
    return `${name} ${version} (${license})\n\n${text.trim()}\n`;
  });
  await writeFile(join(FRESH, 'licenses.txt'), (await Promise.all(texts)).join('\n----\n\n'));
}

async function compress(folder) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await compress(path);
    else if (COMPRESSED.test(entry.name)) {
      await writeFile(`${path}.gz`, gzipSync(await readFile(path), { level: 9 }));
    }
  }
}

await rm(FRESH, { recursive: true, force: true });
await mkdir(FRESH, { recursive: true });
const results = await Promise.all([scripts(), first()]);
await cp(join(SOURCE, 'icon.svg'), join(FRESH, 'icon.svg'));
await licenses(results.flatMap((result) => Object.keys(result.metafile.inputs)));
// What each page loads at first: a test and a benchmark weigh it.
const outputs = results.flatMap((result) => Object.entries(result.metafile.outputs));
const parts = outputs.map(([path, { imports, inputs }]) => [
  path.slice(path.indexOf('built.new/') + 'built.new/'.length),
  {
    // The languages of the words in it.
    words: Object.keys(inputs).flatMap((each) => /words\/(\w+)\//.exec(each)?.[1] ?? []),
    imports: imports
      .filter((each) => !each.external)
      .map(({ path: to, kind }) => ({
        path: to.slice(to.indexOf('built.new/') + 'built.new/'.length),
        later: kind === 'dynamic-import',
      })),
  },
]);
await writeFile(join(FRESH, 'parts.json'), JSON.stringify(Object.fromEntries(parts), null, 1));
await compress(FRESH);
await rm(BUILT, { recursive: true, force: true });
await rename(FRESH, BUILT);
