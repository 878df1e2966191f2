/*
 * Reads librdkafka properties from a file and from -X pairs, and knows which
 * of them are secrets.
 */
#include "kafka_properties.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"
#include "text_file.h"

/* Room for certificates, which are written in one line. */
#define LINE_MAX_BYTES 65535

/* Texts in the names of properties that hold secrets. */
static const char *const secret_parts[] = {
	"password", "passphrase", "secret", "token", "jaas",
	"sasl.oauthbearer.config", "ssl.key.pem", "ssl_key", NULL
};

static bool read_file(KafkaProperties *properties, const char *path,
					  char *errstr, size_t errstr_size);
static bool add_line(KafkaProperties *properties, const char *path,
					 TextFile *file, char *errstr, size_t errstr_size);
static bool add_file_line(KafkaProperties *properties, char *text,
						  char *errstr, size_t errstr_size);
static bool add_pair(KafkaProperties *properties, const char *pair,
					 char *errstr, size_t errstr_size);
static bool split_pair(char *pair, char **name, char **value,
					   char *errstr, size_t errstr_size);
static bool append(KafkaProperties *properties, const char *name,
				   const char *value, char *errstr, size_t errstr_size);
static void warn_if_open_to_others(const KafkaProperties *properties,
								   const char *path);
static char *trim(char *text);

bool
kafka_properties_read(KafkaProperties *properties, const char *file,
					  const OptionList *list,
					  char *errstr, size_t errstr_size)
{
	bool		ok = true;

	*properties = (KafkaProperties) {0};
	if (file != NULL && file[0] != '\0')
		ok = read_file(properties, file, errstr, errstr_size);
	for (size_t i = 0; ok && i < list->count; i++)
		ok = add_pair(properties, list->values[i], errstr, errstr_size);
	if (!ok)
		kafka_properties_free(properties);
	return ok;
}

bool
kafka_property_is_secret(const char *name)
{
	for (size_t i = 0; secret_parts[i] != NULL; i++)
	{
		if (strcasestr(name, secret_parts[i]) != NULL)
			return true;
	}
	return false;
}

void
kafka_properties_free(KafkaProperties *properties)
{
	for (size_t i = 0; i < properties->count; i++)
	{
		free(properties->items[i].name);
		free(properties->items[i].value);
	}
	free(properties->items);
	*properties = (KafkaProperties) {0};
}

static bool
read_file(KafkaProperties *properties, const char *path,
		  char *errstr, size_t errstr_size)
{
	TextFile   *file = text_file_open(path, errstr, errstr_size);
	TextOutcome outcome = TEXT_FAILED;

	while (file != NULL &&
		   (outcome = text_file_read(file, LINE_MAX_BYTES, "\n",
									 errstr, errstr_size)) == TEXT_LINE)
	{
		if (!add_line(properties, path, file, errstr, errstr_size))
		{
			outcome = TEXT_FAILED;
			break;
		}
	}
	text_file_close(file);
	if (outcome == TEXT_END)
		warn_if_open_to_others(properties, path);
	return outcome == TEXT_END;
}

static bool
add_line(KafkaProperties *properties, const char *path, TextFile *file,
		 char *errstr, size_t errstr_size)
{
	size_t		bytes;
	char	   *text = text_file_line(file, &bytes);
	bool		has_nul = strlen(text) < bytes;
	char		reason[160] = "holds a NUL byte";

	if (text_file_lines(file) == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	if (!has_nul && add_file_line(properties, text, reason, sizeof(reason)))
		return true;
	snprintf(errstr, errstr_size, "file \"%s\", line %" PRIu64 ": %s", path,
			 text_file_lines(file), reason);
	return false;
}

/*
 * Add the property of a line, if it has one.  A name twice in a file is a
 * mistake that would otherwise show only in the client's behaviour.
 */
static bool
add_file_line(KafkaProperties *properties, char *text,
			  char *errstr, size_t errstr_size)
{
	char	   *name;
	char	   *value;

	text = trim(text);
	if (*text == '\0' || *text == '#')
		return true;
	if (!split_pair(text, &name, &value, errstr, errstr_size))
		return false;
	for (size_t i = 0; i < properties->count; i++)
	{
		if (strcmp(properties->items[i].name, name) == 0)
		{
			snprintf(errstr, errstr_size,
					 "property \"%.64s\" was given before", name);
			return false;
		}
	}
	return append(properties, name, value, errstr, errstr_size);
}

static bool
add_pair(KafkaProperties *properties, const char *pair,
		 char *errstr, size_t errstr_size)
{
	char	   *copy = strdup(pair);
	char	   *name;
	char	   *value;
	char		reason[160];
	bool		ok;

	if (copy == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		return false;
	}
	ok = split_pair(copy, &name, &value, reason, sizeof(reason)) &&
		append(properties, name, value, reason, sizeof(reason));
	if (!ok)
		snprintf(errstr, errstr_size, "option -X: %s", reason);
	free(copy);
	return ok;
}

/*
 * Split name=value in place, without the blanks around both.  What is no pair
 * is not repeated in the error: it may be a password in the wrong place.
 */
static bool
split_pair(char *pair, char **name, char **value,
		   char *errstr, size_t errstr_size)
{
	char	   *equals = strchr(pair, '=');

	if (equals == NULL)
	{
		snprintf(errstr, errstr_size,
				 "expected name=value, found no \"=\"");
		return false;
	}
	*equals = '\0';
	*name = trim(pair);
	*value = trim(equals + 1);
	if (**name == '\0')
	{
		snprintf(errstr, errstr_size,
				 "expected name=value, found no name before \"=\"");
		return false;
	}
	return true;
}

static bool
append(KafkaProperties *properties, const char *name, const char *value,
	   char *errstr, size_t errstr_size)
{
	KafkaProperty *items = realloc(properties->items,
								   (properties->count + 1) * sizeof(*items));
	KafkaProperty item = {NULL, NULL};

	if (items != NULL)
	{
		properties->items = items;
		item.name = strdup(name);
		item.value = strdup(value);
	}
	if (item.name == NULL || item.value == NULL)
	{
		free(item.name);
		free(item.value);
		snprintf(errstr, errstr_size, "out of memory");
		return false;
	}
	properties->items[properties->count++] = item;
	return true;
}

static void
warn_if_open_to_others(const KafkaProperties *properties, const char *path)
{
	struct stat status;
	char		quoted[256];

	if (stat(path, &status) != 0 || !S_ISREG(status.st_mode) ||
		(status.st_mode & S_IRWXO) == 0)
		return;
	for (size_t i = 0; i < properties->count; i++)
	{
		if (!kafka_property_is_secret(properties->items[i].name))
			continue;
		log_write(LOG_LEVEL_WARNING, "file with secrets is open to others",
				  "file=%s mode=%04o",
				  log_quote(path, quoted, sizeof(quoted)),
				  (unsigned) status.st_mode & 07777);
		return;
	}
}

/* text without blanks at its ends; cuts it in place. */
static char *
trim(char *text)
{
	const char *const blanks = " \t\r\n\v\f";
	size_t		bytes;

	text += strspn(text, blanks);
	bytes = strlen(text);
	while (bytes > 0 && strchr(blanks, text[bytes - 1]) != NULL)
		bytes--;
	text[bytes] = '\0';
	return text;
}
