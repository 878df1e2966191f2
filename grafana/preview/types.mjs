// Checks every dashboard against the types of @grafana/schema, as TAP: the dashboard,
// the options and field options of each panel by its kind, and the queries.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const folder = join(here, 'dist', 'types');
const composable = '@grafana/schema/dist/esm/raw/composable';
const kinds = { stat: 'Stat', table: 'Table', timeseries: 'TimeSeries' };

// Enumerations are words and numbers in JSON.
const prelude = `
import type { Dashboard, FieldConfigSource } from '@grafana/schema';
${Object.entries(kinds).map(([kind, name]) => `import type * as ${kind} from '${composable}/${kind}/panelcfg/x/${name}PanelCfg_types.gen';`).join('\n')}

type Plain<T> = T extends string ? \`\${T}\` : T extends number ? number
  : T extends (infer U)[] ? Plain<U>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
type Board = Plain<Omit<Dashboard, 'panels' | 'templating'>> & { panels: object[]; templating: object };
type Custom = { stat: object; table: Partial<Plain<table.FieldConfig>>; timeseries: Plain<timeseries.FieldConfig> };
type Options = { stat: Plain<stat.Options>; table: Partial<Plain<table.Options>>; timeseries: Partial<Plain<timeseries.Options>> };
type Fields<K extends keyof Custom> = Plain<FieldConfigSource> & { defaults: { custom?: Custom[K] } };
`;

function panels(dashboard) {
  return dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]).filter((panel) => panel.type !== 'row');
}

function source(dashboard) {
  const values = panels(dashboard).map((panel, n) => `
export const options${n}: Options['${panel.type}'] = ${JSON.stringify(panel.options)};
export const fields${n}: Fields<'${panel.type}'> = ${JSON.stringify(panel.fieldConfig)};`);

  return `${prelude}
export const dashboard: Board = ${JSON.stringify(dashboard)};
${values.join('\n')}
`;
}

mkdirSync(folder, { recursive: true });
let tests = 0;
let failed = 0;
const files = ['dashboards', 'prometheus'].flatMap((name) => readdirSync(join(here, '..', name))
  .filter((file) => file.endsWith('.json')).map((file) => `${name}/${file}`));
for (const file of files) {
  const checked = join(folder, `${file.replace(/\W/g, '_')}.ts`);

  writeFileSync(checked, source(JSON.parse(readFileSync(join(here, '..', file)))));
  const program = ts.createProgram([checked], {
    noEmit: true, strict: true, skipLibCheck: true, target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: [],
  });
  const complaints = ts.getPreEmitDiagnostics(program).map((one) => ts.flattenDiagnosticMessageText(one.messageText, ' '));

  console.log(`${complaints.length ? 'not ok' : 'ok'} ${++tests} - ${file} has the types of @grafana/schema`);
  complaints.forEach((complaint) => console.log(`# ${complaint.slice(0, 600)}`));
  failed += complaints.length > 0;
}
console.log(`1..${tests}`);
process.exit(failed > 0 ? 1 : 0);
