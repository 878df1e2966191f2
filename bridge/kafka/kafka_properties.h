/*
 * librdkafka properties as the user gave them: -X name=value and -F file, in
 * kcat's form.  Knows no librdkafka: whoever opens a client applies them.
 *
 * A secret NAME can also be given as NAME.file=PATH or NAME.env=VARIABLE, and
 * on the command line only so.
 */
#ifndef FINTRANS_KAFKA_PROPERTIES_H
#define FINTRANS_KAFKA_PROPERTIES_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"

typedef struct KafkaProperty
{
	char	   *name;
	char	   *value;
	char	   *file;			/* that the value was read from, or NULL */
} KafkaProperty;

typedef struct KafkaProperties
{
	KafkaProperty *items;		/* in the order to be applied */
	size_t		count;
} KafkaProperties;

/*
 * Read file first (NULL or "" for none; lines name=value, # comments, blanks
 * around name and value trimmed, CRLF and a missing last newline accepted),
 * then the pairs of list, which so override it.  False with errstr naming
 * file and line, or the pair.
 */
extern bool kafka_properties_read(KafkaProperties *properties,
								  const char *file, const OptionList *list,
								  char *errstr, size_t errstr_size);

/* A copy, which is renewed on its own; false when memory is short. */
extern bool kafka_properties_copy(KafkaProperties *copy,
								  const KafkaProperties *properties);

/* True for properties whose value must never be shown (passwords, keys). */
extern bool kafka_property_is_secret(const char *name);

/*
 * Read the files of secrets again.  True when one has another secret now;
 * errstr becomes empty, or says which one cannot be read and keeps its value.
 */
extern bool kafka_properties_renew(KafkaProperties *properties,
								   char *errstr, size_t errstr_size);

/*
 * text without the secrets of these properties, in buffer; returned as well.
 * For all that librdkafka says.
 */
extern const char *kafka_properties_hide(const KafkaProperties *properties,
										 const char *text, char *buffer,
										 size_t size);

/* The value of the last property of this name, or NULL. */
extern const char *kafka_properties_value(const KafkaProperties *properties,
										  const char *name);

/*
 * Give the last property of this name, if there is one, another value; without
 * memory it keeps the old one.
 */
extern void kafka_properties_set(KafkaProperties *properties,
								 const char *name, const char *value);

extern void kafka_properties_free(KafkaProperties *properties);

#endif							/* FINTRANS_KAFKA_PROPERTIES_H */
