-- Kafka's messages are UTF-8, and so is what programs write: in a database of
-- another encoding they would be refused by the bridge, at the latest.
DO $$
BEGIN
  IF pg_catalog.getdatabaseencoding() <> 'UTF8' THEN
    RAISE EXCEPTION 'fintrans needs a database in UTF8, and this one is in %',
                    pg_catalog.getdatabaseencoding()
      USING ERRCODE = 'feature_not_supported',
            HINT = 'CREATE DATABASE ... ENCODING ''UTF8'' TEMPLATE template0 makes one.';
  END IF;
END
$$;
