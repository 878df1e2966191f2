// A dashboard, drawn by Grafana's own components from what its queries answer.  What
// Grafana's application does around them is done here: places, overrides, variables.
import {
  applyFieldOverrides, cacheFieldDisplayNames, createTheme, dateTime, displayNameOverrideProcessor, FieldConfigOptionsRegistry,
  fieldColorModeRegistry, fieldMatchers, fieldReducers, FieldType, getFieldDisplayValues, getValueFormat,
  getValueFormats, identityOverrideProcessor, LoadingState, toDataFrame,
} from '@grafana/data';
import {
  BigValue, GlobalStyles, PanelChrome, PortalContainer, ThemeContext, TimeSeries,
} from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

const theme = createTheme({ colors: { mode: 'dark' } });
const cell = { height: 30, gap: 8 };
const width = 1600;

// The options that these dashboards set, of any field and of one kind of panel.
const options = [
  'unit', 'decimals', 'displayName', 'noValue', 'min', 'max', 'color', 'thresholds', 'mappings', 'links',
];
const customOptions = [
  'drawStyle', 'lineInterpolation', 'lineWidth', 'fillOpacity', 'showPoints', 'pointSize', 'spanNulls',
  'axisPlacement', 'axisLabel', 'scaleDistribution', 'stacking', 'thresholdsStyle', 'gradientMode',
  'barAlignment', 'lineStyle', 'hideFrom', 'align', 'cellOptions', 'filterable', 'inspect', 'width', 'hidden',
];
const registry = new FieldConfigOptionsRegistry(() => {
  const item = (path, isCustom) => ({
    id: isCustom ? `custom.${path}` : path, path, isCustom, name: path, override: () => null, editor: () => null,
    process: path === 'displayName' ? displayNameOverrideProcessor : identityOverrideProcessor, shouldApply: () => true, settings: {},
  });
  return [...options.map((path) => item(path, false)), ...customOptions.map((path) => item(path, true))];
});

const fieldTypes = {
  time: FieldType.time, number: FieldType.number, string: FieldType.string, boolean: FieldType.boolean,
};

function toFrames(frames, panel) {
  return frames.map((fields, n) => toDataFrame({
    refId: panel.targets[Math.min(n, panel.targets.length - 1)].refId,
    fields: fields.map((field) => ({
      name: field.name, type: fieldTypes[field.type], labels: field.labels, config: {},
      values: field.type === 'time' ? field.values.map((text) => text && Date.parse(text)) : field.values,
    })),
  }));
}

// ${name}, ${name:queryparam}, ${__url_time_range}, and ${__data.fields.x} of a row
function replacer(variables, range) {
  return (text, scoped) => text.replace(/\$\{(\w+)(?:\.fields\.(\w+))?(?::(\w+))?\}/g, (all, name, column, format) => {
    const context = scoped?.__dataContext?.value;

    if (name === '__url_time_range') return `from=${range.raw.from}&to=${range.raw.to}`;
    if (name === '__data') {
      const field = context?.frame.fields.find((known) => known.name === column);
      return encodeURIComponent(field?.values[context.rowIndex] ?? '');
    }
    const value = variables[name] ?? '';
    return format === 'queryparam' ? [value].flat().map((one) => `var-${name}=${encodeURIComponent(one)}`).join('&') : String(value);
  });
}

function Series({ panel, frames, range, size }) {
  return (
    <TimeSeries frames={frames} structureRev={1} timeRange={range} timeZone="browser" legend={panel.options.legend}
      width={size.width} height={size.height} options={panel.options} />
  );
}

function Stat({ panel, frames, replaceVariables, size }) {
  const [shown] = getFieldDisplayValues({
    fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions, replaceVariables, theme,
    data: frames, timeZone: 'browser',
  });
  const { colorMode, graphMode, textMode, justifyMode } = panel.options;

  return (
    <BigValue value={shown?.display ?? { text: panel.fieldConfig.defaults.noValue, numeric: NaN }} theme={theme}
      colorMode={colorMode} graphMode={graphMode} textMode={textMode} justifyMode={justifyMode}
      width={size.width} height={size.height} />
  );
}

