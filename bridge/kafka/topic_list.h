/*
 * Names of Kafka topics as an option gives them: with commas between.  Pure
 * but for its memory.
 */
#ifndef FINTRANS_TOPIC_LIST_H
#define FINTRANS_TOPIC_LIST_H

#include <stdbool.h>
#include <stddef.h>

#define TOPIC_MAX_BYTES 249

/* Of Kafka's id of a topic, in base64, with the NUL. */
#define TOPIC_ID_BYTES 24

typedef struct TopicList
{
	char	  **names;			/* each once */
	size_t		count;
} TopicList;

/* Would Kafka accept a topic of this name? */
extern bool topic_name_is_valid(const char *name);

/* What such a name is made of, for messages about one that is not. */
extern const char topic_name_rule[];

/*
 * Read a list; false with errstr, and nothing to free, when it has no name or
 * one that is none.
 */
extern bool topic_list_read(TopicList *list, const char *text,
							char *errstr, size_t errstr_size);

extern void topic_list_free(TopicList *list);

#endif							/* FINTRANS_TOPIC_LIST_H */
