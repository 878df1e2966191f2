// Looks at the drawn dashboards in Chromium, as TAP, and takes their pictures.
//
//	node look.mjs ADDRESS DIRECTORY
import { chromium } from 'playwright-core';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [address, directory] = process.argv.slice(2);
const cities = ['London', 'Moscow', 'NYC', 'SF', 'Tokyo'];
let tests = 0;
let failed = 0;

function ok(holds, what, ...details) {
  console.log(`${holds ? 'ok' : 'not ok'} ${++tests} - ${what}`);
  if (holds) return;
  failed++;
  details.forEach((detail) => console.log(`# ${JSON.stringify(detail)}`));
}

function is(got, wanted, what) {
  ok(JSON.stringify(got) === JSON.stringify(wanted), what, { got, wanted });
}

mkdirSync(directory, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage({ viewport: { width: 1632, height: 2600 }, reducedMotion: 'reduce' });
const complaints = [];
page.on('pageerror', (error) => complaints.push(String(error)));
page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
page.on('requestfailed', (request) => complaints.push(`${request.url()} ${request.failure().errorText}`));

async function open(path) {
  complaints.length = 0;
  await page.goto(new URL(path, address).href);
  await page.waitForSelector('main[data-ready]', { timeout: 120000 });
  await page.evaluate(() => document.fonts.ready);
  // what is drawn after the first layout
  await page.waitForFunction(() => {
    const frames = [...document.querySelectorAll('[data-kind=timeseries]')];
    return frames.every((frame) => frame.querySelector('canvas, .empty, .trouble'));
  });
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

const panel = (title) => page.locator(`[data-panel="${title}"]`);
const text = (title) => panel(title).innerText();
const legend = (title) => panel(title).locator('table tbody tr').evaluateAll((rows) => rows.map((row) => row.innerText.split(/[\t\n]+/).map((word) => word.trim()).filter(Boolean)));
const cells = (title) => panel(title).locator('[role=gridcell]').allInnerTexts();

// What nobody wants to see, wherever it is.
async function look(name, exceptEmpty = []) {
  is(complaints, [], `${name}: nothing to complain of`);
  is(await page.locator('.trouble').allInnerTexts(), [], `${name}: no panel has an error`);
  const empty = await page.locator('[data-panel]:has(.empty)').evaluateAll((panels) => panels.map((one) => one.dataset.panel));
  is(empty.filter((title) => !exceptEmpty.includes(title)), [], `${name}: no panel is empty`);
  const cut = await page.locator('[data-kind=timeseries]').evaluateAll((panels) => panels.flatMap((one) => {
    const table = one.querySelector('table');
    if (!table) return [`${one.dataset.panel}: no legend`];
    const inside = one.getBoundingClientRect();
    const rows = [...table.querySelectorAll('tr')].map((row) => row.getBoundingClientRect());
    const scroller = [...one.querySelectorAll('*')].find((node) => node.contains(table) && node.scrollHeight > node.clientHeight + 2 && getComputedStyle(node).overflowY !== 'visible');
    return rows.some((row) => row.bottom > inside.bottom + 1) || scroller ? [`${one.dataset.panel}: the legend is cut off`] : [];
  }));
  is(cut, [], `${name}: legends are whole`);
  const outside = await page.locator('[data-kind=stat]').evaluateAll((panels) => panels.flatMap((one) => {
    const box = one.getBoundingClientRect();
    return [...one.querySelectorAll('span')].some((span) => span.getBoundingClientRect().right > box.right) ? [one.dataset.panel] : [];
  }));
  is(outside, [], `${name}: numbers fit their panels`);
  await page.mouse.move(0, 0);
  const { height } = await page.locator('footer').boundingBox().then((box) => ({ height: box.y + box.height + 16 }));
  await page.screenshot({ path: `${directory}/${name}.png`, clip: { x: 0, y: 0, width: 1632, height } });
}

// Units, calculations, matchers and colours by the registries of @grafana/data.
const grafana = join(dirname(fileURLToPath(import.meta.url)), '..');
const named = ['dashboards', 'prometheus'].flatMap((folder) => readdirSync(join(grafana, folder))
  .filter((name) => name.endsWith('.json'))
  .flatMap((name) => JSON.parse(readFileSync(join(grafana, folder, name))).panels)
  .flatMap((one) => [one, ...(one.panels ?? [])]).filter((one) => one.type !== 'row')
  .flatMap(({ title, fieldConfig: { defaults, overrides }, options }) => [
    ['unit', defaults.unit], ['colour', defaults.color.mode],
    ...[...options.legend?.calcs ?? [], ...options.reduceOptions?.calcs ?? []].map((calc) => ['calc', calc]),
    ...overrides.flatMap(({ matcher, properties }) => [['matcher', matcher.id],
      ...properties.filter(({ id }) => id === 'unit').map(({ value }) => ['unit', value]),
      ...properties.filter(({ id }) => id === 'color').map(({ value }) => ['colour', value.mode])]),
  ].map(([kind, id]) => ({ title, kind, id }))));

await open('/d/fintrans-overall');
is(await page.evaluate((all) => all.filter(({ kind, id }) => !window.knows[kind](id)), named), [],
  `@grafana/data knows all ${named.length} units, calculations, matchers and colours`);
is(await page.evaluate(() => ['unit', 'calc', 'matcher', 'colour'].map((kind) => window.knows[kind]('nothing'))), Array(4).fill(false),
  'and would not know others');
for (const title of ['Volume per city (PostgreSQL)', 'Volume per city (InfluxDB)']) {
  const rows = await legend(title);
  is(rows.map((row) => row[0]).sort(), cities, `${title}: five cities in the legend`);
  ok(rows.every((row) => row.length === 3 && row.slice(1).every((money) => /^\$\d+\.\d\d[KM]?$/.test(money))),
    `${title}: each with average and total in dollars`, rows);
}
ok(/^\$\d,\d{3}\.\d\d$/.test((await text('Average amount')).split('\n').pop()), 'an average has cents', await text('Average amount'));
is((await cells('Cities')).filter((_, n) => n % 6 === 0).sort(), cities, 'the table has the five cities');
await look('overall-transactions');

await open('/d/fintrans-overall?var-city=Tokyo');
is((await legend('Volume per city (PostgreSQL)')).map((row) => row[0]), ['Tokyo'], 'a city that is chosen stands alone');

await open('/d/fintrans-laundering?var-threshold=100000');
is((await cells('Suspects')).slice(0, 3), ['516', '482', '$560,036.00'], 'the planted suspect is first');
ok((await text('Pair')).includes('516 → 482'), 'and is the pair that is shown');
ok((await text('Alerts to look at')).includes('busy'), 'an account has its alert');
await look('laundering');

// a pair that appears while somebody looks
execFileSync('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-c', `
  INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
  VALUES (now(), 'Moscow', 'planted', 'grown', 999000)`, process.env.PREVIEW_OWNER]);
await page.reload();
await page.waitForSelector('main[data-ready]', { timeout: 120000 });
is((await cells('Suspects')).slice(0, 2), ['planted', 'grown'], 'a new suspect is seen');
ok((await text('Alerts to look at')).includes('planted'), 'and its alert');
await panel('Alerts to look at').getByRole('link', { name: 'planted', exact: true }).first().click();
await page.waitForURL(/var-source=planted/);
await page.waitForSelector('main[data-ready]', { timeout: 120000 });
ok((await text('Pair')).includes('planted → grown'), 'a click leads from the alert to its pair');
is((await cells('Transactions of the pair')).slice(1, 5), ['Moscow', 'planted', 'grown', '$999,000.00'], 'and to its transactions');

await open('/d/fintrans-laundering?var-threshold=100000&open');
ok((await text('Rings')).includes('ring0'), 'the ring is found when somebody asks');
ok((await text('Fan-in')).includes('collector'), 'and so is the fan-in');
await look('laundering-patterns');

execFileSync('psql', ['-XqAt', '-c', 'UPDATE fintrans_bridge_partitions SET reported_at = now()', process.env.PREVIEW_OWNER]);
await open('/d/fintrans-pipeline');
is((await cells('Partitions')).slice(0, 2), ['Tokyo', '3'], 'the halted partition is first');
ok((await text('Partitions')).includes('Kafka has deleted them'), 'with the reason');
await look('pipeline');

await browser.close();
console.log(`1..${tests}`);
process.exit(failed > 0 ? 1 : 0);
