/*
 * Takes the passwords out of libpq connection strings, by the rules libpq
 * parses them by (conninfo_parse() and conninfo_uri_parse()).
 *
 * libpq itself is not used: --show-options belongs to programs that have no
 * database, and a string that libpq refuses may hold a password all the same.
 * So does one with a keyword that libpq does not have: what looks like it may
 * be the rest of a password with a blank in it, and nothing is shown.
 */
#include "redact.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define HIDDEN "(hidden)"

/* libpq's, of versions 15 to 18, but for those that only say what is secret. */
static const char *const keywords[] = {
	"application_name", "channel_binding", "client_encoding",
	"connect_timeout", "dbname", "fallback_application_name", "gssdelegation",
	"gssencmode", "gsslib", "host", "hostaddr", "keepalives",
	"keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname",
	"load_balance_hosts", "max_protocol_version", "min_protocol_version",
	"oauth_client_id", "oauth_issuer", "oauth_scope", "options", "passfile",
	"port", "replication", "require_auth", "requirepeer", "service",
	"servicefile", "ssl", "ssl_max_protocol_version",
	"ssl_min_protocol_version", "sslcert", "sslcertmode", "sslcompression",
	"sslcrl", "sslcrldir", "sslkey", "sslkeylogfile", "sslmode",
	"sslnegotiation", "sslrootcert", "sslsni", "target_session_attrs",
	"tcp_user_timeout", "user"
};

/* Text being made; overflow is noticed, not written. */
typedef struct Output
{
	char	   *text;
	size_t		size;
	size_t		bytes;
	bool		overflow;
} Output;

static bool redact_pairs(const char *text, Output *output);
static const char *pair_value_end(const char *value);
static bool redact_uri(const char *text, Output *output);
static bool redact_query(const char *query, Output *output);
static bool is_secret(const char *name, size_t bytes);
static bool is_shown(const char *name, size_t bytes);
static void add(Output *output, const char *text, size_t bytes);

void
redact_conninfo(const char *text, char *out, size_t size)
{
	Output		output = {out, size, 0, false};
	bool		understood;

	if (strstr(text, "://") != NULL)
		understood = redact_uri(text, &output);
	else
		understood = redact_pairs(text, &output);
	if (understood && !output.overflow)
		out[output.bytes] = '\0';
	else
		snprintf(out, size, HIDDEN);
}

/* keyword = value ..., values plain or in single quotes */
static bool
redact_pairs(const char *text, Output *output)
{
	const char *const blanks = " \t\n\v\f\r";

	text += strspn(text, blanks);
	while (*text != '\0')
	{
		const char *name = text;
		size_t		name_bytes = strcspn(name, " \t\n\v\f\r='\\");
		const char *value;
		const char *end;

		text += name_bytes;
		text += strspn(text, blanks);
		if (name_bytes == 0 || *text != '=')
			return false;
		value = text + 1 + strspn(text + 1, blanks);
		end = pair_value_end(value);
		if (end == NULL ||
			(!is_secret(name, name_bytes) && !is_shown(name, name_bytes)))
			return false;
		if (output->bytes > 0)
			add(output, " ", 1);
		add(output, name, name_bytes);
		add(output, "=", 1);
		if (is_secret(name, name_bytes))
			add(output, HIDDEN, strlen(HIDDEN));
		else
			add(output, value, (size_t) (end - value));
		text = end + strspn(end, blanks);
	}
	return output->bytes > 0;
}

/* Where a value ends; NULL when its quote is never closed. */
static const char *
pair_value_end(const char *value)
{
	bool		quoted = *value == '\'';

	if (quoted)
		value++;
	for (; *value != '\0'; value++)
	{
		if (*value == '\\' && value[1] != '\0')
			value++;
		else if (quoted && *value == '\'')
			return value + 1;
		else if (!quoted && strchr(" \t\n\v\f\r", *value) != NULL)
			return value;
	}
	return quoted ? NULL : value;
}

/* postgresql://[user[:password]@]hosts[/database][?name=value&...] */
static bool
redact_uri(const char *text, Output *output)
{
	const char *hosts;
	const char *query;
	const char *at = strchr(text, '@');

	if (strncmp(text, "postgresql://", 13) != 0 &&
		strncmp(text, "postgres://", 11) != 0)
		return false;
	hosts = strstr(text, "://") + 3;
	add(output, text, (size_t) (hosts - text));
	if (at != NULL)
	{
		const char *colon = memchr(hosts, ':', (size_t) (at - hosts));
		size_t		user_bytes = (size_t) ((colon ? colon : at) - hosts);

		/* a password with "@" or "/" not encoded: not to be told from hosts */
		if (strchr(at + 1, '@') != NULL ||
			memchr(hosts, '/', (size_t) (at - hosts)) != NULL)
			return false;
		add(output, hosts, user_bytes);
		if (colon != NULL)
			add(output, ":" HIDDEN, strlen(":" HIDDEN));
		hosts = at;
	}
	query = strchr(hosts, '?');
	if (query == NULL)
	{
		add(output, hosts, strlen(hosts));
		return true;
	}
	add(output, hosts, (size_t) (query - hosts));
	return redact_query(query, output);
}

/* query begins at its "?". */
static bool
redact_query(const char *query, Output *output)
{
	while (*query != '\0')
	{
		const char *name = query + 1;
		size_t		name_bytes = strcspn(name, "=&");
		const char *value = name + name_bytes;
		size_t		value_bytes = strcspn(value, "&");

		/* an encoded name may spell "password" */
		if (*value != '=' ||
			(!is_secret(name, name_bytes) && !is_shown(name, name_bytes)))
			return false;
		add(output, query, 1 + name_bytes);
		if (is_secret(name, name_bytes))
			add(output, "=" HIDDEN, strlen("=" HIDDEN));
		else
			add(output, value, value_bytes);
		query = value + value_bytes;
	}
	return true;
}

/* password, sslpassword, and whatever later versions call like that */
static bool
is_secret(const char *name, size_t bytes)
{
	static const char *const parts[] = {"password", "secret", "scram_"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (memmem(name, bytes, parts[i], strlen(parts[i])) != NULL)
			return true;
	return false;
}

static bool
is_shown(const char *name, size_t bytes)
{
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (strlen(keywords[i]) == bytes &&
			memcmp(name, keywords[i], bytes) == 0)
			return true;
	return false;
}

static void
add(Output *output, const char *text, size_t bytes)
{
	if (bytes >= output->size - output->bytes)
		output->overflow = true;
	if (output->overflow)
		return;
	memcpy(output->text + output->bytes, text, bytes);
	output->bytes += bytes;
}
