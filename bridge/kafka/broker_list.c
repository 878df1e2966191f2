/*
 * librdkafka takes whatever stands for a port, "abc" for 0, and then tries to
 * connect for ever.
 */
#include "broker_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECTED "expected HOST:PORT,..."
#define SEPARATORS ", \t\n\v\f\r"

static const char *find_port(const char *broker, size_t bytes);
static bool is_port(const char *text, size_t bytes);

bool
broker_list_check(const char *brokers, char *errstr, size_t errstr_size)
{
	const char *broker = brokers + strspn(brokers, SEPARATORS);

	if (*broker == '\0')
	{
		snprintf(errstr, errstr_size,
				 "option --brokers: no broker is named, " EXPECTED);
		return false;
	}
	while (*broker != '\0')
	{
		size_t		bytes = strcspn(broker, SEPARATORS);
		const char *port = find_port(broker, bytes);

		if (port != NULL && !is_port(port, (size_t) (broker + bytes - port)))
		{
			snprintf(errstr, errstr_size,
					 "option --brokers: \"%.*s\" has no port from 1 to 65535, "
					 EXPECTED, bytes < 100 ? (int) bytes : 100, broker);
			return false;
		}
		broker += bytes;
		broker += strspn(broker, SEPARATORS);
	}
	return true;
}

/*
 * Behind the colon; NULL when there is none, and Kafka's own is meant.  An
 * address of IPv6 without brackets has colons, and no port.
 */
static const char *
find_port(const char *broker, size_t bytes)
{
	const char *end = broker + bytes;
	const char *host = memmem(broker, bytes, "://", 3);
	const char *bracket;
	const char *colon;

	host = host != NULL ? host + 3 : broker;
	bracket = memchr(host, ']', (size_t) (end - host));
	if (bracket != NULL)
		host = bracket;
	colon = memchr(host, ':', (size_t) (end - host));
	if (colon == NULL || memchr(colon + 1, ':', (size_t) (end - colon - 1)))
		return NULL;
	return colon + 1;
}

static bool
is_port(const char *text, size_t bytes)
{
	long		port = bytes > 0 && bytes <= 5 ? strtol(text, NULL, 10) : 0;

	for (size_t i = 0; i < bytes; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return port >= 1 && port <= 65535;
}
