/*
 * Connects, checks and runs statements, and turns what the database says into
 * an outcome.  What is checked at connect is checked again after each
 * reconnect: the server may have been restored, promoted or upgraded.
 */
#include "session.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extension_version.h"
#include "record.h"

/* A name of 63 bytes, all of them quotes, and the quotes around it. */
#define IDENTIFIER_BYTES 130

struct Session
{
	Database   *database;
	char		currency[RECORD_CURRENCY_BYTES];	/* "" for none so far */
	char		schema[IDENTIFIER_BYTES];	/* the extension's, quoted */
	bool		older_reasons;	/* the extension knows those of 0.1.0 only */
	bool		was_connected;	/* and checked, at any time */
	DatabaseError error;		/* of the latest attempt */
};

static Outcome failed(Session *session, SqlstateStep step);
static Outcome set_up(Session *session);
static Outcome find_extension(Session *session);
static Outcome agree_on_currency(Session *session);
static Outcome claim_currency(Session *session);

Session *
session_new(const char *conninfo, const char *currency)
{
	Session    *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	if (currency != NULL)
		snprintf(session->currency, sizeof(session->currency), "%s", currency);
	session->database = database_new(conninfo, "fintrans-bridge");
	if (session->database == NULL)
	{
		free(session);
		return NULL;
	}
	return session;
}

void
session_free(Session *session)
{
	if (session == NULL)
		return;
	database_free(session->database);
	free(session);
}

Outcome
session_connect(Session *session)
{
	Outcome		outcome;

	if (!database_connect(session->database))
		return failed(session, session->was_connected ? SQLSTATE_CONNECT :
					  SQLSTATE_FIRST_CONNECT);
	if ((outcome = set_up(session)) != OUTCOME_DONE ||
		(outcome = find_extension(session)) != OUTCOME_DONE ||
		(outcome = agree_on_currency(session)) != OUTCOME_DONE)
	{
		session_disconnect(session);
		return outcome;
	}
	session->was_connected = true;
	return OUTCOME_DONE;
}

void
session_disconnect(Session *session)
{
	database_disconnect(session->database);
}

bool
session_is_connected(const Session *session)
{
	return database_is_connected(session->database);
}

const char *
session_schema(const Session *session)
{
	return session->schema;
}

const char *
session_currency(const Session *session)
{
	return session->currency;
}

bool
session_has_older_reasons(const Session *session)
{
	return session->older_reasons;
}

/* They came with the reasons. */
bool
session_has_topic_ids(const Session *session)
{
	return !session->older_reasons;
}

Outcome
session_run(Session *session, const char *sql, const char *const *parameters,
			int count)
{
	if (database_run(session->database, sql, parameters, count))
		return OUTCOME_DONE;
	return failed(session, SQLSTATE_OTHER);
}

Outcome
session_prepare(Session *session, const char *name, const char *sql)
{
	if (database_prepare(session->database, name, sql))
		return OUTCOME_DONE;
	return failed(session, SQLSTATE_OTHER);
}

Outcome
session_run_prepared(Session *session, const char *name,
					 const char *const *parameters, int count)
{
	if (database_run_prepared(session->database, name, parameters, count))
		return OUTCOME_DONE;
	return failed(session, SQLSTATE_OTHER);
}

Outcome
session_copy(Session *session, SqlstateStep step, const char *sql,
			 const char *relation, const CopyBuffer *data, int64_t rows)
{
	int64_t		taken;

	if (!database_copy(session->database, sql, relation, data))
		return failed(session, step);
	taken = database_affected(session->database);
	if (taken == rows)
		return OUTCOME_DONE;
	return session_fail(session, OUTCOME_FATAL,
						"table \"%s\" took %" PRId64 " of %" PRId64
						" rows: a rule or trigger of its own drops rows",
						relation, taken, rows);
}

Outcome
session_try_copy(Session *session, const char *sql, const char *relation,
				 const CopyBuffer *rows)
{
	if (database_try_copy(session->database, sql, relation, rows))
		return OUTCOME_DONE;
	return failed(session, SQLSTATE_COPY_ROWS);
}

Database *
session_database(Session *session)
{
	return session->database;
}

Outcome
session_fail(Session *session, Outcome outcome, const char *format,...)
{
	va_list		arguments;

	memset(&session->error, 0, sizeof(session->error));
	va_start(arguments, format);
	vsnprintf(session->error.text, sizeof(session->error.text), format,
			  arguments);
	va_end(arguments);
	return outcome;
}

const DatabaseError *
session_error(const Session *session)
{
	return &session->error;
}

