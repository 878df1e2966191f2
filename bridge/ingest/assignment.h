/*
 * From the partitions that the group gave to the positions they are fetched
 * from: asks the table of positions (through the writer) and Kafka, decides
 * with position.h, and starts the fetch.  A state machine that is stepped by
 * the main loop, so that polling goes on while the database is away.
 */
#ifndef FINTRANS_ASSIGNMENT_H
#define FINTRANS_ASSIGNMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backoff.h"
#include "breaker.h"
#include "consumer.h"
#include "halt_list.h"
#include "offset_list.h"
#include "position.h"
#include "writer.h"

typedef enum AssignmentStage
{
	ASSIGNMENT_NONE,			/* the group has given nothing (yet) */
	ASSIGNMENT_WANTED,			/* positions are to be looked up */
	ASSIGNMENT_READING,			/* the writer reads the table */
	ASSIGNMENT_ADDING,			/* the writer adds partitions to the table */
	ASSIGNMENT_LOADING			/* partitions are being fetched */
} AssignmentStage;

#define ASSIGNMENT_REASON_BYTES 300

typedef struct Assignment
{
	StartPoint	start;			/* for topics never seen */
	bool		skip_lost;		/* --on-gap earliest */
	AssignmentStage stage;
	int64_t		retry_ms;		/* not before, monotonic */
	WriterPositions question;	/* the writer's while reading and adding */
	OffsetList	positions;		/* LOADING: next offsets in the table, one per
								 * slot, with the last message as long as it
								 * is to be recognised */
	OffsetList	targets;		/* high watermarks when first assigned */
	HaltList	halts;			/* partitions left out */
	Breaker		breaker;		/* LOADING: of the slots of positions */
	OffsetList	unanswered;		/* partitions whose bounds Kafka has not told;
								 * those without a slot are not fetched */
	int64_t		ask_again_ms;	/* for them; not before, monotonic */
	Backoff		silence;		/* when to name them again */
	Backoff		trouble;		/* of looking up: when to log it again */
	size_t		told[3];		/* of LOADING: what was logged last, */
	int64_t		told_ms;		/* and when, monotonic */
	char		reason[ASSIGNMENT_REASON_BYTES];	/* "" for no trouble */
} Assignment;

extern void assignment_init(Assignment *assignment, const StartPoint *start,
							bool skip_lost);
extern void assignment_free(Assignment *assignment);

/* The group has given partitions. */
extern void assignment_begin(Assignment *assignment);

/* The group has taken them back. */
extern void assignment_end(Assignment *assignment);

/*
 * Look all positions up again, after at least delay_ms; until then nothing is
 * fetched.
 */
extern void assignment_renew(Assignment *assignment, Consumer *consumer,
							 int64_t delay_ms);

/* Ask for positions if they are wanted and the writer is idle. */
extern void assignment_step(Assignment *assignment, Consumer *consumer,
							Writer *writer);

/*
 * Take the report of a WRITER_POSITIONS job and do the next step.  True when
 * a fetch has just begun: assignment->positions then holds its slots.
 */
extern bool assignment_take(Assignment *assignment, Consumer *consumer,
							Writer *writer, const WriterReport *report);

/*
 * Is this message, the next one of its slot, to be loaded?  After MARK_SEEN
 * it is not; after MARK_REPLACED the partition is halted, and the assignment
 * to be renewed.
 */
extern MarkVerdict assignment_recognise(Assignment *assignment, size_t slot,
										const BatchMessage *message);

/*
 * The next message of the slot, at this offset, would be one dead letter too
 * many, for this reason: the partition is halted.  When what was read before
 * has been stored, the assignment is to be renewed.
 */
extern void assignment_trip(Assignment *assignment, size_t slot,
							int64_t offset, const char *reason);

/*
 * Let the breaker allow so many per cent of a partition's latest `window`
 * offsets.  The assignment is to be renewed: partitions that it has halted are
 * tried again.
 */
extern void assignment_set_breaker(Assignment *assignment, int64_t window,
								   int64_t percent);

/* The partition of the slot has no message left. */
extern void assignment_pass_end(Assignment *assignment, size_t slot);

/*
 * Look again at the partitions left out or not answered for, when that is
 * due.  True when the assignment is to be renewed.
 */
extern bool assignment_review(Assignment *assignment, Consumer *consumer);

/* Is each partition either fetched or halted? */
extern bool assignment_is_whole(const Assignment *assignment,
								const Consumer *consumer);

/* Where --exit-at-end may stop; negative when the partition has no target. */
extern int64_t assignment_target(const Assignment *assignment,
								 const char *topic, int32_t partition);

#endif							/* FINTRANS_ASSIGNMENT_H */