function Rows({ panel, frames, size, range }) {
  return (
    <TableNG data={frames[0]} width={size.width} height={size.height} cellHeight={panel.options.cellHeight}
      noValue={panel.fieldConfig.defaults.noValue} fieldConfig={panel.fieldConfig} timeRange={range}
      sortBy={panel.options.sortBy} enableVirtualization={false} structureRev={1} />
  );
}

const kinds = { timeseries: Series, stat: Stat, table: Rows };

function Panel({ panel, answer, range }) {
  const replaceVariables = replacer(answer.variables, range);
  const { x, y, w, h } = panel.gridPos;
  const column = (width + cell.gap) / 24;
  const box = {
    left: x * column, top: y * (cell.height + cell.gap),
    width: w * column - cell.gap, height: h * (cell.height + cell.gap) - cell.gap,
  };
  const error = answer.errors[panel.id];
  const raw = answer.frames[panel.id] ?? [];
  const isEmpty = !raw.some((fields) => fields.length > 0 && fields[0].values.length > 0);
  const frames = applyFieldOverrides({
    data: toFrames(raw, panel), fieldConfig: panel.fieldConfig, fieldConfigRegistry: registry,
    replaceVariables, theme, timeZone: 'browser',
  });
  const Kind = kinds[panel.type];

  cacheFieldDisplayNames(frames);

  return (
    <div style={{ position: 'absolute', ...box }} data-panel={panel.title} data-kind={panel.type}>
      <PanelChrome title={panel.title} description={panel.description} width={box.width} height={box.height}
        loadingState={LoadingState.Done}>
        {(innerWidth, innerHeight) =>
          error ? <div className="trouble" role="alert">{error}</div>
          : isEmpty ? <div className="empty">{panel.fieldConfig.defaults.noValue}</div>
          : <Kind panel={panel} frames={frames} range={range} replaceVariables={replaceVariables}
              size={{ width: innerWidth, height: innerHeight }} />}
      </PanelChrome>
    </div>
  );
}

function Row({ row }) {
  const address = new URL(window.location);

  if (address.searchParams.has('open')) address.searchParams.delete('open');
  else address.searchParams.set('open', '');
  return (
    <a className="section" href={address} style={{ top: row.gridPos.y * (cell.height + cell.gap) }}>
      {row.collapsed && !new URLSearchParams(window.location.search).has('open') ? '›' : '⌄'} {row.title}
    </a>
  );
}

// Variables: a change is a new address.
function Variable({ variable, value }) {
  const change = (chosen) => {
    const address = new URL(window.location);

    address.searchParams.delete(`var-${variable.name}`);
    [chosen].flat().forEach((one) => address.searchParams.append(`var-${variable.name}`, one));
    window.location.assign(address);
  };
  const isAll = variable.includeAll && !new URLSearchParams(window.location.search).has(`var-${variable.name}`);

  return (
    <label title={variable.description}>
      <span>{variable.label}</span>
      {variable.type === 'custom'
        ? <select value={value} onChange={(event) => change(event.target.value)}>
            {variable.options.map((option) => <option key={option.value} value={option.value}>{option.text}</option>)}
          </select>
        : <input defaultValue={isAll ? 'All' : [value].flat().join(', ')} size={16}
            onKeyDown={(event) => event.key === 'Enter' && change(variable.multi ? event.target.value.split(/, */) : event.target.value)} />}
    </label>
  );
}