/* Keep the database's error, and decide what it means. */
static Outcome
failed(Session *session, SqlstateStep step)
{
	DatabaseError *error = &session->error;

	*error = *database_error(session->database);
	switch (sqlstate_classify(step, error->sqlstate, error->constraint,
							  error->copy_row))
	{
		case SQLSTATE_FATAL:
			return OUTCOME_FATAL;
		case SQLSTATE_REJECT:
			return OUTCOME_REFUSED;
		case SQLSTATE_MEND:
			return OUTCOME_MEND;
		case SQLSTATE_RETRY:
			break;
	}

	/*
	 * There was no answer; or it came from a server that takes no writes,
	 * while another one of the connection string may; or from a session that
	 * began before the extension was updated, and so has the old library.
	 */
	if (error->sqlstate[0] == '\0' || strcmp(error->sqlstate, "25006") == 0 ||
		strncmp(error->sqlstate, "XX", 2) == 0)
		session_disconnect(session);
	return session_is_connected(session) ? OUTCOME_RETRY : OUTCOME_LOST;
}

/*
 * READ COMMITTED is what the compare-and-set and the triggers are written
 * for.  The idle timeout lets the server end the database transaction of a
 * bridge that was stopped in the middle, which another one waits for.
 */
static Outcome
set_up(Session *session)
{
	static const char *const settings[] = {
		"SET default_transaction_isolation = 'read committed'",
		"SET default_transaction_deferrable = off",
		"SET idle_in_transaction_session_timeout = '30s'",
		"SET lock_timeout = '30s'",
		"SET search_path = pg_catalog, pg_temp",
	};
	const char *encoding = database_parameter(session->database,
											  "server_encoding");

	if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
		return session_fail(session, OUTCOME_FATAL,
							"the database's encoding is %s, it must be UTF8",
							encoding != NULL ? encoding : "not known");
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
	{
		Outcome		outcome = session_run(session, settings[i], NULL, 0);

		if (outcome != OUTCOME_DONE)
			return outcome;
	}
	return OUTCOME_DONE;
}

static Outcome
find_extension(Session *session)
{
	Outcome		outcome;
	char		errstr[256];

	outcome = session_run(session, EXTENSION_VERSION_QUERY, NULL, 0);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (database_rows(session->database) != 1)
		return session_fail(session, OUTCOME_FATAL,
							"the database has no extension \"fintrans\";"
							" create it with: CREATE EXTENSION fintrans");
	if (!extension_version_fits(database_value(session->database, 0, 1),
								errstr, sizeof(errstr)))
		return session_fail(session, OUTCOME_FATAL, "%s", errstr);
	session->older_reasons =
		extension_version_is_before(database_value(session->database, 0, 1),
									FINTRANS_REASONS_VERSION);
	if (!database_quote_identifier(session->database,
								   database_value(session->database, 0, 0),
								   session->schema, sizeof(session->schema)))
		return session_fail(session, OUTCOME_FATAL,
							"the name of the extension's schema cannot be quoted");
	return OUTCOME_DONE;
}

/*
 * The first bridge that names a currency decides it, for those too that name
 * none.
 */
static Outcome
agree_on_currency(Session *session)
{
	const char *agreed = "";
	Outcome		outcome;
	char		sql[SESSION_SQL_BYTES];

	if (*session->currency != '\0' &&
		(outcome = claim_currency(session)) != OUTCOME_DONE)
		return outcome;
	snprintf(sql, sizeof(sql),
			 "SELECT value FROM %s.fintrans_settings WHERE name = 'currency'",
			 session->schema);
	if ((outcome = session_run(session, sql, NULL, 0)) != OUTCOME_DONE)
		return outcome;
	if (database_rows(session->database) == 1)
		agreed = database_value(session->database, 0, 0);
	if (*session->currency == '\0')
		snprintf(session->currency, sizeof(session->currency), "%s", agreed);
	if (strcmp(agreed, session->currency) == 0)
		return OUTCOME_DONE;
	return session_fail(session, OUTCOME_FATAL,
						"the installation's currency is %s, not %s",
						agreed, session->currency);
}

static Outcome
claim_currency(Session *session)
{
	const char *parameters[] = {session->currency};
	char		sql[SESSION_SQL_BYTES];

	snprintf(sql, sizeof(sql),
			 "INSERT INTO %s.fintrans_settings (name, value)"
			 " VALUES ('currency', $1) ON CONFLICT (name) DO NOTHING",
			 session->schema);
	return session_run(session, sql, parameters, 1);
}
