/*
 * The Kafka producer of fintrans-generator: keyed messages, each of them
 * accounted for until it is delivered or given up.
 *
 * Not safe for several threads; all reports arrive within producer_send() and
 * producer_wait().
 */
#ifndef FINTRANS_PRODUCER_H
#define FINTRANS_PRODUCER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kafka_properties.h"

/* For event_time_ms: the moment of sending. */
#define PRODUCER_NOW INT64_C(0)

typedef struct Producer Producer;

/* sent = delivered + failed + those still under way. */
typedef struct ProducerCounts
{
	uint64_t	sent;			/* taken over by producer_send() */
	uint64_t	delivered;		/* acknowledged by the broker */
	uint64_t	failed;			/* given up */
} ProducerCounts;

typedef enum ProducerOutcome
{
	PRODUCER_SENT,
	PRODUCER_FULL,				/* wait, then try again */
	PRODUCER_FAILED				/* this message, or all (see errstr) */
} ProducerOutcome;

/*
 * Make a producer for the comma-separated brokers and topics; properties,
 * which must outlive it, override what this file sets.  Connects in the
 * background: brokers that do not answer are logged, not an error.  NULL with
 * errstr when the settings are wrong; to be closed with producer_close().
 */
extern Producer *producer_open(const char *brokers, const char *topics,
							   const KafkaProperties *properties,
							   char *errstr, size_t errstr_size);

/* How many topics there are: from 1 on. */
extern uint32_t producer_topic_count(const Producer *producer);

/*
 * Hand over a message for a topic, counted from 0, with a key, or none when
 * that has 0 bytes.  Both are copied.
 */
extern ProducerOutcome producer_send(Producer *producer, uint32_t topic,
									 const char *payload, size_t bytes,
									 const char *key, size_t key_bytes,
									 int64_t event_time_ms,
									 char *errstr, size_t errstr_size);

/* Take reports; when there are none, wait for one at most so long. */
extern void producer_wait(Producer *producer, int timeout_ms);

/* Send what waits for company, and take reports for at most so long. */
extern void producer_flush(Producer *producer, int timeout_ms);

extern const ProducerCounts *producer_counts(const Producer *producer);

/* Messages whose fate is open. */
extern uint64_t producer_under_way(const Producer *producer);

/* Why the first message failed; "" when none has. */
extern const char *producer_first_failure(const Producer *producer);

/* Drops what is under way.  producer may be NULL. */
extern void producer_close(Producer *producer);

#endif							/* FINTRANS_PRODUCER_H */
