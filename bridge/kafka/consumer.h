/*
 * The Kafka side of the bridge: group membership, messages one at a time, and
 * what Kafka knows of a partition.  The bridge's only user of librdkafka.  To
 * be used by one thread; a watch that it may start has one of its own.
 *
 * Rebalances come as events.  After CONSUMER_ASSIGNED nothing is fetched until
 * consumer_fetch(); polling goes on meanwhile, so that a slow database does
 * not cost the membership.  CONSUMER_REVOKED must be answered by
 * consumer_give_up().
 */
#ifndef FINTRANS_CONSUMER_H
#define FINTRANS_CONSUMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "kafka_properties.h"
#include "offset_list.h"

typedef struct Consumer Consumer;

typedef struct ConsumerSettings
{
	const char *brokers;		/* HOST:PORT,.. */
	const char *group;
	const char *topics;			/* NAME,.. */
	KafkaProperties *properties;	/* the user's; they win.  Secrets in files are
								 * read again when the broker refuses them */
} ConsumerSettings;

typedef enum ConsumerEvent
{
	CONSUMER_NOTHING,
	CONSUMER_MESSAGE,
	CONSUMER_END,				/* no message below message.offset is missing:
								 * the partition's end */
	CONSUMER_ASSIGNED,			/* the group gave consumer_assigned() */
	CONSUMER_REVOKED,			/* the group took it back */
	CONSUMER_ASTRAY,			/* Kafka does not have a fetched position, or
								 * a topic no more, or another one */
	CONSUMER_FATAL				/* consumer_error() says why */
} ConsumerEvent;

/* Valid until the next poll. */
typedef struct ConsumerMessage
{
	size_t		slot;			/* index in the list given to consumer_fetch */
	BatchMessage message;
} ConsumerMessage;

/* Kafka calls that ask a broker wait at most this long. */
#define CONSUMER_TIMEOUT_MS 5000

/*
 * Are these settings possible?  Asks no broker.  False with errstr when a
 * property is refused, by librdkafka or because exactly-once depends on it.
 */
extern bool consumer_check(const ConsumerSettings *settings,
						   char *errstr, size_t errstr_size);

/*
 * Open a client and join the group.  NULL with errstr when that fails.
 */
extern Consumer *consumer_open(const ConsumerSettings *settings,
							   char *errstr, size_t errstr_size);

/* Without a poll for so long, the group takes the partitions away. */
extern int64_t consumer_poll_limit_ms(const Consumer *consumer);

/* Wait at most timeout_ms for an event. */
extern ConsumerEvent consumer_poll(Consumer *consumer, int timeout_ms,
								   ConsumerMessage *message);

/* What the group assigned, sorted; with ids once they have been asked for. */
extern const OffsetList *consumer_assigned(const Consumer *consumer);

/* The membership itself was lost: others may load the partitions already. */
extern bool consumer_was_lost(const Consumer *consumer);

/*
 * Fetch these partitions, from these offsets, and no others; what was fetched
 * before is discarded.  May be called again; an empty list fetches nothing and
 * keeps the membership.
 */
extern bool consumer_fetch(Consumer *consumer, const OffsetList *positions,
						   char *errstr, size_t errstr_size);

/* Answer to CONSUMER_REVOKED. */
extern void consumer_give_up(Consumer *consumer);

/*
 * Partitions that a topic has, 0 with errstr when Kafka does not tell; false
 * when no broker could be asked.
 */
extern bool consumer_count_partitions(Consumer *consumer, const char *topic,
									  int32_t *count,
									  char *errstr, size_t errstr_size);

/*
 * How many of the topics that were asked for Kafka has; missing is the first
 * it does not have, with the reason in errstr, NULL for none.  False when no
 * broker could be asked.
 */
extern bool consumer_count_topics(Consumer *consumer, size_t *count,
								  const char **missing,
								  char *errstr, size_t errstr_size);

/*
 * Give each partition the id of its topic, "" when Kafka does not tell it, or
 * this librdkafka cannot ask.  The other form does so for what is assigned; from
 * then on a topic of which the watch sees another id is CONSUMER_ASTRAY.
 */
extern void consumer_tell_topic_ids(Consumer *consumer,
									OffsetList *partitions);
extern void consumer_ask_topic_ids(Consumer *consumer);

/* In place of an offset that no broker told. */
#define CONSUMER_NO_ANSWER INT64_MIN

/*
 * Low or high watermarks of partitions, or the first offsets not older than a
 * time (ms since 1970; -1 when there is none), asked of the brokers.  Each
 * broker waits for itself: a partition without a leader, or with one that is
 * away, gets CONSUMER_NO_ANSWER, and one that stands with it in `partitions`
 * is not asked for.  False when no broker could be asked.
 */
extern bool consumer_low_watermarks(Consumer *consumer,
									const OffsetList *partitions,
									OffsetList *offsets,
									char *errstr, size_t errstr_size);
extern bool consumer_high_watermarks(Consumer *consumer,
									 const OffsetList *partitions,
									 OffsetList *offsets,
									 char *errstr, size_t errstr_size);
extern bool consumer_offsets_at(Consumer *consumer, int64_t ms,
								const OffsetList *partitions,
								OffsetList *offsets,
								char *errstr, size_t errstr_size);

/*
 * High watermark of a fetched partition as of its latest fetch, negative when
 * there was none yet; asks no broker.
 */
extern int64_t consumer_known_high_watermark(Consumer *consumer,
											 const char *topic,
											 int32_t partition);

/*
 * Write positions to Kafka for its lag tools, without waiting.  fintrans
 * itself never reads them.
 */
extern void consumer_publish(Consumer *consumer, const OffsetList *positions);

#define CONSUMER_TROUBLE_BYTES 400

/* A topic that was asked for. */
typedef struct ConsumerTopic
{
	const char *topic;			/* the consumer's */
	char		reason[128];	/* why it cannot be loaded; "" when it can */
} ConsumerTopic;

/* What a watch has seen.  Begin with {0}. */
typedef struct ConsumerView
{
	char		trouble[CONSUMER_TROUBLE_BYTES];	/* "" when Kafka answers */
	ConsumerTopic *topics;
	size_t		topic_count;
	OffsetList	ends;			/* high watermarks, or CONSUMER_NO_ANSWER */
} ConsumerView;

/*
 * Watch Kafka: whether it answers, whether it has the topics, and how far the
 * partitions assigned reach, every few seconds until the consumer is closed.
 */
extern bool consumer_watch(Consumer *consumer, char *errstr,
						   size_t errstr_size);

/*
 * What has been seen so far; the watch goes on with what is assigned now.
 * False without a watch, or when memory is short.
 */
extern bool consumer_look(Consumer *consumer, ConsumerView *view);
extern void consumer_view_free(ConsumerView *view);

/*
 * Log in to brokers with another name and password from now on; connections
 * that are open stay open.
 */
extern bool consumer_set_credentials(Consumer *consumer, const char *user,
									 const char *password,
									 char *errstr, size_t errstr_size);

/* Reason of CONSUMER_FATAL. */
extern const char *consumer_error(const Consumer *consumer);

/*
 * Leave the group and end the client; names of topics that were handed out
 * stay.  librdkafka 2.0.2 can hang here: the caller guards it with a timer.
 */
extern void consumer_close(Consumer *consumer);

/* Free what is left of a closed one, names and all; NULL is none. */
extern void consumer_free(Consumer *consumer);

#endif							/* FINTRANS_CONSUMER_H */
