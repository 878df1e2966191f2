/*
 * Reads librdkafka properties from a file and from -X pairs, and knows which
 * of them are secrets, where those come from, and how to keep them out of
 * texts.
 */
#include "kafka_properties.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair_file.h"
#include "secret_file.h"
#include "text_file.h"

/* Room for certificates, which are written in one line. */
#define LINE_MAX_BYTES 65535

/* Texts in the names of properties that hold secrets. */
static const char *const secret_parts[] = {
	"password", "passphrase", "secret", "token", "jaas",
	"sasl.oauthbearer.config", "key.pem", "ssl_key", NULL
};

/* Ends of such names, when it is not the secret that follows. */
#define FROM_FILE ".file"
#define FROM_ENVIRONMENT ".env"
static const char *const open_ends[] = {
	FROM_FILE, FROM_ENVIRONMENT, ".url", ".location", NULL
};

/* A shorter text is found everywhere, and hiding it would tell it. */
#define HIDDEN "(hidden)"
#define HIDE_FROM_BYTES 4

static bool read_file(KafkaProperties *properties, const char *path,
					  char *errstr, size_t errstr_size);
static bool add_line(KafkaProperties *properties, const char *path,
					 TextFile *file, char *errstr, size_t errstr_size);
static bool add_file_line(KafkaProperties *properties, char *text,
						  char *errstr, size_t errstr_size);
static bool add_pair(KafkaProperties *properties, const char *pair,
					 char *errstr, size_t errstr_size);
static bool append(KafkaProperties *properties, const char *name,
				   const char *value, char *errstr, size_t errstr_size);
static bool fill(KafkaProperty *item, const char *name, const char *value,
				 char *errstr, size_t errstr_size);
static char *read_reference(const char *from, const char *value,
							char *errstr, size_t errstr_size);
static const char *reference_of(const char *name);
static KafkaProperty *find_last(const KafkaProperties *properties,
								const char *name);
static size_t secret_at(const KafkaProperties *properties, const char *text);
static const char *next_part(const char *part);
static void free_item(KafkaProperty *item);
static void warn_if_open_to_others(const KafkaProperties *properties,
								   const char *path);
static bool ends_with(const char *text, const char *end);

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
kafka_properties_copy(KafkaProperties *copy, const KafkaProperties *properties)
{
	*copy = (KafkaProperties) {
		calloc(properties->count + 1, sizeof(*copy->items)), 0
	};
	for (size_t i = 0; copy->items != NULL && i < properties->count; i++)
	{
		const KafkaProperty *from = &properties->items[i];
		KafkaProperty *to = &copy->items[copy->count++];

		to->name = strdup(from->name);
		to->value = strdup(from->value);
		to->file = from->file != NULL ? strdup(from->file) : NULL;
		if (to->name != NULL && to->value != NULL &&
			(from->file == NULL) == (to->file == NULL))
			continue;
		kafka_properties_free(copy);
		return false;
	}
	return copy->items != NULL;
}

bool
kafka_property_is_secret(const char *name)
{
	for (size_t i = 0; open_ends[i] != NULL; i++)
	{
		if (ends_with(name, open_ends[i]))
			return false;
	}
	for (size_t i = 0; secret_parts[i] != NULL; i++)
	{
		if (strcasestr(name, secret_parts[i]) != NULL)
			return true;
	}
	return false;
}

bool
kafka_properties_renew(KafkaProperties *properties, char *errstr,
					   size_t errstr_size)
{
	bool		is_changed = false;

	errstr[0] = '\0';
	for (size_t i = 0; i < properties->count; i++)
	{
		KafkaProperty *item = &properties->items[i];
		char	   *value = item->file == NULL ? NULL :
			read_reference(FROM_FILE, item->file, errstr, errstr_size);

		if (value == NULL || strcmp(value, item->value) == 0)
		{
			secret_file_free(value);
			continue;
		}
		secret_file_free(item->value);
		item->value = value;
		is_changed = true;
	}
	return is_changed;
}

const char *
kafka_properties_hide(const KafkaProperties *properties, const char *text,
					  char *buffer, size_t size)
{
	size_t		used = 0;

	while (*text != '\0' && used + 1 < size)
	{
		size_t		bytes = secret_at(properties, text);

		if (bytes == 0)
			buffer[used++] = *text++;
		else
		{
			used += (size_t) snprintf(buffer + used, size - used, HIDDEN);
			text += bytes;
		}
	}
	buffer[used < size ? used : size - 1] = '\0';
	return buffer;
}

const char *
kafka_properties_value(const KafkaProperties *properties, const char *name)
{
	const KafkaProperty *item = find_last(properties, name);

	return item != NULL ? item->value : NULL;
}

void
kafka_properties_set(KafkaProperties *properties, const char *name,
					 const char *value)
{
	KafkaProperty *item = find_last(properties, name);
	char	   *copy = item != NULL ? strdup(value) : NULL;

	if (copy == NULL)
		return;
	secret_file_free(item->value);
	item->value = copy;
}

void
kafka_properties_free(KafkaProperties *properties)
{
	for (size_t i = 0; i < properties->count; i++)
		free_item(&properties->items[i]);
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
	const char *added;

	text = pair_trim(text);
	if (*text == '\0' || *text == '#')
		return true;
	if (!pair_split(text, &name, &value, errstr, errstr_size) ||
		!append(properties, name, value, errstr, errstr_size))
		return false;
	added = properties->items[properties->count - 1].name;
	for (size_t i = 0; i + 1 < properties->count; i++)
	{
		if (strcmp(properties->items[i].name, added) == 0)
		{
			snprintf(errstr, errstr_size,
					 "property \"%.64s\" was given before", added);
			return false;
		}
	}
	return true;
}

