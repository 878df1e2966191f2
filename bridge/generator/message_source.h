/*
 * Where the generator's messages come from: random ones, some of them planted,
 * or those of a file.  Knows no Kafka.
 */
#ifndef FINTRANS_MESSAGE_SOURCE_H
#define FINTRANS_MESSAGE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As the options of fintrans-generator say; see there. */
typedef struct SourceSettings
{
	int64_t		count;
	int64_t		accounts;
	int64_t		max_amount;
	int64_t		seed;
	int64_t		days;
	const char *plant;
	int64_t		plant_each;
	const char *format;
	const char *file;
	const char *columns;
	const char *time_unit;
	const char *time_origin;
} SourceSettings;

/* A message without a time of its own. */
#define MESSAGE_NO_TIME INT64_C(-1)

typedef struct Message
{
	const char *payload;		/* valid until the next one is made */
	size_t		bytes;
	const char *key;			/* valid as long */
	size_t		key_bytes;
	int64_t		event_time_ms;	/* or MESSAGE_NO_TIME */
	uint32_t	topic;			/* number of the topic chosen */
	bool		planted;
} Message;

typedef enum MessageOutcome
{
	MESSAGE_MADE,
	MESSAGE_END,
	MESSAGE_FAILED				/* errstr says why */
} MessageOutcome;

typedef struct MessageSource MessageSource;

/*
 * NULL with errstr when the settings cannot be used.  The settings, which must
 * outlive it, have a seed only if seed_given.
 */
extern MessageSource *message_source_open(const SourceSettings *settings,
										  bool seed_given,
										  char *errstr, size_t errstr_size);

/* The message after so many others, for one of so many topics. */
extern MessageOutcome message_source_next(MessageSource *source,
										  uint64_t made, uint32_t topics,
										  Message *message,
										  char *errstr, size_t errstr_size);

/* The message made last was sent; false with errstr if that went unnoted. */
extern bool message_source_sent(MessageSource *source,
								const Message *message,
								char *errstr, size_t errstr_size);

/* Line of the file where the last message began; 0 without a file. */
extern uint64_t message_source_line(const MessageSource *source);

/* False with errstr if what was planted could not be noted; may be NULL. */
extern bool message_source_close(MessageSource *source,
								 char *errstr, size_t errstr_size);

#endif							/* FINTRANS_MESSAGE_SOURCE_H */
