-- As Telegraf would make it, with the time and the topic that it adds.
DROP TABLE bare_rows;
CREATE TABLE bare_rows (time timestamptz, city text, source bigint, target bigint, amount bigint);
