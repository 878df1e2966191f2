// What dashboards are made of: data sources, queries, panels, variables, and the
// places of panels.  A panel is a few words in dashboards/*.jsonnet; whatever all of
// a kind have in common stands here.
local postgresql = { type: 'grafana-postgresql-datasource', uid: 'fintrans-postgresql' };
local influxdb = { type: 'influxdb', uid: 'fintrans-influxdb' };
local prometheus = { type: 'prometheus', uid: 'fintrans-prometheus' };

local refs = ['A', 'B', 'C', 'D', 'E', 'F'];

// The one currency of the installation, for labels: another unit of Grafana's, such
// as currencyEUR, for another one.
local currency = 'currencyUSD';
// The same, to the cent and not in thousands or millions.
local exact_currency = 'currency:financial:$';

// One colour for each of the demo's cities, so that they are the same everywhere,
// told apart by people who do not see red and green.
local cities = {
  London: '#3274D9', NYC: '#FF9830', SF: '#37872D', Moscow: '#B877D9', Tokyo: '#FFEE52',
};

local byName(name, properties) = {
  matcher: { id: 'byName', options: name },
  properties: [{ id: id, value: properties[id] } for id in std.objectFields(properties)],
};

local steps(list) = {
  mode: 'absolute',
  steps: [{ color: step[0], value: step[1] } for step in list],
};

