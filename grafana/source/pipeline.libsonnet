// Pipeline: whether bridges get on, from what they write into PostgreSQL, and the
// same from Prometheus.
local g = import 'grafana.libsonnet';

local minutes(value) = |||
  SELECT $__timeGroupAlias(minute, $__interval), bridge AS metric, (%s)::float8 AS value
    FROM fintrans_bridge_minutes WHERE $__timeFilter(minute)
   GROUP BY 1, 2 ORDER BY 1, 2
||| % value;
local now(value, relation) = g.rows('SELECT (%s)::float8 AS value FROM %s' % [value, relation]);
local status = 'fintrans_partition_status WHERE topic = ANY (ARRAY[${city:sqlstring}]::text[])';
local every = { interval: '1m' };
local told = ' As bridges reported it (--report-seconds).';
local states = { loading: 'green', waiting: 'orange', retrying: 'red', halted: 'red', starting: 'blue', stopping: 'blue' };

local lag_steps = [['green', null], ['orange', 100000], ['red', 1000000]];
local halted_steps = [['green', null], ['red', 1]];
local refused_steps = [['green', null], ['orange', 1]];
local silent_steps = [['green', null], ['orange', 30], ['red', 60]];
local latency_steps = [['green', null], ['orange', 5], ['red', 30]];

// name of a query's panel, description, unit, and how to ask either source
local from_sql = {
  uid: 'fintrans-pipeline',
  title: 'Pipeline',
  description: 'Whether the bridges between Kafka and PostgreSQL get on, from what they write into PostgreSQL themselves: no Prometheus is needed.',
  variables: [g.cityVariable],
  lag: now('sum(lag)', status),
  halted: now('count(halted)', status),
  silent: now('extract(epoch FROM now() - max(reported_at))', status),
  refused: now('sum(dead_letters)', 'fintrans_bridge_minutes WHERE $__timeFilter(minute)'),
  latency: now('sum(latency_seconds) / nullif(sum(messages), 0)',
               "fintrans_bridge_minutes WHERE minute >= now() - interval '3 minutes'"),
  rate: now('sum(messages) / 120.0',
            "fintrans_bridge_minutes WHERE minute >= date_trunc('minute', now()) - interval '2 minutes' AND minute < date_trunc('minute', now())"),
  rates: [g.series(minutes('sum(messages) / (count(DISTINCT minute) * 60.0)'))],
  lags: [g.series(minutes('max(lag)'))],
  storing: [g.series(minutes('sum(storing_seconds) / nullif(sum(batches), 0)'))],
  latencies: [g.series(minutes('sum(latency_seconds) / nullif(sum(messages), 0)'))],
  retries: [g.series(minutes('sum(retries)'))],
  refusals: [g.series(minutes('sum(dead_letters)'))],
  beside: [
      g.table('Dead letters by reason', 'All that are held, by city and by why they were refused; the README says what each reason means.',
              g.rows(|||
                SELECT topic, reason, dead_letters, last_rejected_at
                  FROM fintrans_dead_letter_counts
                 WHERE topic = ANY (ARRAY[${city:sqlstring}]::text[])
                 ORDER BY dead_letters DESC, topic, reason
              |||),
              [['topic', 'City', g.width(90)], ['reason', 'Reason', g.width(120)],
               ['dead_letters', 'Dead letters', { unit: 'locale', decimals: 0 } + g.width(110)],
               ['last_rejected_at', 'Latest', g.moment + g.width(170)]],
              'No dead letters'),
  ],
  tables: [
    g.row(11, [
      g.table('Partitions', 'Each Kafka partition: how far it is loaded, and how it stands.' + told,
              g.rows(|||
                SELECT topic, kafka_partition, next_offset, high_watermark, lag, moved_at,
                       halted, CASE WHEN unanswered THEN 'no answer' ELSE 'answers' END AS kafka,
                       bridge, reported_at
                  FROM %s ORDER BY halted IS NULL, lag DESC NULLS LAST, topic, kafka_partition
              ||| % status),
              [['topic', 'Topic', g.width(110)], ['kafka_partition', 'Partition', g.count + g.width(80)],
               ['next_offset', 'Loaded up to', { unit: 'locale', decimals: 0 } + g.width(125)],
               ['high_watermark', 'Kafka has up to', { unit: 'locale', decimals: 0 } + g.width(130)],
               ['lag', 'Lag', { unit: 'locale', decimals: 0 } + g.width(100) + g.coloured([['text', null]] + lag_steps[1:])],
               ['moved_at', 'Moved', g.moment + g.width(170)],
               ['halted', 'Halted because', g.coloured([['red', null]])],
               ['kafka', 'Kafka', g.words({ 'no answer': 'red', answers: 'green' }) + g.width(100)],
               ['bridge', 'Bridge', g.width(160)], ['reported_at', 'Reported', g.moment + g.width(170)]],
              'No bridge has taken a partition yet'),
    ]),
  ],
};

local m(name) = 'fintrans_bridge_' + name;
local city = '{topic=~"$city"}';
local average(name) = 'sum by (instance) (rate(%s_sum[$__rate_interval])) / sum by (instance) (rate(%s_count[$__rate_interval]))' % [m(name), m(name)];

