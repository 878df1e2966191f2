-- The extension is refused by a database that cannot have every account.
SELECT current_database() AS here \gset
\set VERBOSITY terse
CREATE DATABASE fintrans_latin1 ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0;
CREATE DATABASE fintrans_sql_ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0;
\c fintrans_latin1
CREATE EXTENSION fintrans;
\c fintrans_sql_ascii
CREATE EXTENSION fintrans;
SELECT count(*) FROM pg_extension WHERE extname = 'fintrans';
\c :here
DROP DATABASE fintrans_latin1;
DROP DATABASE fintrans_sql_ascii;