function Dashboard({ uid }) {
  const [shown, setShown] = useState();
  const [others, setOthers] = useState([]);

  useEffect(() => {
    const query = new URLSearchParams(window.location.search);

    query.set('width', width);
    fetch(`/api/${uid}?${query}`).then((response) => response.json()).then(setShown);
    fetch('/api/dashboards').then((response) => response.json()).then(setOthers);
  }, [uid]);
  if (!shown) return <p className="notice">The queries run …</p>;

  const { answer } = shown;
  const { dashboard } = answer;
  const query = new URLSearchParams(window.location.search);
  const range = {
    from: dateTime(shown.from), to: dateTime(shown.to),
    raw: { from: query.get('from') ?? dashboard.time.from, to: query.get('to') ?? dashboard.time.to },
  };
  const isOpen = query.has('open');
  const panels = dashboard.panels.flatMap((panel) => (panel.type === 'row' ? (isOpen ? panel.panels ?? [] : []) : [panel]));
  const rows = dashboard.panels.filter((panel) => panel.type === 'row');
  const bottom = Math.max(...[...panels, ...rows].map(({ gridPos }) => gridPos.y + gridPos.h));

  document.title = dashboard.title;
  return (
    <>
      <header>
        <h1>{dashboard.title}</h1>
        {dashboard.templating.list.map((variable) =>
          <Variable key={variable.name} variable={variable} value={answer.variables[variable.name]} />)}
        <nav>{others.map(([other, title]) => <a key={other} href={`/d/${other}`} aria-current={other === uid}>{title}</a>)}</nav>
        <span className="notice">{range.raw.from} to {range.raw.to}</span>
      </header>
      <main data-ready="" style={{ width, height: bottom * (cell.height + cell.gap) }}>
        {rows.map((row) => <Row key={row.id} row={row} />)}
        {panels.map((panel) => <Panel key={panel.id} panel={panel} answer={answer} range={range} />)}
      </main>
      <footer className="notice">A preview: drawn by Grafana's components (@grafana/ui) from live queries, not by Grafana itself.</footer>
    </>
  );
}

const style = `
  body { margin: 16px; width: ${width}px; height: auto; overflow: visible; font-family: Inter, sans-serif; }
  header { width: ${width}px; box-sizing: border-box; display: flex; gap: 16px; align-items: center; padding-bottom: 16px; }
  header h1 { font-size: 22px; margin: 0 16px 0 0; }
  header label { display: flex; margin: 0; }
  header label span { background: ${theme.colors.background.secondary}; padding: 4px 8px; }
  header select { min-width: 110px; appearance: auto; }
  header select, header input { height: 30px; width: auto; background: ${theme.components.input.background}; color: inherit; padding: 4px 8px;
    border: 1px solid ${theme.colors.border.medium}; }
  nav { margin-left: auto; display: flex; gap: 16px; white-space: nowrap; }
  header h1, header .notice { white-space: nowrap; }
  nav a { color: ${theme.colors.text.link}; } nav a[aria-current=true] { color: inherit; }
  main { position: relative; }
  .section { position: absolute; left: 0; font-weight: 500; line-height: ${cell.height}px; color: inherit; }
  .empty { display: flex; height: 100%; align-items: center; justify-content: center; color: ${theme.colors.text.secondary}; }
  .trouble { color: ${theme.colors.error.text}; padding: 8px; white-space: pre-wrap; overflow: auto; }
  .notice { color: ${theme.colors.text.secondary}; } footer { padding-top: 12px; }
`;
// For whoever looks whether what dashboards name is known.
const units = getValueFormats().flatMap((group) => group.submenu.map((unit) => unit.value));
window.knows = {
  unit: (id) => units.includes(id) || (/^currency:/.test(id) && Object.values(getValueFormat(id)(1)).join('') !== '1'),
  calc: (id) => Boolean(fieldReducers.getIfExists(id)),
  matcher: (id) => Boolean(fieldMatchers.getIfExists(id)),
  colour: (id) => Boolean(fieldColorModeRegistry.getIfExists(id)),
};
const [, uid] = /^\/d\/([\w-]+)/.exec(window.location.pathname) ?? [];

createRoot(document.getElementById('page')).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <style>{style}</style>
    <PortalContainer />
    <Dashboard uid={uid ?? 'fintrans-overall'} />
  </ThemeContext.Provider>
);
