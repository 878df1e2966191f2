/*
 * What the bridge says of itself: one word for its state, and, when it does
 * not get on, what is wrong in plain words.  The log, /ready, the metrics and
 * docs/metrics.md take their words from here.  Pure.
 */
#ifndef FINTRANS_READINESS_H
#define FINTRANS_READINESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consumer.h"
#include "lag_list.h"

/* The states: X(enumerator, word, meaning). */
#define BRIDGE_STATES(X) \
	X(STARTING, "starting", \
	  "connects to the database, and checks it; takes no partition yet") \
	X(LOADING, "loading", "loads its partitions") \
	X(WAITING, "waiting", \
	  "has no partitions yet, or looks up where they begin") \
	X(RETRYING, "retrying", \
	  "the database or Kafka does not do what is asked; it is asked again " \
	  "until it does") \
	X(HALTED, "halted", \
	  "a partition is not loaded until a human decides; the others are") \
	X(STOPPING, "stopping", \
	  "stores what has been read, and ends")

typedef enum BridgeState
{
#define X(enumerator, word, meaning) STATE_##enumerator,
	BRIDGE_STATES(X)
#undef X
	BRIDGE_STATE_COUNT
} BridgeState;

/* Why it is not ready: X(enumerator, word, meaning). */
#define READINESS_CAUSES(X) \
	X(STARTING, "starting", \
	  "the database has not been checked yet") \
	X(DATABASE, "database", \
	  "the database does not answer, or refuses the batch for now") \
	X(KAFKA, "kafka", "no broker answers") \
	X(TOPIC, "topic", \
	  "Kafka does not have a topic, or does not let the bridge read it") \
	X(ASSIGNMENT, "assignment", \
	  "the group has given no partitions yet, or it is not known yet where " \
	  "they begin") \
	X(HALTED, "halted", \
	  "a partition waits for a human, for another reason than the next") \
	X(UNREADABLE, "unreadable", \
	  "a partition waits for a human, since hardly anything of it can be " \
	  "read: --max-reject-percent") \
	X(UNANSWERED, "unanswered", \
	  "a partition has no leader, or its broker does not answer") \
	X(STALLED, "stalled", \
	  "messages of a partition are not stored, and nothing else says why") \
	X(MAIN_LOOP, "main_loop", "the main loop stands still") \
	X(STOPPING, "stopping", "the bridge ends")

typedef enum ReadinessCause
{
#define X(enumerator, word, meaning) CAUSE_##enumerator,
	READINESS_CAUSES(X)
#undef X
	READINESS_CAUSE_COUNT
} ReadinessCause;

/* Room for all reasons; of more than fit, their number is told. */
#define READINESS_BYTES 16384

/* What is known at a moment; texts are NULL when nothing is wrong. */
typedef struct ReadinessFacts
{
	bool		stopping;
	bool		starting;
	bool		assigned;		/* the group gave partitions, if only none */
	bool		loading;		/* and they are being fetched */
	const char *group;
	const char *database;		/* what is wrong with it */
	const char *kafka;			/* likewise */
	const char *positions;		/* why they could not be looked up */
	const ConsumerTopic *topics;
	size_t		topic_count;
	const LagList *partitions;
	int64_t		now_ms;			/* monotonic */
	int64_t		idle_ms;		/* when there was no message to take at last,
								 * monotonic */
	int64_t		patience_ms;	/* how long a message may be lingering */
} ReadinessFacts;

typedef struct Readiness
{
	BridgeState state;
	bool		causes[READINESS_CAUSE_COUNT];
	char		reasons[READINESS_BYTES];	/* a line each; "" when ready */
} Readiness;

extern const char *const bridge_state_words[BRIDGE_STATE_COUNT];
extern const char *const readiness_cause_words[READINESS_CAUSE_COUNT];

extern void readiness_judge(Readiness *readiness,
							const ReadinessFacts *facts);

/* Make one line of what others said, which commands no terminal. */
extern void readiness_clean_line(char *line);

extern bool readiness_is_ready(const Readiness *readiness);

#endif							/* FINTRANS_READINESS_H */