{
  postgresql:: postgresql,
  influxdb:: influxdb,
  prometheus:: prometheus,
  currency:: currency,
  exact_currency:: exact_currency,

  // ------------------------------------------------------------- queries

  // SQL for series over time: a column "time", and "metric" or labels
  series(sql):: {
    datasource: postgresql, rawQuery: true, editorMode: 'code', format: 'time_series',
    rawSql: sql,
  },
  // SQL for a table or a number
  rows(sql):: self.series(sql) { format: 'table' },
  influxql(query, alias):: {
    datasource: influxdb, rawQuery: true, resultFormat: 'time_series', query: query,
    alias: alias,
  },
  promql(expression, legend):: {
    datasource: prometheus, editorMode: 'code', expr: expression, legendFormat: legend,
    range: true, instant: false,
  },
  promqlNow(expression, legend='')::
    self.promql(expression, legend) { range: false, instant: true },

  // -------------------------------------------------------------- panels

  // Whatever a panel is, it has these.
  local panel(type, title, description, targets, unit, empty, thresholds) = {
    type: type,
    title: title,
    description: description,
    datasource: targets[0].datasource,
    targets: [targets[i] { refId: refs[i] } for i in std.range(0, std.length(targets) - 1)],
    fieldConfig: {
      defaults: {
        unit: unit,
        noValue: empty,
        color: { mode: 'thresholds' },
        thresholds: steps(thresholds),
        mappings: [],
      },
      overrides: [],
    },
    options: {},
  },
  local neutral = [['blue', null]],

  // One number.  Above each threshold it has that colour.
  stat(title, description, target, unit, thresholds=neutral, empty='none', decimals=null)::
    panel('stat', title, description, [target], unit, empty, thresholds) {
      fieldConfig+: { defaults+: if decimals == null then {} else { decimals: decimals } },
      options: {
        reduceOptions: { calcs: ['lastNotNull'], fields: '/^value$/', values: false },
        orientation: 'auto', textMode: 'value', colorMode: 'value', graphMode: 'none',
        justifyMode: 'auto', wideLayout: true, showPercentChange: false,
        percentChangeColorMode: 'standard',
      },
    },
  // A line of text instead of a number.
  text(title, description, target, empty)::
    self.stat(title, description, target, 'string', empty=empty) {
      options+: { reduceOptions+: { fields: '/^value$/' } },
    },

  // Lines over time; the legend has the calculations.
  lines(title, description, targets, unit, calcs=['mean', 'max'], empty='No data in this time',
        thresholds=neutral, decimals=null)::
    panel('timeseries', title, description, targets, unit, empty, thresholds) {
      fieldConfig+: {
        defaults+: {
          min: 0,
          color: { mode: 'palette-classic' },
          custom: {
            drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0,
            showPoints: 'auto', pointSize: 5, spanNulls: false, axisPlacement: 'auto',
            axisLabel: '', scaleDistribution: { type: 'linear' },
            stacking: { mode: 'none', group: 'A' }, thresholdsStyle: { mode: 'off' },
            gradientMode: 'none', barAlignment: 0, lineStyle: { fill: 'solid' },
            hideFrom: { legend: false, tooltip: false, viz: false },
          },
        } + if decimals == null then {} else { decimals: decimals },
      },
      options: {
        legend: { showLegend: true, displayMode: 'table', placement: 'bottom', calcs: calcs },
        tooltip: { mode: 'multi', sort: 'desc', hideZeros: false },
      },
    },
  // Stacked steps, as the demo drew volume.
  stacked:: {
    fieldConfig+: { defaults+: { custom+: {
      lineInterpolation: 'stepAfter', fillOpacity: 60, showPoints: 'never',
      stacking: { mode: 'normal', group: 'A' },
    } } },
  },
  bars:: {
    fieldConfig+: { defaults+: { custom+: {
      drawStyle: 'bars', fillOpacity: 70, lineWidth: 0, showPoints: 'never',
      stacking: { mode: 'normal', group: 'A' },
    } } },
  },
  // The threshold is drawn as a line.
  limit:: {
    fieldConfig+: { defaults+: { custom+: { thresholdsStyle: { mode: 'line' } } } },
  },
  byCity:: {
    fieldConfig+: { overrides+: [
      byName(city, { color: { mode: 'fixed', fixedColor: cities[city] } })
      for city in std.objectFields(cities)
    ] },
  },

  // A table; columns are [name of the query's column, title, field options].
  table(title, description, target, columns, empty, sort=null)::
    panel('table', title, description, [target], 'string', empty, [['text', null]]) {
      fieldConfig+: {
        defaults+: {
          custom: { align: 'auto', cellOptions: { type: 'auto' }, filterable: false, inspect: false },
        },
        overrides: [
          byName(column[0], { displayName: column[1], noValue: '' } + column[2])
          for column in columns
        ],
      },
      options: {
        showHeader: true, cellHeight: 'sm',
        sortBy: if sort == null then [] else [sort],
      },
    },
  // Field options of columns.
  money:: { unit: exact_currency, decimals: 2 },
  count:: { unit: 'none', decimals: 0 },
  moment:: { unit: 'dateTimeAsIso' },
  hidden:: { 'custom.hidden': true },
  width(pixels):: { 'custom.width': pixels },
  link(title, url):: { links: [{ title: title, url: url, targetBlank: false }] },
  coloured(thresholds):: {
    thresholds: steps(thresholds),
    'custom.cellOptions': { type: 'color-text' },
  },
  words(colours):: {
    'custom.cellOptions': { type: 'color-text' },
    mappings: [{
      type: 'value',
      options: {
        [word]: { text: word, color: colours[word] }
        for word in std.objectFields(colours)
      },
    }],
  },

  // ----------------------------------------------------------- variables

  // Cities that have had a transaction; all of them at first.
  cityVariable:: {
    name: 'city', label: 'City', type: 'query', datasource: postgresql,
    description: 'The Kafka topic that transactions came from.',
    query: "SELECT DISTINCT city FROM fintrans_volume_rollup WHERE resolution = '7 days' ORDER BY city",
    definition: self.query,
    refresh: 2, sort: 0, multi: true, includeAll: true, allValue: null, regex: '',
    hide: 0, skipUrlSync: false,
    current: { selected: true, text: ['All'], value: ['$__all'] }, options: [],
  },
  // choices are [text, value]; the first one is chosen at first.
  choice(name, label, description, choices, default=choices[0])::  {
    name: name, label: label, type: 'custom', description: description,
    query: std.join(',', ['%s : %s' % choice for choice in choices]),
    multi: false, includeAll: false, hide: 0, skipUrlSync: false,
    current: { selected: true, text: default[0], value: default[1] },
    options: [
      { selected: choice == default, text: choice[0], value: choice[1] }
      for choice in choices
    ],
  },
  field(name, label, description, default='')::  {
    name: name, label: label, type: 'textbox', description: description, query: default,
    hide: 0, skipUrlSync: false,
    current: { selected: true, text: default, value: default },
    options: [{ selected: true, text: default, value: default }],
  },

  // ---------------------------------------------------------- dashboards

  // rows are [height, panels with a width each], or section()s.
  dashboard(uid, title, description, rows, variables=[], from='now-1h', refresh='30s')::
    local placed = std.foldl(
      function(state, row)
        if std.objectHas(row, 'section') then
          local header = {
            id: state.id, type: 'row', title: row.section, collapsed: row.collapsed,
            gridPos: { x: 0, y: state.y, w: 24, h: 1 },
          };
          local inside = std.foldl(
            function(inner, r) place(inner, r), row.rows,
            { id: state.id + 1, y: state.y + 1, panels: [] }
          );
          if row.collapsed then
            { id: inside.id, y: state.y + 1,
              panels: state.panels + [header { panels: inside.panels }] }
          else
            { id: inside.id, y: inside.y,
              panels: state.panels + [header { panels: [] }] + inside.panels }
        else place(state, row),
      rows, { id: 1, y: 0, panels: [] }
    );
    {
      uid: uid,
      title: title,
      description: description,
      tags: ['fintrans'],
      schemaVersion: 39,
      version: 1,
      editable: true,
      graphTooltip: 1,
      fiscalYearStartMonth: 0,
      timezone: 'browser',
      weekStart: '',
      time: { from: from, to: 'now' },
      timepicker: {},
      refresh: refresh,
      liveNow: false,
      preload: false,
      templating: { list: variables },
      annotations: { list: [{
        builtIn: 1, datasource: { type: 'grafana', uid: '-- Grafana --' }, enable: true,
        hide: true, iconColor: 'rgba(0, 211, 255, 1)', name: 'Annotations & Alerts',
        type: 'dashboard',
      }] },
      links: [{
        type: 'dashboards', tags: ['fintrans'], title: 'fintrans', asDropdown: false,
        icon: 'external link', includeVars: false, keepTime: true, targetBlank: false,
        tooltip: '', url: '',
      }],
      panels: placed.panels,
    },
  section(title, rows, collapsed=false):: { section: title, rows: rows, collapsed: collapsed },
  row(height, panels):: { height: height, panels: panels },

  // Panels of a row stand side by side; those without a width share what is left.
  local place(state, row) =
    local given = std.foldl(function(sum, p) sum + p.w, [p for p in row.panels if std.objectHas(p, 'w')], 0);
    local others = std.length([p for p in row.panels if !std.objectHas(p, 'w')]);
    std.foldl(
      function(inner, p)
        local w = if std.objectHas(p, 'w') then p.w else std.floor((24 - given) / others);
        inner {
          id: inner.id + 1, x: inner.x + w,
          panels+: [{ id: inner.id } + { [f]: p[f] for f in std.objectFields(p) if f != 'w' }
                    + { gridPos: { x: inner.x, y: inner.y, w: w, h: row.height } }],
        },
      row.panels, state { x: 0 }
    ) + { y: state.y + row.height },
}
