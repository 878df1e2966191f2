/*
 * How a connection is made, and why it is not.  libpq tells neither the
 * SQLSTATE of a refusal nor what is wrong with a certificate: both are found
 * out by a second attempt.
 *
 * libpq waits for ever by its own defaults, so it is given others.
 */
#include "database_state.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certificate.h"
#include "clock.h"
#include "secret_file.h"

/* SQLSTATE of a server that asks for a password when we have none. */
#define NO_PASSWORD "28000"

/* libpq 15 says no more of a certificate. */
#define REFUSED_CERTIFICATE "certificate verify failed"

/* How long a refused connection may take to say why. */
#define REFUSAL_MS 5000

/* Set once by database_use_password_file(); NULL for none. */
static const char *password_file = NULL;

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

/*
 * the defaults, fallback_application_name, dbname, client_encoding, password,
 * NULL
 */
#define KEYWORD_COUNT (DEFAULT_COUNT + 5)

/* What a connection is made from. */
typedef struct Keywords
{
	const char *names[KEYWORD_COUNT];
	const char *values[KEYWORD_COUNT];
	size_t		count;
	char	   *password;		/* the file's, to be freed */
} Keywords;

static bool list_keywords(Database *database, Keywords *keywords);
static void add_keyword(Keywords *keywords, const char *name,
						const char *value);
static void free_keywords(Keywords *keywords);
static void note_no_password(Database *database);
static void note_refusal(Database *database);
static void note_certificate(Database *database);
static bool read_authorities(PGconn *conn, char *path, size_t size);
static bool await_connection(PGconn *conn, bool only_tls);
static void find_sqlstate(const char *text, char *sqlstate);

bool
database_use_password_file(const char *path, char *errstr,
						   size_t errstr_size)
{
	char	   *password;

	password_file = path != NULL && *path != '\0' ? path : NULL;
	if (password_file == NULL)
		return true;
	password = secret_file_read(password_file, errstr, errstr_size);
	if (password == NULL)
		return false;
	secret_file_free(password);
	secret_file_warn(password_file);
	return true;
}

bool
database_connect(Database *database)
{
	Keywords	keywords;

	database_disconnect(database);
	if (!list_keywords(database, &keywords))
		return false;
	database->conn = PQconnectdbParams(keywords.names, keywords.values, 1);
	free_keywords(&keywords);
	if (PQstatus(database->conn) == CONNECTION_OK)
	{
		PQsetNoticeReceiver(database->conn, database_on_notice, database);
		return true;
	}
	database_note_broken(database);
	if (PQconnectionNeedsPassword(database->conn))
		note_no_password(database);
	else if (strstr(database->error.text, REFUSED_CERTIFICATE) != NULL)
		note_certificate(database);
	else
		note_refusal(database);
	database_disconnect(database);
	return false;
}

/*
 * The later of two equal keywords wins, so the user's string comes behind the
 * defaults.  False with the error noted when the password cannot be read.
 */
static bool
list_keywords(Database *database, Keywords *keywords)
{
	DatabaseError *error = &database->error;

	memset(keywords, 0, sizeof(*keywords));
	for (size_t i = 0; i < DEFAULT_COUNT; i++)
	{
		const char *variable = connection_defaults[i].environment;

		if (variable == NULL || getenv(variable) == NULL)
			add_keyword(keywords, connection_defaults[i].keyword,
						connection_defaults[i].value);
	}
	add_keyword(keywords, "fallback_application_name", database->program);
	add_keyword(keywords, "dbname", database->conninfo);
	add_keyword(keywords, "client_encoding", "UTF8");
	if (password_file == NULL)
		return true;
	memset(error, 0, sizeof(*error));
	keywords->password = secret_file_read(password_file, error->text,
										  sizeof(error->text));
	if (keywords->password != NULL && *keywords->password != '\0')
		add_keyword(keywords, "password", keywords->password);
	return keywords->password != NULL;
}

/* What is not filled is NULL, which ends the list. */
static void
add_keyword(Keywords *keywords, const char *name, const char *value)
{
	keywords->names[keywords->count] = name;
	keywords->values[keywords->count++] = value;
}

static void
free_keywords(Keywords *keywords)
{
	secret_file_free(keywords->password);
}

/* libpq gives it no SQLSTATE, and a name of its own function. */
static void
note_no_password(Database *database)
{
	DatabaseError *error = &database->error;

	snprintf(error->text, sizeof(error->text),
			 "connection to server at \"%s\", port %s failed: it asks for a"
			 " password, and none is given (--password-file)", PQhost(database->conn),
			 PQport(database->conn));
	memcpy(error->sqlstate, NO_PASSWORD, sizeof(NO_PASSWORD));
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
	DatabaseError *error = &database->error;
	DatabaseError before = *error;
	Keywords	keywords;
	PGconn	   *conn;

	if (!list_keywords(database, &keywords))
	{
		*error = before;
		return;
	}
	conn = PQconnectStartParams(keywords.names, keywords.values, 1);
	free_keywords(&keywords);
	*error = before;
	if (conn == NULL)
		return;
	PQsetErrorVerbosity(conn, PQERRORS_SQLSTATE);
	if (!await_connection(conn, false))
		find_sqlstate(PQerrorMessage(conn), error->sqlstate);
	PQfinish(conn);
}

/*
 * Learn why a certificate is refused: libpq is made to take any, and left
 * before it tells the server who we are; then the certificate is judged by
 * the authorities that libpq was told of.
 */
static void
note_certificate(Database *database)
{
	DatabaseError *error = &database->error;
	char		authorities[512];
	char		words[200];
	PGconn	   *conn;
	const char *const names[] = {
		"dbname", "sslmode", "sslrootcert", "password", "connect_timeout",
		NULL
	};
	const char *const values[] = {
		database->conninfo, "require", "/nonexistent", "", "5", NULL
	};

	if (!read_authorities(database->conn, authorities, sizeof(authorities)))
		return;
	conn = PQconnectStartParams(names, values, 1);
	if (conn != NULL && await_connection(conn, true) &&
		certificate_is_refused(PQsslStruct(conn, "OpenSSL"), authorities,
							   words, sizeof(words)))
		snprintf(error->text, sizeof(error->text),
				 "connection to server at \"%s\", port %s failed: its"
				 " certificate %s", PQhost(conn), PQport(conn), words);
	PQfinish(conn);
}

/* The file that libpq reads authorities from; false if that is not known. */
static bool
read_authorities(PGconn *conn, char *path, size_t size)
{
	PQconninfoOption *options = PQconninfo(conn);
	const char *given = options != NULL ? database_option(options, "sslrootcert") :
		"";
	const char *home = getenv("HOME");

	if (*given != '\0')
		snprintf(path, size, "%s", given);
	else
		snprintf(path, size, "%s/.postgresql/root.crt",
				 home != NULL ? home : "");
	PQconninfoFree(options);
	return access(path, R_OK) == 0 || strcmp(path, "system") == 0;
}

/* With only_tls: until the connection is encrypted, and no further. */
static bool
await_connection(PGconn *conn, bool only_tls)
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
		if (only_tls && PQsslInUse(conn) &&
			PQstatus(conn) == CONNECTION_MADE)
			return true;
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
