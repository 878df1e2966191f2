CREATE TABLE messages (source INT, target INT, amount INT) WITH (
  'connector' = 'kafka',
  'topic' = 'London;NYC;SF;Moscow;Tokyo',
  'properties.bootstrap.servers' = '${FINTRANS_BROKERS}',
  'properties.group.id' = '${GROUP}',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset',
  'format' = 'csv',
  'csv.field-delimiter' = ' '
);

CREATE TABLE stored (source INT, target INT, amount INT) WITH (
  'connector' = 'jdbc',
  'url' = 'jdbc:postgresql://127.0.0.1:${PGPORT}/${PGDATABASE}?reWriteBatchedInserts=true',
  'username' = '${PGUSER}',
  'password' = '',
  'table-name' = 'bare_rows',
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '1s'
);

CREATE TABLE pairs (
  source INT,
  target INT,
  total BIGINT,
  transactions BIGINT,
  PRIMARY KEY (source, target) NOT ENFORCED
) WITH (
  'connector' = 'jdbc',
  'url' = 'jdbc:postgresql://127.0.0.1:${PGPORT}/${PGDATABASE}?reWriteBatchedInserts=true',
  'username' = '${PGUSER}',
  'password' = '',
  'table-name' = 'totals',
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '1s'
);