local from_prometheus = {
  uid: 'fintrans-pipeline-prometheus',
  title: 'Pipeline (Prometheus)',
  description: 'Whether the bridges between Kafka and PostgreSQL get on, from their /metrics.',
  variables: [{
    name: 'city', label: 'City', type: 'query', datasource: g.prometheus,
    description: 'The Kafka topic that transactions came from.',
    query: { query: 'label_values(%s, topic)' % m('rows_committed_total'), refId: 'city' },
    definition: self.query.query,
    refresh: 2, sort: 1, multi: true, includeAll: true, allValue: null, regex: '', hide: 0, skipUrlSync: false,
    current: { selected: true, text: ['All'], value: ['$__all'] }, options: [],
  }],
  lag: g.promqlNow('sum(%s%s)' % [m('consumer_lag'), city]),
  halted: g.promqlNow('sum(%s%s)' % [m('partition_halted'), city]),
  silent: g.promqlNow('time() - max(timestamp(%s))' % m('ready')),
  refused: g.promqlNow('sum(increase(%s%s[$__range]))' % [m('dead_letters_total'), city]),
  latency: g.promqlNow('sum(rate(%s_sum[3m])) / sum(rate(%s_count[3m]))' % [m('latency_seconds'), m('latency_seconds')]),
  rate: g.promqlNow('sum(rate(%s%s[2m]))' % [m('rows_committed_total'), city]),
  rates: [g.promql('sum by (instance) (rate(%s%s[$__rate_interval]))' % [m('rows_committed_total'), city], '{{instance}}')],
  lags: [g.promql('sum by (instance) (%s%s)' % [m('consumer_lag'), city], '{{instance}}')],
  storing: [g.promql(average('batch_duration_seconds'), '{{instance}}')],
  latencies: [
    g.promql(average('latency_seconds'), '{{instance}} average'),
    g.promql('histogram_quantile(0.99, sum by (le, instance) (rate(%s_bucket[$__rate_interval])))' % m('latency_seconds'), '{{instance}} 99 %'),
  ],
  retries: [g.promql('sum by (sqlstate_class) (increase(%s[$__rate_interval])) > 0' % m('retries_total'), 'SQLSTATE {{sqlstate_class}}')],
  refusals: [g.promql('sum by (reason) (increase(%s%s[$__rate_interval])) > 0' % [m('dead_letters_total'), city], '{{reason}}')],
  beside: [],
  tables: [
    g.row(9, [
      g.lines('Lag by partition', 'Messages that Kafka has and PostgreSQL has not.',
              [g.promql('%s%s' % [m('consumer_lag'), city], '{{topic}} {{partition}}')], 'locale', decimals=0),
      g.lines('Not ready because', 'Causes for which /ready says no; docs/monitoring.md says what each means.',
              [g.promql('max by (cause) (%s) > 0' % m('not_ready'), '{{cause}}')], 'none',
              calcs=['max'], empty='All bridges are ready') + g.bars,
    ]),
  ],
};

local dashboard(source) =
  // a number of Prometheus' has the expression as its name
  local stat = { options+: { reduceOptions+: { fields: if source == from_sql then '/^value$/' else '' } } };
  g.dashboard(
    source.uid, source.title, source.description, variables=source.variables, refresh='10s',
    rows=[
      g.row(4, [
        g.stat('Lag', 'Messages that Kafka has and PostgreSQL has not, now.' + told, source.lag, 'locale', lag_steps, decimals=0, empty='not known') + stat,
        g.stat('Rate', 'Messages stored per second, over the last two whole minutes.', source.rate, 'short', decimals=1, empty='no bridge') + stat,
        g.stat('Latency', 'From a message\'s timestamp to the COMMIT that stored it, on average over the last minutes.', source.latency, 's', latency_steps, empty='nothing stored') + stat,
        g.stat('Halted partitions', 'Partitions that wait for a human: the table below says why.', source.halted, 'none', halted_steps, decimals=0) + stat,
        g.stat('Dead letters', 'Messages refused in the time shown.', source.refused, 'locale', refused_steps, decimals=0) + stat,
        g.stat('Silent for', 'Time since a bridge last told how it stands: more than a minute means that none is at work.', source.silent, 's', silent_steps, decimals=0, empty='no bridge') + stat,
      ]),
      g.row(10, [
        g.lines('Messages per second', 'Stored, as rows or dead letters, by bridge.', source.rates, 'short', decimals=1) + every,
        g.lines('Lag over time', 'Messages that Kafka has and PostgreSQL has not, by bridge.' + told, source.lags, 'locale', calcs=['lastNotNull', 'max'], thresholds=lag_steps, decimals=0) + every,
      ]),
      g.row(10, [
        g.lines('Time to store a batch', 'On average, attempts that failed included, by bridge.', source.storing, 's') + every,
        g.lines('Latency over time', 'From a message\'s timestamp to the COMMIT that stored it, by bridge.', source.latencies, 's', thresholds=latency_steps) + every,
      ]),
      g.row(9, [
        g.lines('Dead letters over time', 'Messages refused, per step.', source.refusals, 'none', calcs=['sum'], empty='No dead letters in this time', decimals=0) + g.bars + every,
        g.lines('Retries over time', 'Attempts in the database that failed and were made again, per step.', source.retries, 'none', calcs=['sum'], empty='No retries in this time', decimals=0) + g.bars + every,
      ] + source.beside),
    ] + source.tables
  );

{ sql: dashboard(from_sql), prometheus: dashboard(from_prometheus) }
