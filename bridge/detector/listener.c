/*
 * Connects, checks, listens and runs statements.
 */
#include "listener.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"
#include "extension_version.h"
#include "fintrans_record.h"
#include "log.h"
#include "sqlstate.h"

/* A name of 63 bytes, all of them quotes, the quotes around it, NUL. */
#define IDENTIFIER_BYTES 131

#define SQL_BYTES 2048

struct Listener
{
	Database   *database;
	char		schema[IDENTIFIER_BYTES];	/* the extension's, quoted */
	char		history[128];
	bool		was_connected;	/* and checked, at any time */
	bool		told_of_polling;
	char		error[512];
};

static ListenerOutcome connect_database(Listener *listener);
static ListenerOutcome set_up(Listener *listener);
static ListenerOutcome find_extension(Listener *listener);
static ListenerOutcome find_history(Listener *listener);
static ListenerOutcome start_listening(Listener *listener);
static ListenerOutcome failed(Listener *listener, SqlstateStep step);

Listener *
listener_new(const char *conninfo)
{
	Listener   *listener = calloc(1, sizeof(*listener));

	if (listener == NULL)
		return NULL;
	listener->database = database_new(conninfo, "fintrans-detector");
	if (listener->database == NULL)
	{
		free(listener);
		return NULL;
	}
	return listener;
}

void
listener_free(Listener *listener)
{
	if (listener == NULL)
		return;
	database_free(listener->database);
	free(listener);
}

ListenerOutcome
listener_connect(Listener *listener)
{
	ListenerOutcome outcome;

	if ((outcome = connect_database(listener)) != LISTENER_DONE ||
		(outcome = set_up(listener)) != LISTENER_DONE ||
		(outcome = find_extension(listener)) != LISTENER_DONE ||
		(outcome = find_history(listener)) != LISTENER_DONE ||
		(outcome = start_listening(listener)) != LISTENER_DONE)
		return outcome;
	listener->was_connected = true;
	return LISTENER_DONE;
}

void
listener_disconnect(Listener *listener)
{
	database_disconnect(listener->database);
}

bool
listener_is_connected(const Listener *listener)
{
	return database_is_connected(listener->database);
}

const char *
listener_schema(const Listener *listener)
{
	return listener->schema;
}

const char *
listener_history(const Listener *listener)
{
	return listener->history;
}

ListenerOutcome
listener_run(Listener *listener, const char *const *parameters, int count,
			 const char *sql,...)
{
	char		text[SQL_BYTES];
	va_list		arguments;
	int			bytes;

	va_start(arguments, sql);
	bytes = vsnprintf(text, sizeof(text), sql, arguments);
	va_end(arguments);
	if (bytes < 0 || (size_t) bytes >= sizeof(text))
		return listener_fail(listener, LISTENER_FATAL,
							 "a statement is too long");
	if (database_run(listener->database, text, parameters, count))
		return LISTENER_DONE;
	return failed(listener, SQLSTATE_OTHER);
}

int
listener_rows(const Listener *listener)
{
	return database_rows(listener->database);
}

const char *
listener_value(const Listener *listener, int row, int column)
{
	return database_value(listener->database, row, column);
}

bool
listener_failed_with(const Listener *listener, const char *sqlstate)
{
	return strcmp(database_error(listener->database)->sqlstate,
				  sqlstate) == 0;
}

int
listener_socket(const Listener *listener)
{
	return database_socket(listener->database);
}

ListenerOutcome
listener_consume(Listener *listener, bool *notified)
{
	if (database_consume(listener->database, notified))
		return LISTENER_DONE;
	return failed(listener, SQLSTATE_OTHER);
}

ListenerOutcome
listener_fail(Listener *listener, ListenerOutcome outcome,
			  const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(listener->error, sizeof(listener->error), format, arguments);
	va_end(arguments);
	return outcome;
}

const char *
listener_error(const Listener *listener)
{
	return listener->error;
}

/* ------------------------------------------------------------- connecting */

/*
 * A server that refuses us at first shows a mistake of the configuration;
 * later it may be a password being changed.
 */
