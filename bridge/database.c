/*
 * libpq with its results and errors put away in one place.  Calls block; what
 * bounds them is connect_timeout, TCP keepalives and tcp_user_timeout, which
 * get defaults here because libpq's own are "never".
 */
#include "database.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "conninfo.h"
#include "log.h"
#include "sqlstate.h"

/* Bytes handed to libpq at once while copying. */
#define COPY_CHUNK_BYTES ((size_t) 128 * 1024)

/* What the server answers to a COPY that its client has given up. */
#define COPY_GIVEN_UP "57014"

/* In place of a message that may hold data. */
#define TEXT_KEPT_BACK "the text is kept back, since it may hold data"

/* How long a refused connection may take to say why. */
#define REFUSAL_MS 5000

struct Database
{
	const char *conninfo;		/* the caller's */
	const char *program;		/* the caller's */
	PGconn	   *conn;			/* NULL when never tried */
	PGresult   *result;			/* of the latest statement, or NULL */
	DatabaseError error;
};

/*
 * Settings of the connection: the user's own win, in the connection string or
 * in the environment.
 */
static const struct
{
	const char *keyword;
	const char *value;
	const char *environment;	/* where the user may have set it, or NULL */
}			connection_defaults[] = {
	{"connect_timeout", "10", "PGCONNECT_TIMEOUT"},
	{"keepalives_idle", "10", NULL},
	{"keepalives_interval", "5", NULL},
	{"keepalives_count", "4", NULL},
	{"tcp_user_timeout", "30000", NULL},
};

#define DEFAULT_COUNT \
	(sizeof(connection_defaults) / sizeof(connection_defaults[0]))

/* the defaults, fallback_application_name, dbname, client_encoding, NULL */
#define KEYWORD_COUNT (DEFAULT_COUNT + 4)

static bool check_values(const PQconninfoOption *options, char *errstr,
						 size_t errstr_size);
static bool check_hosts(const PQconninfoOption *options, char *errstr,
						size_t errstr_size);
static bool check_name(const char *name, char *errstr, size_t errstr_size);
static const char *value_of(const PQconninfoOption *options,
							const char *keyword);
static const char *value(const PQconninfoOption *option);
static bool ask_libpq(const char *conninfo, char *errstr, size_t errstr_size);
static void list_keywords(const Database *database, const char **keywords,
						  const char **values);
static void note_refusal(Database *database);
static bool await_connection(PGconn *conn);
static void find_sqlstate(const char *text, char *sqlstate);
static void keep_result(Database *database, PGresult *result);
static void note_error(Database *database, const char *relation);
static void note_broken(Database *database);
static void note_text(DatabaseError *error, const char *text);
static bool run_copy(Database *database, const char *sql,
					 const char *relation, const CopyBuffer *data,
					 bool (*send) (PGconn *conn, const CopyBuffer *data));
static bool send_copy(PGconn *conn, const CopyBuffer *data);
static bool send_trial(PGconn *conn, const CopyBuffer *rows);
static bool send_bytes(PGconn *conn, const CopyBuffer *data);
static void drain_results(PGconn *conn);
static void on_notice(void *argument, const PGresult *notice);

/*
 * libpq finds most mistakes only while it connects, when they look like an
 * outage: they are looked for in advance.
 */
bool
database_check_conninfo(const char *conninfo, char *errstr,
						size_t errstr_size)
{
	/* without = or a scheme it is a database's name */
	bool		is_name = strchr(conninfo, '=') == NULL &&
		strstr(conninfo, "://") == NULL;
	/* libpq's own reason may quote a part of the string: a password */
	PQconninfoOption *options =
		PQconninfoParse(is_name ? "" : conninfo, NULL);
	bool		is_fine = false;

	if (options == NULL)
		snprintf(errstr, errstr_size,
				 "the database's connection string cannot be parsed");
	else if (conninfo_is_ambiguous(conninfo))
		snprintf(errstr, errstr_size, "the database's URI has an \"@\" or"
				 " \"/\" that may be a part of a password: write %%40 or"
				 " %%2F for it");
	else
		is_fine = check_name(is_name && *conninfo != '\0' ? conninfo :
							 value_of(options, "dbname"), errstr,
							 errstr_size) &&
			check_values(options, errstr, errstr_size) &&
			check_hosts(options, errstr, errstr_size) &&
			ask_libpq(conninfo, errstr, errstr_size);
	PQconninfoFree(options);
	return is_fine;
}

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

