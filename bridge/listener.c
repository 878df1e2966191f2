/*
 * Connects, checks, listens and runs statements.  The detector's only user of
 * libpq.
 */
#include "listener.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "fintrans_record.h"
#include "log.h"
#include "sqlstate.h"

/* A name of 63 bytes, all of them quotes, the quotes around it, NUL. */
#define IDENTIFIER_BYTES 131

#define SQL_BYTES 2048

struct Listener
{
	const char *database;
	PGconn	   *conn;			/* NULL when not connected */
	PGresult   *result;			/* of the latest statement, or NULL */
	char		schema[IDENTIFIER_BYTES];	/* the extension's, quoted */
	char		history[128];
	bool		was_connected;	/* and checked, at any time */
	bool		told_of_polling;
	char		error[512];
};

static ListenerOutcome connect_database(Listener *listener);
static bool is_conninfo(const char *text);
static bool try_connect(Listener *listener, const char *const *keywords,
						const char *const *values);
static void on_notice(void *argument, const PGresult *notice);
static ListenerOutcome set_up(Listener *listener);
static ListenerOutcome find_extension(Listener *listener);
static ListenerOutcome find_history(Listener *listener);
static ListenerOutcome start_listening(Listener *listener);
static ListenerOutcome failed(Listener *listener);

Listener *
listener_new(const char *database)
{
	Listener   *listener = calloc(1, sizeof(*listener));

	if (listener != NULL)
		listener->database = database;
	return listener;
}

void
listener_free(Listener *listener)
{
	if (listener == NULL)
		return;
	listener_disconnect(listener);
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
	PQclear(listener->result);
	listener->result = NULL;
	PQfinish(listener->conn);
	listener->conn = NULL;
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
	PQclear(listener->result);
	listener->result = PQexecParams(listener->conn, text, count, NULL,
									parameters, NULL, NULL, 0);
	if (PQresultStatus(listener->result) == PGRES_TUPLES_OK ||
		PQresultStatus(listener->result) == PGRES_COMMAND_OK)
		return LISTENER_DONE;
	return failed(listener);
}

int
listener_rows(const Listener *listener)
{
	return PQntuples(listener->result);
}

const char *
listener_value(const Listener *listener, int row, int column)
{
	if (PQgetisnull(listener->result, row, column))
		return NULL;
	return PQgetvalue(listener->result, row, column);
}

bool
listener_failed_with(const Listener *listener, const char *sqlstate)
{
	const char *state = PQresultErrorField(listener->result,
										   PG_DIAG_SQLSTATE);

	return state != NULL && strcmp(state, sqlstate) == 0;
}

int
listener_socket(const Listener *listener)
{
	return PQsocket(listener->conn);
}

ListenerOutcome
listener_consume(Listener *listener, bool *notified)
{
	PGnotify   *notification;

	*notified = false;
	if (PQconsumeInput(listener->conn) == 0)
		return listener_fail(listener, LISTENER_LOST, "%s",
							 PQerrorMessage(listener->conn));
	while ((notification = PQnotifies(listener->conn)) != NULL)
	{
		*notified = true;
		PQfreemem(notification);
	}
	return LISTENER_DONE;
}

/* Of libpq's texts, the first line says what counts. */
ListenerOutcome
listener_fail(Listener *listener, ListenerOutcome outcome,
			  const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(listener->error, sizeof(listener->error), format, arguments);
	va_end(arguments);
	listener->error[strcspn(listener->error, "\n")] = '\0';
	return outcome;
}

const char *
listener_error(const Listener *listener)
{
	return listener->error;
}

/* ------------------------------------------------------------- connecting */

/*
 * The later of two equal keywords wins: defaults, because libpq's own are
 * "wait for ever", then the user's string, then what this file relies on.
 */
