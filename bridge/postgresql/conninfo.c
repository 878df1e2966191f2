/*
 * Rules for the parts of connection strings, by how libpq reads them
 * (conninfo_uri_parse_options(), parse_int_param()).
 */
#include "conninfo.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PORT "port"

static const char *const numbers[] = {
	PORT, "connect_timeout", "keepalives", "keepalives_idle",
	"keepalives_interval", "keepalives_count", "tcp_user_timeout"
};

static bool is_in_range(const char *text, bool is_port);
static size_t count(const char *list);

/*
 * The user and password end at the first "@", unless a "/" comes before it;
 * after that there should be no "@" up to the parameters.
 */
bool
conninfo_is_ambiguous(const char *conninfo)
{
	const char *rest = conninfo + strcspn(conninfo, ":=");

	if (strncmp(rest, "://", 3) != 0)
		return false;
	rest += 3;
	rest += strcspn(rest, "@/");
	if (*rest == '@')
		rest++;
	return memchr(rest, '@', strcspn(rest, "?")) != NULL;
}

bool
conninfo_is_value(const char *keyword, const char *value)
{
	/* an empty value is none */
	if (*value == '\0')
		return true;
	if (strcmp(keyword, "replication") == 0)
		return false;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(keyword, numbers[i]) == 0)
			return is_in_range(value, strcmp(keyword, PORT) == 0);
	return true;
}

bool
conninfo_is_matched(const char *hosts, const char *addresses,
					const char *ports)
{
	size_t		servers = count(*addresses != '\0' ? addresses : hosts);

	return (*addresses == '\0' || *hosts == '\0' ||
			count(hosts) == servers) &&
		(count(ports) == 1 || count(ports) == servers);
}

bool
conninfo_is_database(const char *name)
{
	return strchr(name, '@') == NULL &&
		(strchr(name, ':') == NULL || strchr(name, '/') == NULL);
}

/* Of the parts between commas; an empty list has one. */
static size_t
count(const char *list)
{
	size_t		parts = 1;

	for (; *list != '\0'; list++)
		parts += *list == ',';
	return parts;
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
