/*
 * Kafka's part is in kafka_check.c.  A check that fails does not keep those
 * from being made that do not depend on it, so that all is mended in one go.
 */
#include "check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "database.h"
#include "extension_version.h"
#include "kafka_check.h"
#include "record.h"
#include "topic_list.h"

/* The first server that the extension is for. */
#define SERVER_VERSION_MIN 150000

/* Clocks that somebody keeps differ by much less. */
#define CLOCK_DIFFERENCE_MAX_MS 5000

#define TEXT_BYTES 700

/* One run. */
typedef struct Check
{
	const CheckSettings *settings;
	Database   *database;
	char		schema[130];	/* the extension's, quoted; "" before it is
								 * known */
	bool		failed;
} Check;

static void report(Check *check, bool ok, const char *name,
				   const char *format,...)
			__attribute__((format(printf, 4, 5)));
static void print_line(const char *verdict, const char *name,
					   const char *text);
static void check_kafka(Check *check);
static void check_topics(Check *check, KafkaCheck *kafka);
static void check_database(Check *check);
static bool connect_database(Check *check);
static const char *connection_advice(const DatabaseError *error);
static void check_server(Check *check);
static void check_writable(Check *check);
static void check_extension(Check *check);
static void check_grants(Check *check, const char *ability);
static void check_currency(Check *check);
static void check_clock(Check *check);
static bool ask(Check *check, const char *name, const char *sql,
				const char *const *parameters, int count);
static const char *value(const Check *check, int column);

bool
check_run(const CheckSettings *settings)
{
	Check		check = {.settings = settings};

	report(&check, true, "configuration", "all options are valid");
	check_kafka(&check);
	check_database(&check);
	return !check.failed;
}

static void
report(Check *check, bool ok, const char *name, const char *format,...)
{
	char		text[TEXT_BYTES];
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	print_line(ok ? "ok" : "failed", name, text);
	if (!ok)
		check->failed = true;
}

/* Names of databases and roles may hold anything. */
static void
print_line(const char *verdict, const char *name, const char *text)
{
	printf("%-6s  %-13s  ", verdict, name);
	for (; *text != '\0'; text++)
		putchar((unsigned char) *text < ' ' || *text == 0x7f ? ' ' : *text);
	putchar('\n');
	fflush(stdout);
}

/* ------------------------------------------------------------------ Kafka */

static void
check_kafka(Check *check)
{
	char		text[TEXT_BYTES];
	KafkaCheck *kafka = kafka_check_open(check->settings->consumer, text,
										 sizeof(text));
	bool		reached;

	if (kafka == NULL)
	{
		report(check, false, "kafka", "%s", text);
		return;
	}
	reached = kafka_check_brokers(kafka, text, sizeof(text));
	report(check, reached, "kafka", "%s", text);
	if (reached)
	{
		bool		ok;

		check_topics(check, kafka);
		ok = kafka_check_group(kafka, text, sizeof(text));
		report(check, ok, "group", "%s", text);
	}
	kafka_check_close(kafka);
}

static void
check_topics(Check *check, KafkaCheck *kafka)
{
	TopicList	topics;
	char		text[TEXT_BYTES];

	if (!topic_list_read(&topics, check->settings->consumer->topics, text,
						 sizeof(text)))
	{
		report(check, false, "topics", "%s", text);
		return;
	}
	for (size_t i = 0; i < topics.count; i++)
	{
		bool		ok = kafka_check_topic(kafka, topics.names[i], text,
										   sizeof(text));

		report(check, ok, "topic", "%s", text);
	}
	topic_list_free(&topics);
}

/* --------------------------------------------------------------- database */

static void
check_database(Check *check)
{
	check->database = database_new(check->settings->database,
								   "fintrans-bridge");
	if (check->database == NULL)
		report(check, false, "database", "out of memory");
	else if (connect_database(check))
	{
		check_server(check);
		check_writable(check);
		check_extension(check);
		if (check->schema[0] != '\0')
		{
			check_grants(check, "writer");
			if (check->settings->needs_keeper)
				check_grants(check, "keeper");
			if (check->settings->currency != NULL)
				check_currency(check);
		}
		check_clock(check);
	}
	database_free(check->database);
}

static bool
connect_database(Check *check)
{
	const DatabaseError *error;

	if (database_connect(check->database))
	{
		if (!ask(check, "database", "SELECT current_database(), session_user",
				 NULL, 0))
			return false;
		report(check, true, "database", "connected to \"%s\" as \"%s\"",
			   value(check, 0), value(check, 1));
		return true;
	}
	error = database_error(check->database);
	report(check, false, "database", "%s: %s", error->text,
		   connection_advice(error));
	return false;
}

static const char *
connection_advice(const DatabaseError *error)
{
	if (strncmp(error->sqlstate, "28", 2) == 0)
		return "look at the user and password of --database, and at the"
			" server's pg_hba.conf";
	if (strcmp(error->sqlstate, "3D000") == 0)
		return "name another dbname in --database, or create it";
	if (strncmp(error->sqlstate, "53", 2) == 0)
		return "the server has no connection left for this role";
	return "look whether --database has the right host and port, and whether"
		" the server runs and can be reached from here";
}

static void
check_server(Check *check)
{
	int			version;
	const char *encoding = database_parameter(check->database,
											  "server_encoding");

	if (!ask(check, "server",
			 "SELECT current_setting('server_version_num'),"
			 " current_setting('server_version')", NULL, 0))
		return;
	version = (int) strtol(value(check, 0), NULL, 10);
	if (version < SERVER_VERSION_MIN)
		report(check, false, "server",
			   "PostgreSQL %s is too old: fintrans needs 15 or later",
			   value(check, 1));
	else if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
		report(check, false, "server",
			   "the database's encoding is %s: create one with ENCODING UTF8",
			   encoding != NULL ? encoding : "not known");
	else
		report(check, true, "server", "PostgreSQL %s, UTF8", value(check, 1));
}

