/*
 * Decides where a Kafka partition is read from: the table's position against
 * what Kafka still holds, and the first position of one never seen.  Pure.
 */
#ifndef FINTRANS_POSITION_H
#define FINTRANS_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message_mark.h"
#include "time_spec.h"

/* What Kafka holds of a partition; negative where it has not told. */
typedef struct PositionBounds
{
	int64_t		low_watermark;	/* the first offset held */
	int64_t		high_watermark; /* the offset after the last one */
} PositionBounds;

typedef enum PositionVerdict
{
	POSITION_GO_ON,				/* fetch from the table's position */
	POSITION_UNKNOWN,			/* the same, since Kafka does not answer: it
								 * will say if it does not have the position */
	POSITION_SKIP,				/* fetch from the low watermark: the offsets
								 * before it are lost, and counted skipped */
	POSITION_LOST,				/* halt: Kafka has deleted what comes next */
	POSITION_AHEAD,				/* halt: Kafka holds less than was read */
	POSITION_REPLACED,			/* halt: Kafka has another topic, or holds
								 * another message where one was read; found
								 * when it is fetched */
	POSITION_TRIPPED			/* halt: what comes next would be one dead
								 * letter too many; found when it is fetched */
} PositionVerdict;

extern bool position_is_known(const PositionBounds *bounds);

/*
 * What to do with a partition whose next offset in the table is next_offset;
 * skip_lost is --on-gap earliest.  When halted, reason says why and which
 * offsets are concerned.
 */
extern PositionVerdict position_judge(int64_t next_offset,
									  const PositionBounds *bounds,
									  bool skip_lost,
									  char *reason, size_t reason_size);

/*
 * Do these ids, "" when not known, say that the topic was deleted and made
 * anew?
 */
extern bool position_is_of_other_topic(const char *id_read,
									   const char *id_now);

/* Halted, not to be fetched? */
extern bool position_is_halt(PositionVerdict verdict);

/*
 * Where a fetch begins: with the last message that was handled, to see whether
 * it is still the same, if Kafka may still have it.
 */
extern int64_t position_fetch_from(PositionVerdict verdict,
								   int64_t next_offset,
								   const MessageMark *last,
								   const PositionBounds *bounds);

/*
 * First offset of a partition that the table does not have.  A partition of a
 * topic that it has was added to the topic later, and is read from its start
 * whatever the start point.  offset_at_time is Kafka's answer for
 * START_AT_TIME, negative when it has no such message.
 */
extern int64_t position_first(const StartPoint *start, bool topic_is_known,
							  const PositionBounds *bounds,
							  int64_t offset_at_time);

#endif							/* FINTRANS_POSITION_H */
