// Serves the preview on loopback: the page, and what its panels ask for.
//
//	node serve.mjs PORT		port 0 is any; the address is printed
//
// PREVIEW_CONNINFO, PREVIEW_INFLUXDB and PREVIEW_INFLUXDB_DATABASE say where to ask.
import { spawn } from 'node:child_process';
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const dashboards = join(here, '..', 'dashboards');
const types = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
// Grafana's own fonts are not among its packages; Debian has the same one
const fonts = '/usr/share/fonts/opentype/inter';
const files = Object.fromEntries(readdirSync(dashboards).map((name) => {
  const file = join(dashboards, name);
  return [JSON.parse(readFileSync(file)).uid, file];
}));

// "now-6h", or milliseconds
function moment(text, fallback) {
  const [, number, unit] = /^now(?:-(\d+)([mhd]))?$/.exec(text ?? fallback) ?? [];
  const length = { m: 60000, h: 3600000, d: 86400000 };

  if (text !== null && /^\d+$/.test(text)) return Number(text);
  return Date.now() - (number ? number * length[unit] : 0);
}

function ask(uid, query, answer) {
  const { time } = JSON.parse(readFileSync(files[uid]));
  const chosen = {};
  for (const name of new Set(query.keys())) {
    if (!name.startsWith('var-')) continue;
    const values = query.getAll(name);
    chosen[name.slice(4)] = values.length > 1 || name === 'var-city' ? values : values[0];
  }
  const program = spawn(join(here, 'frames'), [files[uid]], { stdio: ['pipe', 'pipe', 'inherit'] });
  const settings = {
    conninfo: process.env.PREVIEW_CONNINFO,
    influxdb: process.env.PREVIEW_INFLUXDB,
    influxdb_database: process.env.PREVIEW_INFLUXDB_DATABASE,
    from: moment(query.get('from'), time.from),
    to: moment(query.get('to'), time.to),
    width: Number(query.get('width') ?? 1600),
    open: query.has('open'),
    chosen,
  };
  answer.writeHead(200, { 'Content-Type': 'application/json' });
  answer.write(`{"from":${settings.from},"to":${settings.to},"answer":`);
  program.stdout.on('end', () => answer.end('}'));
  program.stdout.pipe(answer, { end: false });
  program.stdin.end(JSON.stringify(settings));
}

function send(path, answer) {
  const font = /^\/public\/fonts\/inter\/(Inter-\w+)\.woff2$/.exec(path);
  let file = font ? join(fonts, `${font[1]}.otf`)
    : join(here, 'dist', normalize(path.replace('/public/build/', '/public/')));

  try {
    if (!statSync(file).isFile()) throw new Error();
  } catch {
    if (extname(path)) {
      answer.writeHead(404).end();
      return;
    }
    file = join(here, 'dist', 'index.html');
  }
  answer.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(answer);
}

const server = createServer((request, answer) => {
  const url = new URL(request.url, 'http://localhost');
  const [, uid] = /^\/api\/([\w-]+)$/.exec(url.pathname) ?? [];

  if (request.method !== 'GET') answer.writeHead(405).end();
  else if (url.pathname === '/api/dashboards')
    answer.end(JSON.stringify(Object.keys(files).map((known) => [known, JSON.parse(readFileSync(files[known])).title])));
  else if (uid && files[uid]) ask(uid, url.searchParams, answer);
  else send(url.pathname, answer);
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
process.on('SIGTERM', () => process.exit(0));
