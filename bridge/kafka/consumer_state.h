/*
 * The state of the consumer, and what its files need of each other.  Private
 * to them: consumer.c (membership, messages), consumer_offsets.c (what Kafka
 * tells about partitions), consumer_topic_ids.c (and topics), consumer_watch.c
 * (whether it tells anything) and consumer_log.c (what librdkafka logs).
 */
#ifndef FINTRANS_CONSUMER_STATE_H
#define FINTRANS_CONSUMER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include <librdkafka/rdkafka.h>

#include "consumer.h"
#include "kafka_client.h"
#include "slot_map.h"
#include "topic_list.h"

typedef struct ConsumerWatch ConsumerWatch;

struct Consumer
{
	rd_kafka_t *client;
	rd_kafka_message_t *message;	/* handed out by the latest poll */
	rd_kafka_queue_t *log_queue;
	int			polls;			/* since the log was looked at */
	SlotMap		slots;			/* handles are rd_kafka_topic_t, held so that
								 * messages' handles stay the same */
	TopicList	topics;			/* subscribed to */
	OffsetList	assigned;		/* by the group */
	int64_t		poll_limit_ms;	/* max.poll.interval.ms */
	ConsumerEvent pending;		/* a callback's, not yet reported */
	bool		lost;			/* the latest revocation */
	atomic_bool closing;
	atomic_bool made_anew;		/* the watch has seen it of a topic */
	bool		failed;			/* for good: error says why */
	char		error[512];
	ConsumerWatch *watch;		/* NULL for none */
	pthread_mutex_t lock;		/* of what follows */
	Trouble		trouble;
	char		latest_trouble[CONSUMER_TROUBLE_BYTES];
	int64_t		latest_trouble_ms;	/* monotonic */
	KafkaProperties *properties;	/* the caller's; changed by the main thread */
	bool		refused;		/* by the broker, the password was */
	int64_t		renew_ms;		/* when to look for a new one, monotonic */
};

/* The topic with a handle of its own; NULL when memory is short. */
extern SlotTopic *consumer_keep_topic(Consumer *consumer, const char *name);

/* Log it, unless the same kind has just been logged.  Safe in any thread. */
extern void consumer_note_trouble(Consumer *consumer, int code,
								  const char *event, const char *text);

/* What was noted last; "" when that is longer ago.  Safe in any thread. */
extern void consumer_latest_trouble(Consumer *consumer, int64_t within_ms,
									char *text, size_t size);

extern void consumer_watch_stop(ConsumerWatch *watch);

/* Write what librdkafka has logged since; bounded, for after each poll. */
extern void consumer_log_open(Consumer *consumer);
extern void consumer_log_serve(Consumer *consumer);
extern void consumer_log_close(Consumer *consumer);

#endif							/* FINTRANS_CONSUMER_STATE_H */
