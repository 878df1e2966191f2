// jsonnet -S -o ../provisioning/alerting/fintrans.yaml alerts.jsonnet: the alert rules.
//
// No "$" outside of queries: Grafana would take it for a variable of its environment.
local g = import 'grafana.libsonnet';

local dashboards = import 'dashboards.jsonnet';
local expression = { type: '__expr__', uid: '__expr__' };

local panel_id(dashboard, title) = [
  p.id
  for p in dashboard.panels
  if p.title == title
][0];

// What a rule asks, once a minute: one value a series, that is too much above a limit.
local rule(uid, title, sql, above, pending, no_data, severity, summary, description, dashboard, panel, link) = {
  uid: uid,
  title: title,
  condition: 'C',
  'for': pending,
  noDataState: no_data,
  execErrState: 'Error',
  isPaused: false,
  labels: { severity: severity, product: 'fintrans' },
  annotations: {
    summary: summary,
    description: description,
    link: '{{ externalURL }}d/' + dashboard.uid + link,
    __dashboardUid__: dashboard.uid,
    __panelId__: std.toString(panel_id(dashboard, panel)),
  },
  data: [
    { refId: 'A', datasourceUid: g.postgresql.uid, relativeTimeRange: { from: 600, to: 0 },
      model: g.series(sql) { refId: 'A', intervalMs: 60000, maxDataPoints: 100 } },
    { refId: 'B', datasourceUid: '__expr__', relativeTimeRange: { from: 0, to: 0 },
      model: { refId: 'B', type: 'reduce', datasource: expression, expression: 'A', reducer: 'last' } },
    { refId: 'C', datasourceUid: '__expr__', relativeTimeRange: { from: 0, to: 0 },
      model: { refId: 'C', type: 'threshold', datasource: expression, expression: 'B',
               conditions: [{ type: 'query', evaluator: { type: 'gt', params: [above] } }] } },
  ],
};

local laundering = dashboards['dashboards/laundering.json'];
local pipeline = dashboards['dashboards/pipeline.json'];

local file = {
  apiVersion: 1,
  groups: [
    { orgId: 1, name: 'laundering', folder: 'fintrans', interval: '1m', rules: [
      // one instance for each pair or account, so that each is told once
      rule('fintrans-new-suspect', 'A new suspect', |||
             SELECT now() AS time, rule, coalesce(source_account, '') AS source_account,
                    coalesce(target_account, '') AS target_account,
                    coalesce(account, '') AS account, max(total)::float8 AS value
               FROM fintrans_alerts
              WHERE $__timeFilter(raised_at) AND state = 'open'
                AND coalesce(quiet_until <= now(), true)
              GROUP BY 2, 3, 4, 5 ORDER BY max(raised_at) DESC LIMIT 100
           |||, 0, '0s', 'OK', 'warning',
           'Rule {{ .Labels.rule }}: {{ if .Labels.account }}account {{ .Labels.account }}{{ else }}{{ .Labels.source_account }} to {{ .Labels.target_account }}{{ end }}',
           'An alert was raised in the past ten minutes, and nobody has looked at it. The link leads to what the pair moved.',
           laundering, 'Alerts to look at',
           '/laundering?var-source={{ urlquery .Labels.source_account }}&var-target={{ urlquery .Labels.target_account }}'),
    ] },
    { orgId: 1, name: 'pipeline', folder: 'fintrans', interval: '1m', rules: [
      rule('fintrans-lag-growing', 'Lag is growing', |||
             SELECT max(minute) AS time,
                    CASE WHEN min(lag) < 10000 THEN 0
                         ELSE regr_slope(lag, extract(epoch FROM minute) / 60) END AS value
               FROM (SELECT minute, sum(lag)::float8 AS lag FROM fintrans_bridge_minutes
                      WHERE $__timeFilter(minute) GROUP BY minute) m
             HAVING count(lag) > 1
           |||, 0, '5m', 'OK', 'warning',
           'Lag grows by {{ printf "%.0f" (index .Values "B").Value }} messages a minute',
           'For ten minutes Kafka has had more than 10,000 messages that PostgreSQL has not, and they become more: bridges or the database are too slow, or stand still.',
           pipeline, 'Lag', '/pipeline'),
      rule('fintrans-dead-letters', 'Dead letters', |||
             SELECT now() AS time, topic, reason, dead_letters::float8 AS value
               FROM fintrans_dead_letter_counts
              WHERE $__timeFilter(last_rejected_at) ORDER BY value DESC
           |||, 0, '0s', 'OK', 'warning',
           'Messages of {{ .Labels.topic }} are refused: {{ .Labels.reason }}',
           'A message was refused in the past ten minutes; {{ printf "%.0f" (index .Values "B").Value }} of this kind are held. The README says what the reason means, docs/operations.md how dead letters are replayed.',
           pipeline, 'Dead letters by reason', '/pipeline'),
      rule('fintrans-partition-halted', 'A partition is halted', |||
             SELECT now() AS time, topic, kafka_partition::text AS partition, halted AS because,
                    1::float8 AS value
               FROM fintrans_partition_status
              WHERE halted IS NOT NULL AND reported_at > now() - interval '10 minutes'
              ORDER BY topic, partition
           |||, 0, '0s', 'OK', 'critical',
           '{{ .Labels.topic }} {{ .Labels.partition }} is not loaded: {{ .Labels.because }}',
           'The bridge loads nothing of the partition until a human decides; see "Halted partitions" in docs/operations.md.',
           pipeline, 'Partitions', '/pipeline'),
      rule('fintrans-bridge-silent', 'No bridge is at work', |||
             SELECT now() AS time, topic,
                    extract(epoch FROM now() - max(reported_at))::float8 AS value
               FROM fintrans_bridge_partitions GROUP BY topic ORDER BY topic
           |||, 60, '1m', 'Alerting', 'critical',
           'No bridge has told anything of {{ .Labels.topic }} for {{ printf "%.0f" (index .Values "B").Value }} seconds',
           'Bridges tell every ten seconds how they stand (--report-seconds). None does that has a partition of this topic: none of its consumer group runs, or none reaches the database. For a topic that is not to be loaded any more, delete its rows in fintrans_bridge_partitions.',
           pipeline, 'Silent for', '/pipeline'),
    ] },
  ],
};

'# Made by `make grafana` from grafana/source/alerts.jsonnet.\n' + std.manifestYamlDoc(file) + '\n'
