// Laundering: from open alerts and suspects to the transactions of a pair.
local g = import 'grafana.libsonnet';

local uid = 'fintrans-laundering';

// The pair that the fields name, or else the largest suspect.
local pair = |||
  WITH pair AS (
    SELECT source_account, target_account, total, transactions, last_time
      FROM fintrans_laundering
     WHERE source_account = ${source:sqlstring} AND target_account = ${target:sqlstring}
    UNION ALL
    (SELECT source_account, target_account, total, transactions, last_time
       FROM fintrans_suspects(0, NULL, 1)
      WHERE ${source:sqlstring} = '' AND ${target:sqlstring} = ''))
|||;
local of_pair = ' Of the pair that the fields Source and Target name; while they are empty, of the pair with the largest total.';

// From a row with a pair to that pair, keeping the rest as it is.
local to_pair(source, target) = g.link(
  'Show this pair',
  '/d/%s?${__url_time_range}&${threshold:queryparam}&${window:queryparam}&var-source=${__data.fields.%s}&var-target=${__data.fields.%s}'
  % [uid, source, target]
);

local states = { open: 'red', reviewing: 'orange', confirmed: 'purple', dismissed: 'text' };

// Alerts that somebody is to look at.
local waiting = "state IN ('open', 'reviewing') AND coalesce(quiet_until <= now(), true)";

// What a typology reads is in memory, so no more than an hour.
local hour = "since => greatest($__timeFrom()::timestamptz, $__timeTo()::timestamptz - interval '1 hour'), before => $__timeTo()";
local finding_columns = [
  ['pattern', 'Pattern', g.width(110)],
  ['accounts', 'Accounts', {}],
  ['transactions', 'Transactions', g.count + g.width(110)],
  ['total', 'Total', g.money + g.width(140)],
  ['first_time', 'First', g.moment + g.width(170)],
  ['last_time', 'Last', g.moment + g.width(170)],
  ['reason', 'Reason', {}],
];
local findings(call) = g.rows(|||
  SELECT pattern, array_to_string(accounts, ' ') AS accounts, transactions,
         total::float8 AS total, first_time, last_time, reason
    FROM %s ORDER BY total DESC LIMIT 50
||| % call);