static bool
add_pair(KafkaProperties *properties, const char *pair,
		 char *errstr, size_t errstr_size)
{
	char	   *copy = strdup(pair);
	char	   *name;
	char	   *value;
	char		reason[300];
	bool		ok;

	if (copy == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		return false;
	}
	ok = pair_split(copy, &name, &value, reason, sizeof(reason));
	if (ok && kafka_property_is_secret(name))
	{
		snprintf(reason, sizeof(reason), "property \"%.64s\" is a secret, which"
				 " the list of processes would show: put it into a file for"
				 " -F, or name its own file by %.64s" FROM_FILE "=PATH", name,
				 name);
		ok = false;
	}
	ok = ok && append(properties, name, value, reason, sizeof(reason));
	if (!ok)
		snprintf(errstr, errstr_size, "option -X: %s", reason);
	free(copy);
	return ok;
}

static bool
append(KafkaProperties *properties, const char *name, const char *value,
	   char *errstr, size_t errstr_size)
{
	KafkaProperty *items = realloc(properties->items,
								   (properties->count + 1) * sizeof(*items));
	KafkaProperty item = {0};

	snprintf(errstr, errstr_size, "out of memory");
	if (items == NULL)
		return false;
	properties->items = items;
	if (!fill(&item, name, value, errstr, errstr_size))
	{
		free_item(&item);
		return false;
	}
	properties->items[properties->count++] = item;
	return true;
}

/* errstr has been filled for a lack of memory. */
static bool
fill(KafkaProperty *item, const char *name, const char *value, char *errstr,
	 size_t errstr_size)
{
	const char *from = reference_of(name);

	if (from == NULL)
	{
		item->name = strdup(name);
		item->value = strdup(value);
		return item->name != NULL && item->value != NULL;
	}
	item->name = strndup(name, (size_t) (from - name));
	item->value = read_reference(from, value, errstr, errstr_size);
	if (strcmp(from, FROM_FILE) != 0)
		return item->name != NULL && item->value != NULL;
	item->file = strdup(value);
	if (item->value == NULL || item->name == NULL || item->file == NULL)
		return false;
	secret_file_warn(value);
	return true;
}

/* The secret that a file or a variable holds; not an empty one. */
static char *
read_reference(const char *from, const char *value, char *errstr,
			   size_t errstr_size)
{
	bool		is_file = strcmp(from, FROM_FILE) == 0;
	const char *variable = is_file ? NULL : getenv(value);
	char	   *secret;

	if (is_file)
		secret = secret_file_read(value, errstr, errstr_size);
	else
		secret = strdup(variable != NULL ? variable : "");
	if (secret == NULL || *secret != '\0')
		return secret;
	snprintf(errstr, errstr_size, "%s \"%.128s\" %s",
			 is_file ? "file" : "variable", value,
			 is_file ? "is empty" : "is not set");
	secret_file_free(secret);
	return NULL;
}

/* Where the name's end begins that tells where its secret is, or NULL. */
static const char *
reference_of(const char *name)
{
	static const char *const ends[] = {FROM_FILE, FROM_ENVIRONMENT};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
	{
		char		base[128];
		size_t		bytes = strlen(name) - strlen(ends[i]);

		if (!ends_with(name, ends[i]) || bytes >= sizeof(base))
			continue;
		memcpy(base, name, bytes);
		base[bytes] = '\0';
		if (kafka_property_is_secret(base))
			return name + bytes;
	}
	return NULL;
}

static KafkaProperty *
find_last(const KafkaProperties *properties, const char *name)
{
	for (size_t i = properties->count; i > 0; i--)
		if (strcmp(properties->items[i - 1].name, name) == 0)
			return &properties->items[i - 1];
	return NULL;
}

/*
 * The length of the secret that text begins with, 0 for none.  Of one that has
 * parts librdkafka may tell the rest that it did not understand.
 */
static size_t
secret_at(const KafkaProperties *properties, const char *text)
{
	size_t		longest = 0;

	for (size_t i = 0; i < properties->count; i++)
	{
		const KafkaProperty *item = &properties->items[i];

		if (!kafka_property_is_secret(item->name))
			continue;
		for (const char *part = item->value; part != NULL;
			 part = next_part(part))
		{
			size_t		bytes = strlen(part);

			if (bytes >= HIDE_FROM_BYTES && bytes > longest &&
				strncmp(text, part, bytes) == 0)
				longest = bytes;
		}
	}
	return longest;
}

/* What follows the next separator, or NULL. */
static const char *
next_part(const char *part)
{
	part += strcspn(part, " \t\r\n=\"'");
	return *part != '\0' ? part + 1 : NULL;
}

static void
free_item(KafkaProperty *item)
{
	free(item->name);
	secret_file_free(item->value);
	free(item->file);
}

static void
warn_if_open_to_others(const KafkaProperties *properties, const char *path)
{
	for (size_t i = 0; i < properties->count; i++)
	{
		if (properties->items[i].file == NULL &&
			kafka_property_is_secret(properties->items[i].name))
		{
			secret_file_warn(path);
			return;
		}
	}
}

static bool
ends_with(const char *text, const char *end)
{
	size_t		text_bytes = strlen(text);
	size_t		end_bytes = strlen(end);

	return text_bytes >= end_bytes &&
		strcmp(text + text_bytes - end_bytes, end) == 0;
}
