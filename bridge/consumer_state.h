/*
 * The state of the consumer, and what its two files need of each other.
 * Private to them: consumer.c (membership, messages) and consumer_offsets.c
 * (what Kafka tells about partitions).
 */
#ifndef FINTRANS_CONSUMER_STATE_H
#define FINTRANS_CONSUMER_STATE_H

#include <librdkafka/rdkafka.h>

#include "consumer.h"
#include "slot_map.h"
#include "topic_list.h"
#include "trouble.h"

struct Consumer
{
	rd_kafka_t *client;
	rd_kafka_message_t *message;	/* handed out by the latest poll */
	SlotMap		slots;			/* handles are rd_kafka_topic_t, held so that
								 * messages' handles stay the same */
	TopicList	topics;			/* subscribed to */
	OffsetList	assigned;		/* by the group */
	ConsumerEvent pending;		/* a callback's, not yet reported */
	bool		lost;			/* the latest revocation */
	bool		closing;
	bool		failed;			/* for good: error says why */
	char		error[512];
	Trouble		trouble;
};

/* The topic with a handle of its own; NULL when memory is short. */
extern SlotTopic *consumer_keep_topic(Consumer *consumer, const char *name);

/* Log it, unless the same kind has just been logged. */
extern void consumer_note_trouble(Consumer *consumer, int code,
								  const char *event, const char *text);

#endif							/* FINTRANS_CONSUMER_STATE_H */