bool
database_connect(Database *database)
{
	const char *keywords[KEYWORD_COUNT];
	const char *values[KEYWORD_COUNT];

	database_disconnect(database);
	list_keywords(database, keywords, values);
	database->conn = PQconnectdbParams(keywords, values, 1);
	if (PQstatus(database->conn) == CONNECTION_OK)
	{
		PQsetNoticeReceiver(database->conn, on_notice, NULL);
		return true;
	}
	note_broken(database);
	note_refusal(database);
	database_disconnect(database);
	return false;
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
	ExecStatusType status;

	keep_result(database,
				PQexecParams(database->conn, sql, count, NULL, parameters,
							 NULL, NULL, 0));
	status = PQresultStatus(database->result);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return true;
	note_error(database, NULL);
	return false;
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
		note_broken(database);
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
		note_broken(database);
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

static bool
check_values(const PQconninfoOption *options, char *errstr,
			 size_t errstr_size)
{
	for (; options->keyword != NULL; options++)
	{
		if (conninfo_is_value(options->keyword, value(options)))
			continue;
		/* a piece of a password may have come to stand for it */
		snprintf(errstr, errstr_size,
				 "the database's \"%s\" cannot have such a value",
				 options->keyword);
		return false;
	}
	return true;
}

/* A service may add what is missing here. */
static bool
check_hosts(const PQconninfoOption *options, char *errstr, size_t errstr_size)
{
	if (*value_of(options, "service") != '\0' ||
		conninfo_is_matched(value_of(options, "host"),
							value_of(options, "hostaddr"),
							value_of(options, "port")))
		return true;
	snprintf(errstr, errstr_size, "the database's hosts, their addresses and"
			 " ports are not of the same number");
	return false;
}

/* libpq would tell the log that there is no such database. */
static bool
check_name(const char *name, char *errstr, size_t errstr_size)
{
	if (conninfo_is_database(name))
		return true;
	snprintf(errstr, errstr_size, "what stands for the database's name"
			 " looks like a URI that does not begin with postgresql://");
	return false;
}

static const char *
value_of(const PQconninfoOption *options, const char *keyword)
{
	while (strcmp(options->keyword, keyword) != 0)
		options++;
	return value(options);
}

/* The string's or the environment's; empty for none. */
static const char *
value(const PQconninfoOption *option)
{
	const char *text = option->val;

	if (text == NULL && option->envvar != NULL)
		text = getenv(option->envvar);
	return text != NULL ? text : "";
}

/*
 * A ping says that it has attempted nothing when the options are wrong.  With
 * a host's address that is none, nothing is sent anywhere when they are right.
 */
static bool
ask_libpq(const char *conninfo, char *errstr, size_t errstr_size)
{
	const char *const keywords[] = {
		"dbname", "host", "hostaddr", "port", NULL
	};
	const char *const values[] = {conninfo, "-", "-", "1", NULL};
	PGconn	   *conn;

	if (PQpingParams(keywords, values, 1) != PQPING_NO_ATTEMPT)
		return true;
	conn = PQconnectdbParams(keywords, values, 1);
	snprintf(errstr, errstr_size, "the database's connection string: %s",
			 PQerrorMessage(conn));
	errstr[strcspn(errstr, "\n")] = '\0';
	PQfinish(conn);
	return false;
}

/* The later of two equal keywords wins, so the user's string comes last. */
static void
list_keywords(const Database *database, const char **keywords,
			  const char **values)
{
	size_t		count = 0;

	for (size_t i = 0; i < DEFAULT_COUNT; i++)
	{
		const char *variable = connection_defaults[i].environment;

		if (variable != NULL && getenv(variable) != NULL)
			continue;
		keywords[count] = connection_defaults[i].keyword;
		values[count++] = connection_defaults[i].value;
	}
	keywords[count] = "fallback_application_name";
	values[count++] = database->program;
	keywords[count] = "dbname";
	values[count++] = database->conninfo;
	keywords[count] = "client_encoding";
	values[count++] = "UTF8";
	keywords[count] = NULL;
	values[count] = NULL;
}

/*
 * Learn the SQLSTATE of a refused connection: libpq keeps it out of the error
 * of PQconnectdb, but writes it into the text of a connection whose verbosity
 * is set before the server answers.  A server that does not answer leaves it
 * empty, which means "try again".
 */
static void
note_refusal(Database *database)
{
	const char *keywords[KEYWORD_COUNT];
	const char *values[KEYWORD_COUNT];
	PGconn	   *conn;

	list_keywords(database, keywords, values);
	conn = PQconnectStartParams(keywords, values, 1);
	if (conn == NULL)
		return;
	PQsetErrorVerbosity(conn, PQERRORS_SQLSTATE);
	if (!await_connection(conn))
		find_sqlstate(PQerrorMessage(conn), database->error.sqlstate);
	PQfinish(conn);
}

static bool
await_connection(PGconn *conn)
{
	int64_t		deadline_ms = clock_monotonic_ms() + REFUSAL_MS;
	PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;

	if (PQstatus(conn) == CONNECTION_BAD)
		return false;
	while (wanted == PGRES_POLLING_READING || wanted == PGRES_POLLING_WRITING)
	{
		int64_t		left_ms = deadline_ms - clock_monotonic_ms();
		struct pollfd socket = {
			.fd = PQsocket(conn),
			.events = wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT
		};

		if (left_ms <= 0 || poll(&socket, 1, (int) left_ms) == 0)
			return false;
		wanted = PQconnectPoll(conn);
	}
	return wanted == PGRES_POLLING_OK;
}

/* The last line's last word, when it looks like a SQLSTATE. */
static void
find_sqlstate(const char *text, char *sqlstate)
{
	size_t		end = strlen(text);

	while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == ' '))
		end--;
	if (end < 6 || text[end - 6] != ' ' ||
		strspn(text + end - 5, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") < 5)
		return;
	memcpy(sqlstate, text + end - 5, 5);
	sqlstate[5] = '\0';
}

static void
keep_result(Database *database, PGresult *result)
{
	PQclear(database->result);
	database->result = result;
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
static void
note_broken(Database *database)
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

static void
on_notice(void *argument, const PGresult *notice)
{
	const char *severity =
		PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *message =
		PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
	const char *sqlstate = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
	const char *context = PQresultErrorField(notice, PG_DIAG_CONTEXT);
	bool		is_warning = severity != NULL &&
		strcmp(severity, "WARNING") == 0;

	(void) argument;
	if (!sqlstate_is_loggable(sqlstate, context))
		message = TEXT_KEPT_BACK;
	if (message != NULL)
		log_write(is_warning ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG,
				  "database notice", "sqlstate=%s text=%s",
				  sqlstate != NULL ? sqlstate : "",
				  log_quote(message, (char[256]) {0}, 256));
}
