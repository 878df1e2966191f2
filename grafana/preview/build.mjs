// Bundles the page into dist/, with the icons that Grafana's components fetch.
import { build } from 'esbuild';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';

mkdirSync('dist', { recursive: true });
await build({
  entryPoints: ['page.jsx'],
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  // what is loaded only when used, such as code editors, never is
  splitting: true,
  outdir: 'dist',
  loader: { '.svg': 'dataurl', '.woff2': 'dataurl', '.png': 'dataurl', '.ttf': 'empty' },
  define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
  logLevel: 'warning',
  logOverride: { 'empty-import-meta': 'silent' },
});
cpSync('node_modules/@grafana/ui/dist/public', 'dist/public', { recursive: true });
writeFileSync('dist/index.html', `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>fintrans</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
<div id="page"></div>
<script>window.__grafana_public_path__ = '/public/';</script>
<script type="module" src="/page.js"></script>
</html>
`);
