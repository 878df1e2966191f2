/*
 * libpq with its results and errors put away in one place.  Calls block; what
 * bounds them is connect_timeout, TCP keepalives and tcp_user_timeout.
 */
#include "database_state.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "sqlstate.h"

/* Bytes handed to libpq at once while copying. */
#define COPY_CHUNK_BYTES ((size_t) 128 * 1024)

/* What the server answers to a COPY that its client has given up. */
#define COPY_GIVEN_UP "57014"

/* In place of a message that may hold data. */
#define TEXT_KEPT_BACK "the text is kept back, since it may hold data"

static void keep_result(Database *database, PGresult *result);
static bool keep_outcome(Database *database, PGresult *result);
static void note_error(Database *database, const char *relation);
static void note_text(DatabaseError *error, const char *text);
static bool run_copy(Database *database, const char *sql,
					 const char *relation, const CopyBuffer *data,
					 bool (*send) (PGconn *conn, const CopyBuffer *data));
static bool send_copy(PGconn *conn, const CopyBuffer *data);
static bool send_trial(PGconn *conn, const CopyBuffer *rows);
static bool send_bytes(PGconn *conn, const CopyBuffer *data);
static void drain_results(PGconn *conn);

Database *
database_new(const char *conninfo, const char *program)
{
	Database   *database = calloc(1, sizeof(*database));

	if (database == NULL)
		return NULL;
	database->conninfo = conninfo;
	database->program = program;
	return database;
}

void
database_free(Database *database)
{
	if (database == NULL)
		return;
	database_disconnect(database);
	free(database);
}

void
database_disconnect(Database *database)
{
	keep_result(database, NULL);
	PQfinish(database->conn);
	database->conn = NULL;
}

bool
database_is_connected(const Database *database)
{
	return PQstatus(database->conn) == CONNECTION_OK;
}

bool
database_run(Database *database, const char *sql,
			 const char *const *parameters, int count)
{
	return keep_outcome(database,
						PQexecParams(database->conn, sql, count, NULL,
									 parameters, NULL, NULL, 0));
}

bool
database_prepare(Database *database, const char *name, const char *sql)
{
	return keep_outcome(database,
						PQprepare(database->conn, name, sql, 0, NULL));
}

bool
database_run_prepared(Database *database, const char *name,
					  const char *const *parameters, int count)
{
	return keep_outcome(database,
						PQexecPrepared(database->conn, name, count,
									   parameters, NULL, NULL, 0));
}

int
database_rows(const Database *database)
{
	return PQntuples(database->result);
}

const char *
database_value(const Database *database, int row, int column)
{
	if (PQgetisnull(database->result, row, column))
		return NULL;
	return PQgetvalue(database->result, row, column);
}

int64_t
database_affected(const Database *database)
{
	return strtoll(PQcmdTuples(database->result), NULL, 10);
}

const char *
database_command(const Database *database)
{
	return PQcmdStatus(database->result);
}

bool
database_copy(Database *database, const char *sql, const char *relation,
			  const CopyBuffer *data)
{
	return run_copy(database, sql, relation, data, send_copy);
}

bool
database_try_copy(Database *database, const char *sql, const char *relation,
				  const CopyBuffer *rows)
{
	return !run_copy(database, sql, relation, rows, send_trial) &&
		strcmp(database->error.sqlstate, COPY_GIVEN_UP) == 0;
}

const char *
database_parameter(const Database *database, const char *name)
{
	return PQparameterStatus(database->conn, name);
}

bool
database_quote_identifier(Database *database, const char *name, char *quoted,
						  size_t quoted_size)
{
	char	   *text = PQescapeIdentifier(database->conn, name, strlen(name));
	int			length;

	if (text == NULL)
	{
		database_note_broken(database);
		return false;
	}
	length = snprintf(quoted, quoted_size, "%s", text);
	PQfreemem(text);
	return length >= 0 && (size_t) length < quoted_size;
}

int
database_socket(const Database *database)
{
	return PQsocket(database->conn);
}

bool
database_consume(Database *database, bool *notified)
{
	PGnotify   *notification;

	*notified = false;
	if (PQconsumeInput(database->conn) == 0)
	{
		database_note_broken(database);
		return false;
	}
	while ((notification = PQnotifies(database->conn)) != NULL)
	{
		*notified = true;
		PQfreemem(notification);
	}
	return true;
}

const DatabaseError *
database_error(const Database *database)
{
	return &database->error;
}

static void
keep_result(Database *database, PGresult *result)
{
	PQclear(database->result);
	database->result = result;
}

/* Is it what a statement without COPY answers when it has succeeded? */
static bool
keep_outcome(Database *database, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	keep_result(database, result);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return true;
	note_error(database, NULL);
	return false;
}