g.dashboard(
  uid, 'Laundering',
  'Alerts to be looked at, the pairs above a threshold, and what a pair moved. Who decides does so with fintrans_review() or fintrans-detector.',
  from='now-6h',
  variables=[
    g.choice('threshold', 'Threshold', 'Pairs whose total is above this are suspects.',
             [[t, t] for t in ['1000', '2000', '5000', '8000', '10000', '20000', '50000', '100000', '200000', '500000', '1000000']],
             default=['8000', '8000']),
    g.choice('window', 'Window', 'Over which time totals are added up for suspects.',
             [['all held', 'all'], ['1 hour', '1 hour'], ['24 hours', '24 hours'], ['7 days', '7 days'], ['30 days', '30 days']]),
    g.field('source', 'Source', 'Source account of a pair to look at; a click on a row fills it in.'),
    g.field('target', 'Target', 'Target account of a pair to look at; a click on a row fills it in.'),
  ],
  rows=[
    g.row(4, [
      g.stat('Open alerts', 'Alerts that nobody has confirmed or dismissed, of any age, without those that are quiet.',
             g.rows('SELECT count(*)::float8 AS value FROM fintrans_alerts WHERE ' + waiting),
             'locale', [['green', null], ['orange', 1], ['red', 100]], decimals=0),
      g.stat('New alerts', 'Alerts raised in the time shown.',
             g.rows('SELECT count(*)::float8 AS value FROM fintrans_alerts WHERE $__timeFilter(raised_at)'),
             'locale', [['green', null], ['orange', 1]], decimals=0),
      g.stat('Number of suspects', 'Pairs whose total, in the window chosen, is above the threshold. Counts to 1,000.',
             g.rows("SELECT count(*)::float8 AS value FROM fintrans_suspects(${threshold}, nullif('${window}', 'all')::interval, 1000)"),
             'locale', [['green', null], ['orange', 1], ['red', 1000]], decimals=0),
      g.stat('Largest total', 'Of any pair, in the window chosen.',
             g.rows("SELECT max(total)::float8 AS value FROM fintrans_suspects(0, nullif('${window}', 'all')::interval, 1)"),
             g.exact_currency, decimals=2, empty='no transactions'),
    ]),
    g.row(10, [
      g.table('Alerts to look at', 'The 100 latest alerts that are open or under review, and not quiet. A click on an account shows what the pair moved.',
              g.rows(|||
                SELECT alert_id, raised_at, rule, kind, source_account, target_account, account,
                       total::float8 AS total, threshold::float8 AS threshold, level, state, assigned_to
                  FROM fintrans_alert_list
                 WHERE alert_id IN (SELECT alert_id FROM fintrans_alerts
                                     WHERE %s
                                     ORDER BY alert_id DESC LIMIT 100)
                 ORDER BY alert_id DESC
              ||| % waiting),
              [['alert_id', 'Alert', g.count + g.width(70)], ['raised_at', 'Raised', g.moment + g.width(170)],
               ['rule', 'Rule', {}], ['kind', 'Kind', {}],
               ['source_account', 'Source', to_pair('source_account', 'target_account')],
               ['target_account', 'Target', to_pair('source_account', 'target_account')],
               ['account', 'Account', {}], ['total', 'Value now', { unit: 'locale' }],
               ['threshold', 'Threshold', { unit: 'locale' }],
               ['level', 'Level', g.count + g.width(65) + g.coloured([['text', null], ['orange', 1], ['red', 3]])],
               ['state', 'State', g.width(90) + g.words(states)], ['assigned_to', 'Assigned to', {}]],
              'No alerts wait: nothing to do'),
    ]),
    g.row(10, [
      g.lines('Alerts by rule', 'Alerts raised per step, by the rule that raised them.',
              [g.series(|||
                SELECT $__timeGroupAlias(raised_at, $__interval, 0), rule AS metric,
                       count(*)::float8 AS value
                  FROM fintrans_alerts WHERE $__timeFilter(raised_at)
                 GROUP BY 1, 2 ORDER BY 1, 2
              |||)], 'none', calcs=['sum', 'max'], empty='No alerts in this time', decimals=0)
      + g.bars + { interval: '1m', maxDataPoints: 100, w: 9 },
      g.table('Suspects', 'The 100 pairs with the largest total above the threshold, in the window chosen. A click on an account shows what the pair moved.',
              g.rows(|||
                SELECT source_account, target_account, total::float8 AS total, transactions,
                       first_time, last_time
                  FROM fintrans_suspects(${threshold}, nullif('${window}', 'all')::interval, 100)
              |||),
              [['source_account', 'Source', to_pair('source_account', 'target_account')],
               ['target_account', 'Target', to_pair('source_account', 'target_account')],
               ['total', 'Total', g.money],
               ['transactions', 'Transactions', g.count],
               ['first_time', 'First', g.moment], ['last_time', 'Last', g.moment]],
              'No pair is above the threshold'),
    ]),
    g.section('A pair', [
      g.row(4, [
        g.text('Pair', 'The pair that is shown below.' + of_pair,
               g.rows(pair + "SELECT source_account || ' → ' || target_account AS value FROM pair"),
               'no such pair') + { w: 12 },
        g.stat('Total', 'Of all transactions held.' + of_pair,
               g.rows(pair + 'SELECT total::float8 AS value FROM pair'), g.exact_currency, decimals=2,
               empty='no such pair'),
        g.stat('Transactions', 'All that are held.' + of_pair,
               g.rows(pair + 'SELECT transactions::float8 AS value FROM pair'), 'locale', decimals=0,
               empty='no such pair'),
      ]),
      g.row(10, [
        g.lines('Total over time', 'What the pair had moved at each time, of the transactions held.' + of_pair,
                [g.series(pair + |||
                  SELECT time, total::float8 AS "Total"
                    FROM (SELECT t.event_time AS time,
                                 p.total - coalesce(sum(t.amount) OVER (
                                   ORDER BY t.event_time DESC, t.kafka_partition DESC, t.kafka_offset DESC
                                   GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS total
                            FROM pair p,
                                 fintrans_pair_transactions(p.source_account, p.target_account,
                                                            $__timeFrom()) t) s
                   WHERE time <= $__timeTo() ORDER BY time
                |||)], g.currency, calcs=['lastNotNull'], decimals=2,
                empty='The pair has no transactions in this time')
        + g.stacked + { fieldConfig+: { defaults+: { custom+: { stacking: { mode: 'none', group: 'A' }, fillOpacity: 20, showPoints: 'always' } } } } + { w: 9 },
        g.table('Transactions of the pair', 'The latest 200 in the time shown.' + of_pair,
                g.rows(pair + |||
                  SELECT t.event_time, t.city, t.source_account, t.target_account,
                         t.amount::float8 AS amount, t.reference, t.kafka_partition, t.kafka_offset
                    FROM pair p,
                         fintrans_pair_transactions(p.source_account, p.target_account,
                                                    $__timeFrom(), $__timeTo()) t
                   ORDER BY t.event_time DESC, t.kafka_partition, t.kafka_offset DESC LIMIT 200
                |||),
                [['event_time', 'Time', g.moment + g.width(170)], ['city', 'City', g.width(90)],
                 ['source_account', 'Source', {}], ['target_account', 'Target', {}],
                 ['amount', 'Amount', g.money + g.width(130)],
                 ['reference', 'Reference', g.width(100)],
                 ['kafka_partition', 'Partition', g.count + g.width(85)], ['kafka_offset', 'Offset', g.count + g.width(90)]],
                'The pair has no transactions in this time'),
      ]),
    ]),
    // closed, so that they are asked for only when somebody looks
    g.section('Patterns in the last hour shown (reads its transactions)', [
      g.row(9, [
        g.table('Fan-in', 'Accounts paid by many with similar amounts, in the last hour of the time shown: fintrans_fan_in().',
                findings('fintrans_fan_in(%s)' % hour), finding_columns, 'No account was paid so'),
      ]),
      g.row(9, [
        g.table('Rings', 'Money that came back to where it began, the same amount from account to account, in the last hour of the time shown: fintrans_cycles().',
                findings('fintrans_cycles(%s)' % hour), finding_columns, 'No rings'),
      ]),
    ], collapsed=true),
  ]
)