static ListenerOutcome
connect_database(Listener *listener)
{
	const char *timeout = getenv("PGCONNECT_TIMEOUT");
	const char *const keywords[] = {
		"connect_timeout", "keepalives_idle", "keepalives_interval",
		"keepalives_count", "tcp_user_timeout", "fallback_application_name",
		"dbname", "client_encoding", NULL
	};
	const char *const values[] = {
		timeout != NULL ? timeout : "10", "10", "5",
		"4", "30000", "fintrans-detector",
		listener->database, "UTF8", NULL
	};
	bool		refused;

	if (!is_conninfo(listener->database))
		return listener_fail(listener, LISTENER_FATAL, "the database's "
							 "connection string cannot be parsed");
	if (try_connect(listener, keywords, values))
		return LISTENER_DONE;
	/* a server that answers refuses us: at first that is a mistake of the
	 * configuration, later it may be a password being changed; once more, for
	 * it may have been starting */
	refused = !listener->was_connected &&
		PQpingParams(keywords, values, 1) == PQPING_OK;
	if (refused && try_connect(listener, keywords, values))
		return LISTENER_DONE;
	return listener_fail(listener, refused ? LISTENER_FATAL : LISTENER_LOST,
						 "%s", PQerrorMessage(listener->conn));
}

/* Checked apart because libpq's complaint may quote a password. */
static bool
is_conninfo(const char *text)
{
	PQconninfoOption *options;

	/* without "=" or a scheme it is a database's name */
	if (strchr(text, '=') == NULL && strstr(text, "://") == NULL)
		return true;
	options = PQconninfoParse(text, NULL);
	PQconninfoFree(options);
	return options != NULL;
}

static bool
try_connect(Listener *listener, const char *const *keywords,
			const char *const *values)
{
	listener_disconnect(listener);
	listener->conn = PQconnectdbParams(keywords, values, 1);
	if (PQstatus(listener->conn) != CONNECTION_OK)
		return false;
	PQsetNoticeReceiver(listener->conn, on_notice, NULL);
	return true;
}

static void
on_notice(void *argument, const PGresult *notice)
{
	const char *message = PQresultErrorField(notice,
											 PG_DIAG_MESSAGE_PRIMARY);
	char		quoted[256];

	(void) argument;
	log_write(LOG_LEVEL_DEBUG, "database notice", "text=%s",
			  log_quote(message, quoted, sizeof(quoted)));
}

/* A cursor is to be planned for all of its rows, and times are to be UTC. */
static ListenerOutcome
set_up(Listener *listener)
{
	static const char *const settings[] = {
		"SET search_path = pg_catalog, pg_temp",
		"SET TimeZone = 'UTC'",
		"SET cursor_tuple_fraction = 1",
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
	char	   *quoted;

	outcome = listener_run(listener, NULL, 0,
						   "SELECT n.nspname FROM pg_extension e"
						   " JOIN pg_namespace n ON n.oid = e.extnamespace"
						   " WHERE e.extname = 'fintrans'");
	if (outcome != LISTENER_DONE)
		return outcome;
	if (listener_rows(listener) != 1)
		return listener_fail(listener, LISTENER_FATAL, "database \"%s\" has "
							 "no extension \"fintrans\": it takes CREATE "
							 "EXTENSION fintrans", PQdb(listener->conn));
	quoted = PQescapeIdentifier(listener->conn,
								PQgetvalue(listener->result, 0, 0),
								strlen(PQgetvalue(listener->result, 0, 0)));
	if (quoted == NULL)
		return listener_fail(listener, LISTENER_FATAL, "%s",
							 PQerrorMessage(listener->conn));
	snprintf(listener->schema, sizeof(listener->schema), "%s", quoted);
	PQfreemem(quoted);
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

/*
 * Say what failed and whether trying again may help.  Only the primary
 * message: a detail may hold a row's values.
 */
static ListenerOutcome
failed(Listener *listener)
{
	const char *state = PQresultErrorField(listener->result,
										   PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(listener->result,
											 PG_DIAG_MESSAGE_PRIMARY);
	bool		fatal = PQstatus(listener->conn) == CONNECTION_OK &&
		sqlstate_classify(SQLSTATE_OTHER, state, NULL, 0) == SQLSTATE_FATAL;

	return listener_fail(listener, fatal ? LISTENER_FATAL : LISTENER_LOST,
						 "%s", message != NULL ? message :
						 PQerrorMessage(listener->conn));
}