static ListenerOutcome
connect_database(Listener *listener)
{
	if (database_connect(listener->database))
		return LISTENER_DONE;
	return failed(listener, listener->was_connected ? SQLSTATE_CONNECT :
				  SQLSTATE_FIRST_CONNECT);
}

/*
 * A cursor is to be planned for all of its rows, and times are to be UTC.  A
 * server that is not waited for any more need not go on with what we asked.
 */
static ListenerOutcome
set_up(Listener *listener)
{
	static const char *const settings[] = {
		"SET search_path = pg_catalog, pg_temp",
		"SET TimeZone = 'UTC'",
		"SET cursor_tuple_fraction = 1",
		"SET client_connection_check_interval = '1s'",
		"SET idle_in_transaction_session_timeout = '30s'"
	};
	ListenerOutcome outcome = LISTENER_DONE;

	for (size_t i = 0; outcome == LISTENER_DONE &&
		 i < sizeof(settings) / sizeof(settings[0]); i++)
		outcome = listener_run(listener, NULL, 0, "%s", settings[i]);
	return outcome;
}

static ListenerOutcome
find_extension(Listener *listener)
{
	ListenerOutcome outcome;
	char		errstr[256];

	outcome = listener_run(listener, NULL, 0, EXTENSION_VERSION_QUERY);
	if (outcome != LISTENER_DONE)
		return outcome;
	if (listener_rows(listener) != 1)
		return listener_fail(listener, LISTENER_FATAL, "the database has no "
							 "extension \"fintrans\"; create it with: CREATE "
							 "EXTENSION fintrans");
	if (!extension_version_fits(listener_value(listener, 0, 1),
								errstr, sizeof(errstr)))
		return listener_fail(listener, LISTENER_FATAL, "%s", errstr);
	if (!database_quote_identifier(listener->database,
								   listener_value(listener, 0, 0),
								   listener->schema,
								   sizeof(listener->schema)))
		return listener_fail(listener, LISTENER_FATAL, "the name of the "
							 "extension's schema cannot be quoted");
	return LISTENER_DONE;
}

/* The cluster, its timeline, the database and the extension in it. */
static ListenerOutcome
find_history(Listener *listener)
{
	ListenerOutcome outcome;

	outcome = listener_run(listener, NULL, 0,
						   "SELECT concat_ws('/', s.system_identifier,"
						   " d.oid, e.oid,"
						   " CASE WHEN pg_is_in_recovery() THEN"
						   " (SELECT lpad(to_hex(timeline_id), 8, '0')"
						   " FROM pg_control_checkpoint())"
						   " ELSE upper(left(pg_walfile_name("
						   "pg_current_wal_lsn()), 8)) END)"
						   " FROM pg_control_system() s, pg_database d,"
						   " pg_extension e"
						   " WHERE d.datname = current_database()"
						   " AND e.extname = 'fintrans'");
	if (outcome == LISTENER_DONE)
		snprintf(listener->history, sizeof(listener->history), "%s",
				 listener_value(listener, 0, 0));
	return outcome;
}

/* A standby has no LISTEN, nor have some poolers in front of a server. */
static ListenerOutcome
start_listening(Listener *listener)
{
	ListenerOutcome outcome = listener_run(listener, NULL, 0, "LISTEN "
										   FINTRANS_ALERTS_CHANNEL);

	if (outcome == LISTENER_DONE ||
		!(listener_failed_with(listener, "25006") ||
		  listener_failed_with(listener, "0A000")))
		return outcome;
	if (!listener->told_of_polling)
		log_write(LOG_LEVEL_WARNING, "no notifications here",
				  "consequence=\"new alerts are polled for\"");
	listener->told_of_polling = true;
	return LISTENER_DONE;
}

/* Say what failed and whether trying again may help. */
static ListenerOutcome
failed(Listener *listener, SqlstateStep step)
{
	const DatabaseError *error = database_error(listener->database);
	bool		fatal = sqlstate_classify(step, error->sqlstate, NULL, 0) ==
		SQLSTATE_FATAL;

	return listener_fail(listener, fatal ? LISTENER_FATAL : LISTENER_LOST,
						 "%s", error->text);
}
