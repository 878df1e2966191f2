/*
 * What librdkafka's errors mean, for people who know their Kafka and not its
 * protocol.  Pure.
 */
#ifndef FINTRANS_KAFKA_CAUSE_H
#define FINTRANS_KAFKA_CAUSE_H

#include <stddef.h>

typedef struct KafkaCause
{
	const char *error;			/* librdkafka's name of the error, NULL for any */
	const char *part;			/* of its text, NULL for any */
	const char *other_part;		/* of its text as well, or NULL */
	const char *event;			/* what fails, and what is done about it */
	const char *cause;			/* why */
} KafkaCause;

/* NULL when the text has to speak for itself. */
extern const KafkaCause *kafka_cause_find(const char *error,
										  const char *text);

/* Causes that are told apart have other numbers, from 1 on; 0 for NULL. */
extern int	kafka_cause_number(const KafkaCause *cause);

#endif							/* FINTRANS_KAFKA_CAUSE_H */
