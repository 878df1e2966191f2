// Overall Transactions: the demo's dashboard, from PostgreSQL and from InfluxDB.
local g = import 'grafana.libsonnet';

// What is kept by minute, hour and day, whichever is enough for the panel's steps.
local volume = |||
  fintrans_volume_by(least(make_interval(secs => $__interval_ms / 1000), '1 day'),
                     $__timeFrom(), $__timeTo(), ARRAY[${city:sqlstring}]::text[])
|||;

local by_city(value, fill='') =
  'SELECT $__timeGroupAlias(start, $__interval%s), city AS metric, (%s)::float8 AS value\n  FROM %s GROUP BY 1, 2 ORDER BY 1, 2'
  % [fill, value, volume];
local whole(value) = 'SELECT (%s)::float8 AS value FROM %s' % [value, volume];

local of_cities = ', of the cities chosen, by the time of the transactions, in whole steps of the graphs below.';
// minutes for an hour; so few that ten days are in hours, which are kept
local ticks = { interval: '1m', maxDataPoints: 240 };

g.dashboard(
  'fintrans-overall', 'Overall Transactions',
  'What moves through each city: the volume that PostgreSQL keeps with the transactions, and the points in InfluxDB beside it.',
  variables=[g.cityVariable],
  rows=[
    g.row(4, [
      g.stat('Volume', 'Sum of all amounts in the time shown' + of_cities,
             g.rows(whole('sum(total)')), g.currency, decimals=2, empty='no transactions') + ticks,
      g.stat('Transactions', 'Number of transactions in the time shown' + of_cities,
             g.rows(whole('sum(transactions)')), 'locale', decimals=0, empty='no transactions') + ticks,
      g.stat('Average amount', 'Volume by number of transactions in the time shown' + of_cities,
             g.rows(whole('sum(total) / nullif(sum(transactions), 0)')), g.exact_currency, decimals=2,
             empty='no transactions') + ticks,
      g.stat('Largest amount', 'The largest transaction in the time shown' + of_cities,
             g.rows(whole('max(maximum)')), g.exact_currency, decimals=2, empty='no transactions') + ticks,
    ]),
    g.row(14, [
      g.lines('Volume per city (PostgreSQL)',
              'Sum of amounts per step' + of_cities + ' From the volume kept with the transactions: exact, and as fast for a year as for an hour.',
              [g.series(by_city('sum(total)', ', 0'))], g.currency, calcs=['mean', 'sum'],
              empty='No transactions in this time', decimals=2)
      + g.stacked + g.byCity + ticks,
      g.lines('Volume per city (InfluxDB)',
              'The same from the points that bridges send to InfluxDB. Points may be missing there (see the bridge\'s counters); PostgreSQL has all.',
              [g.influxql('SELECT sum("amount") FROM /^${city:regex}$/ WHERE $timeFilter GROUP BY time($__interval) fill(0)', '$m')],
              g.currency, calcs=['mean', 'sum'],
              empty='No points in this time: is InfluxDB fed?', decimals=2)
      + g.stacked + g.byCity + ticks,
    ]),
    g.row(13, [
      g.lines('Average amount per city (PostgreSQL)', 'Average amount of a transaction per step' + of_cities,
              [g.series(by_city('sum(total) / nullif(sum(transactions), 0)'))], g.currency,
              calcs=['mean', 'max'], empty='No transactions in this time', decimals=2)
      + g.byCity + ticks,
      g.lines('Average amount per city (InfluxDB)', 'The same from InfluxDB.',
              [g.influxql('SELECT mean("amount") FROM /^${city:regex}$/ WHERE $timeFilter GROUP BY time($__interval) fill(none)', '$m')],
              g.currency, calcs=['mean', 'max'],
              empty='No points in this time: is InfluxDB fed?', decimals=2)
      + g.byCity + ticks,
    ]),
    g.row(8, [
      g.table('Cities', 'Number, sum, average and range of the amounts in the time shown' + of_cities,
              g.rows(|||
                SELECT city, sum(transactions) AS transactions, sum(total)::float8 AS total,
                       (sum(total) / sum(transactions))::float8 AS average,
                       min(minimum)::float8 AS minimum, max(maximum)::float8 AS maximum
                  FROM %s
                 GROUP BY city ORDER BY total DESC
              ||| % std.rstripChars(volume, '\n')),
              [['city', 'City', {}], ['transactions', 'Transactions', { unit: 'locale', decimals: 0 }],
               ['total', 'Volume', g.money],
               ['average', 'Average', g.money],
               ['minimum', 'Smallest', g.money],
               ['maximum', 'Largest', g.money]],
              'No transactions in this time') + ticks,
    ]),
  ]
)
