-- A row's place in Kafka is its key, so that one which comes again changes
-- nothing: an update fires no trigger of inserts.
ALTER TABLE whole_rows
  ADD topic text COLLATE "C",
  ADD kpart integer,
  ADD koff bigint,
  ADD PRIMARY KEY (topic, kpart, koff);
