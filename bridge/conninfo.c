/*
 * libpq finds most mistakes only while it connects, when they look like an
 * outage.  It is asked in advance, with a host that it cannot even try; what
 * it would not tell apart then is checked here.
 */
#include "conninfo.h"

#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Settings of the connection: the user's own win, in the connection string or
 * in the environment.
 */
static const struct
{
	const char *keyword;
	const char *value;
	const char *environment;	/* where the user may have set it, or NULL */
}			defaults[] = {
	{"connect_timeout", "10", "PGCONNECT_TIMEOUT"},
	{"keepalives_idle", "10", NULL},
	{"keepalives_interval", "5", NULL},
	{"keepalives_count", "4", NULL},
	{"tcp_user_timeout", "30000", NULL},
};

/* Whole numbers that libpq reads when it connects, not before. */
static const struct
{
	const char *keyword;
	bool		is_port;
}			numbers[] = {
	{"port", true},
	{"connect_timeout", false},
	{"keepalives", false},
	{"keepalives_idle", false},
	{"keepalives_interval", false},
	{"keepalives_count", false},
	{"tcp_user_timeout", false},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

_Static_assert(CONNINFO_KEYWORDS == COUNT(defaults) + 4,
			   "the defaults, a name, the string, client_encoding, NULL");

static bool is_string(const char *conninfo);
static bool is_ambiguous(const char *uri);
static bool check_numbers(const PQconninfoOption *options, char *errstr,
						  size_t errstr_size);
static bool is_in_range(const char *text, bool is_port);
static bool ask_libpq(const char *conninfo, char *errstr, size_t errstr_size);

bool
conninfo_check(const char *conninfo, char *errstr, size_t errstr_size)
{
	/* libpq's own reason may quote a part of the string: a password */
	PQconninfoOption *options =
		PQconninfoParse(is_string(conninfo) ? conninfo : "", NULL);
	bool		is_fine = false;

	if (options == NULL)
		snprintf(errstr, errstr_size,
				 "the database's connection string cannot be parsed");
	else if (is_ambiguous(conninfo))
		snprintf(errstr, errstr_size, "the database's URI has an \"@\" or"
				 " \"/\" that may be a part of a password: write %%40 or"
				 " %%2F for it");
	else
		is_fine = check_numbers(options, errstr, errstr_size) &&
			ask_libpq(conninfo, errstr, errstr_size);
	PQconninfoFree(options);
	return is_fine;
}

/* The later of two equal keywords wins. */
void
conninfo_list(const char *conninfo, const char *program,
			  const char **keywords, const char **values)
{
	size_t		count = 0;

	for (size_t i = 0; i < COUNT(defaults); i++)
	{
		const char *variable = defaults[i].environment;

		if (variable != NULL && getenv(variable) != NULL)
			continue;
		keywords[count] = defaults[i].keyword;
		values[count++] = defaults[i].value;
	}
	keywords[count] = "fallback_application_name";
	values[count++] = program;
	keywords[count] = "dbname";
	values[count++] = conninfo;
	keywords[count] = "client_encoding";
	values[count++] = "UTF8";
	keywords[count] = NULL;
	values[count] = NULL;
}

/* Without = or a scheme it is a database's name. */
static bool
is_string(const char *conninfo)
{
	return strchr(conninfo, '=') != NULL || strstr(conninfo, "://") != NULL;
}

/*
 * Where libpq takes a user and a password to end is the first "@", unless a
 * "/" comes before it: it would look for a host that a password's rest names,
 * and tell the log.
 */
static bool
is_ambiguous(const char *uri)
{
	size_t		scheme_bytes = strcspn(uri, ":=");
	const char *rest = uri + scheme_bytes + 3;

	if (strncmp(uri + scheme_bytes, "://", 3) != 0)
		return false;
	rest += strcspn(rest, "@/");
	if (*rest == '@')
		rest++;
	return memchr(rest, '@', strcspn(rest, "?")) != NULL;
}

static bool
check_numbers(const PQconninfoOption *options, char *errstr,
			  size_t errstr_size)
{
	for (const PQconninfoOption *option = options; option->keyword != NULL;
		 option++)
	{
		const char *value = option->val;

		if (value == NULL && option->envvar != NULL)
			value = getenv(option->envvar);
		for (size_t i = 0; value != NULL && *value != '\0' &&
			 i < COUNT(numbers); i++)
		{
			if (strcmp(option->keyword, numbers[i].keyword) != 0 ||
				is_in_range(value, numbers[i].is_port))
				continue;
			/* a part of a password may have come to stand for it */
			snprintf(errstr, errstr_size,
					 "the database's \"%s\" is not a %s", option->keyword,
					 numbers[i].is_port ? "port number" : "whole number");
			return false;
		}
	}
	return true;
}

/* Of ports there may be one for each host, and some left out. */
static bool
is_in_range(const char *text, bool is_port)
{
	long		first = is_port ? 1 : INT32_MIN;
	long		last = is_port ? 65535 : INT32_MAX;

	for (;;)
	{
		char	   *end;
		long		number = strtol(text, &end, 10);
		bool		is_given = end > text;

		end += strspn(end, " \t\n\v\f\r");
		if (is_given ? number < first || number > last : !is_port)
			return false;
		if (*end == '\0')
			return true;
		if (*end != ',' || !is_port)
			return false;
		text = end + 1;
	}
}

/*
 * A ping says that it has attempted nothing when the options are wrong.  With
 * these three, whatever else is wrong, nothing is sent anywhere: a host's
 * address that is none.
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
