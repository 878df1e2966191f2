/*
 * What libpq is given to connect with.
 */
#include "conninfo.h"

#include <libpq-fe.h>
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

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

_Static_assert(CONNINFO_KEYWORDS == COUNT(defaults) + 4,
			   "the defaults, a name, the string, client_encoding, NULL");

static bool is_string(const char *conninfo);

bool
conninfo_check(const char *conninfo, char *errstr, size_t errstr_size)
{
	/* libpq's own reason may quote a part of the string: a password */
	PQconninfoOption *options =
		PQconninfoParse(is_string(conninfo) ? conninfo : "", NULL);

	if (options == NULL)
		snprintf(errstr, errstr_size,
				 "the database's connection string cannot be parsed");
	PQconninfoFree(options);
	return options != NULL;
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
