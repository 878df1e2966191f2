#!/bin/sh
# Makes the database of a new server: the extension, and a role for each that logs in.
#
#	database.sh
#
# PostgreSQL's image calls it once, before anybody else is let in; it can be
# called by hand as well, as a superuser.  POSTGRES_DB is the database (fintrans),
# POSTGRES_USER who makes it (postgres), SECRETS the directory (/run/secrets) of the
# files bridge-password, detector-password and grafana-password.
set -eu

SECRETS=${SECRETS:-/run/secrets}
export SECRETS
for role in bridge detector grafana; do
	file=$SECRETS/$role-password
	if [ ! -r "$file" ]; then
		echo "database.sh: no file \"$file\" that $(id -un) can read" >&2
		exit 1
	elif [ ! -s "$file" ]; then
		echo "database.sh: no password in \"$file\"" >&2
		exit 1
	fi
done

# psql reads the passwords itself: arguments could be seen by others
psql -X -q -v ON_ERROR_STOP=1 --no-password \
	-U "${POSTGRES_USER:-postgres}" -d "${POSTGRES_DB:-fintrans}" > /dev/null <<'END'
\set bridge `cat "$SECRETS/bridge-password"`
\set detector `cat "$SECRETS/detector-password"`
\set grafana `cat "$SECRETS/grafana-password"`
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';
BEGIN;
CREATE EXTENSION fintrans;
CREATE ROLE bridge LOGIN PASSWORD :'bridge';
CREATE ROLE detector LOGIN PASSWORD :'detector';
CREATE ROLE grafana LOGIN PASSWORD :'grafana' CONNECTION LIMIT 20;
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET statement_timeout = '30s';
SELECT fintrans_grant('bridge', 'writer');
SELECT fintrans_grant('detector', 'reader'), fintrans_grant('detector', 'operator');
SELECT fintrans_grant('grafana', 'reader');
COMMIT;
END