static void
check_writable(Check *check)
{
	if (!ask(check, "writable",
			 "SELECT pg_is_in_recovery(),"
			 " current_setting('default_transaction_read_only')", NULL, 0))
		return;
	if (strcmp(value(check, 0), "t") == 0)
		report(check, false, "writable", "the server is a standby: name all"
			   " hosts and target_session_attrs=read-write in --database");
	else if (strcmp(value(check, 1), "on") == 0)
		report(check, false, "writable", "database transactions are read-only:"
			   " look where default_transaction_read_only is set");
	else
		report(check, true, "writable", "the server takes writes");
}

static void
check_extension(Check *check)
{
	char		errstr[256];

	if (!ask(check, "extension", EXTENSION_VERSION_QUERY, NULL, 0))
		return;
	if (database_rows(check->database) != 1)
		report(check, false, "extension", "the database has no extension"
			   " \"fintrans\": CREATE EXTENSION fintrans, as a superuser");
	else if (!extension_version_fits(value(check, 1), errstr, sizeof(errstr)))
		report(check, false, "extension", "%s: ALTER EXTENSION fintrans"
			   " UPDATE, or install programs that fit it", errstr);
	else if (database_quote_identifier(check->database, value(check, 0),
									   check->schema, sizeof(check->schema)))
		report(check, true, "extension", "version %s, programs "
			   FINTRANS_VERSION, value(check, 1));
	else
		report(check, false, "extension",
			   "the name of its schema cannot be quoted");
}

/* The first few that are missing tell enough. */
static void
check_grants(Check *check, const char *ability)
{
	const char *parameters[] = {ability};
	char		sql[600];

	snprintf(sql, sizeof(sql),
			 "SELECT count(*), string_agg(m.privilege || ' ON ' || m.object,"
			 " ', ') FILTER (WHERE m.nth <= 3),"
			 " quote_literal(quote_ident(session_user))"
			 " FROM (SELECT *, row_number() OVER () AS nth"
			 " FROM %s.fintrans_missing_privileges("
			 "quote_ident(session_user)::regrole, $1)) m", check->schema);
	if (database_run(check->database, sql, parameters, 1))
	{
		if (strcmp(value(check, 0), "0") == 0)
			report(check, true, "grants", "the role has the ability \"%s\"",
				   ability);
		else
			report(check, false, "grants", "the role lacks %s (%s missing):"
				   " SELECT fintrans_grant(%s, '%s'), as the owner of the"
				   " extension", value(check, 1), value(check, 0),
				   value(check, 2), ability);
	}
	else if (strcmp(database_error(check->database)->sqlstate, "42883") == 0)
		report(check, true, "grants", "not tested: an extension older than"
			   " 0.2.0 cannot tell");
	else
		report(check, false, "grants", "%s: SELECT fintrans_grant(<role>,"
			   " '%s'), as the owner of the extension",
			   database_error(check->database)->text, ability);
}

static void
check_currency(Check *check)
{
	const char *currency = check->settings->currency;
	char		sql[300];

	snprintf(sql, sizeof(sql),
			 "SELECT value FROM %s.fintrans_settings WHERE name = 'currency'",
			 check->schema);
	if (!ask(check, "currency", sql, NULL, 0))
		return;
	if (database_rows(check->database) == 0)
		report(check, true, "currency",
			   "none yet: the bridge will make it %s", currency);
	else if (strcmp(value(check, 0), currency) != 0)
		report(check, false, "currency", "the installation's is %s, --currency"
			   " is %s: they must be the same", value(check, 0), currency);
	else
		report(check, true, "currency", "%s", currency);
}

/*
 * The server told its time at some moment between two of ours, so that half of
 * the time between them may be an error.
 */
static void
check_clock(Check *check)
{
	int64_t		before_ms = clock_real_ms();
	int64_t		after_ms;
	int64_t		difference_ms;

	if (!ask(check, "clock", "SELECT"
			 " (extract(epoch FROM clock_timestamp()) * 1000)::int8", NULL, 0))
		return;
	after_ms = clock_real_ms();
	difference_ms = strtoll(value(check, 0), NULL, 10) -
		(before_ms + after_ms) / 2;
	if (llabs(difference_ms) - (after_ms - before_ms) / 2 >
		CLOCK_DIFFERENCE_MAX_MS)
		report(check, false, "clock", "the server's is %" PRId64 " ms %s:"
			   " synchronize both; --time-range goes by this machine's,"
			   " --retain by the server's", (int64_t) llabs(difference_ms),
			   difference_ms > 0 ? "ahead" : "behind");
	else
		report(check, true, "clock", "the server's differs by %" PRId64
			   " ms, give or take %" PRId64 "; %d are allowed",
			   (int64_t) llabs(difference_ms), (after_ms - before_ms + 1) / 2,
			   CLOCK_DIFFERENCE_MAX_MS);
}

/* Run a query that cannot be refused; false, and reported, when it was. */
static bool
ask(Check *check, const char *name, const char *sql,
	const char *const *parameters, int count)
{
	if (database_run(check->database, sql, parameters, count))
		return true;
	report(check, false, name, "%s", database_error(check->database)->text);
	return false;
}

/* Of the first row. */
static const char *
value(const Check *check, int column)
{
	const char *text = database_value(check->database, 0, column);

	return text != NULL ? text : "";
}