/* Where the message may hold data, the code and the constraint have to do. */
static void
note_error(Database *database, const char *relation)
{
	const PGresult *result = database->result;
	DatabaseError *error = &database->error;
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *constraint =
		PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
	const char *message =
		PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);

	memset(error, 0, sizeof(*error));
	if (sqlstate != NULL)
		snprintf(error->sqlstate, sizeof(error->sqlstate), "%s", sqlstate);
	if (constraint != NULL)
		snprintf(error->constraint, sizeof(error->constraint), "%s",
				 constraint);
	if (relation != NULL)
		error->copy_row = sqlstate_copy_row(context, relation);
	if (!sqlstate_is_loggable(sqlstate, context))
		snprintf(error->text, sizeof(error->text),
				 "SQLSTATE %s%s%s, " TEXT_KEPT_BACK, error->sqlstate,
				 error->constraint[0] != '\0' ? ", constraint " : "",
				 error->constraint);
	else if (message != NULL)
		note_text(error, message);
	else
		note_text(error, PQerrorMessage(database->conn));
}

/* What libpq itself says. */
void
database_note_broken(Database *database)
{
	memset(&database->error, 0, sizeof(database->error));
	note_text(&database->error, PQerrorMessage(database->conn));
}

/* One line, without the line end. */
static void
note_text(DatabaseError *error, const char *text)
{
	size_t		length = strcspn(text, "\n");

	if (length == 0)
	{
		text = "the connection was closed";
		length = strlen(text);
	}
	snprintf(error->text, sizeof(error->text), "%.*s", (int) length, text);
}

static bool
run_copy(Database *database, const char *sql, const char *relation,
		 const CopyBuffer *data,
		 bool (*send) (PGconn *conn, const CopyBuffer *data))
{
	bool		sent = true;
	bool		copied;

	keep_result(database, PQexec(database->conn, sql));
	if (PQresultStatus(database->result) == PGRES_COPY_IN)
	{
		sent = send(database->conn, data);
		keep_result(database, PQgetResult(database->conn));
	}
	copied = sent && PQresultStatus(database->result) == PGRES_COMMAND_OK;
	if (!copied)
		note_error(database, relation);
	if (sent)
		drain_results(database->conn);
	else
		database_disconnect(database);	/* it may still be in COPY */
	return copied;
}

static bool
send_copy(PGconn *conn, const CopyBuffer *data)
{
	uint8_t		end[COPY_TRAILER_BYTES];
	CopyBuffer	trailer = {end, sizeof(end), 0};

	copy_put_trailer(&trailer);
	return send_bytes(conn, data) && send_bytes(conn, &trailer) &&
		PQputCopyEnd(conn, NULL) == 1;
}

static bool
send_trial(PGconn *conn, const CopyBuffer *rows)
{
	uint8_t		begin[COPY_HEADER_BYTES];
	CopyBuffer	header = {begin, sizeof(begin), 0};

	copy_put_header(&header);
	return send_bytes(conn, &header) && send_bytes(conn, rows) &&
		PQputCopyEnd(conn, "a trial, to find the rows that are refused") == 1;
}

static bool
send_bytes(PGconn *conn, const CopyBuffer *data)
{
	for (size_t at = 0; at < data->used; at += COPY_CHUNK_BYTES)
	{
		size_t		left = data->used - at;

		if (PQputCopyData(conn, (const char *) data->data + at,
						  (int) (left < COPY_CHUNK_BYTES ? left :
								 COPY_CHUNK_BYTES)) != 1)
			return false;
	}
	return true;
}

/* libpq wants every result read before the next statement. */
static void
drain_results(PGconn *conn)
{
	PGresult   *result;

	while ((result = PQgetResult(conn)) != NULL)
		PQclear(result);
}

/* A trigger of somebody's may warn of each row. */
void
database_on_notice(void *argument, const PGresult *notice)
{
	Database   *database = argument;
	const char *severity =
		PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *message =
		PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
	const char *sqlstate = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
	const char *context = PQresultErrorField(notice, PG_DIAG_CONTEXT);
	bool		is_warning = severity != NULL &&
		strcmp(severity, "WARNING") == 0;
	int64_t		suppressed = 0;

	if (!sqlstate_is_loggable(sqlstate, context))
		message = TEXT_KEPT_BACK;
	if (message == NULL ||
		(is_warning && !trouble_is_due(&database->notices,
									   trouble_code(message),
									   clock_monotonic_ms(), &suppressed)))
		return;
	log_write(is_warning ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG,
			  "database notice", "sqlstate=%s text=%s suppressed=%" PRId64,
			  sqlstate != NULL ? sqlstate : "",
			  log_quote(message, (char[256]) {0}, 256), suppressed);
}
