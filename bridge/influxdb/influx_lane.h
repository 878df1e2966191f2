/*
 * A partition on its way to InfluxDB: how far PostgreSQL has committed it, up
 * to where it is known which of its messages are dead letters, and how far it
 * has been read, sent, and noted in Kafka.  Pure but for its memory.
 *
 *	sent <= next <= cleared <= committed
 *
 * unless PostgreSQL has gone back: then nothing is read until it is where it
 * was.
 */
#ifndef FINTRANS_INFLUX_LANE_H
#define FINTRANS_INFLUX_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Dead letters that are known of a lane at a time. */
#define INFLUX_LANE_LETTERS 10000

typedef struct InfluxLane
{
	char	   *topic;
	int32_t		partition;
	int64_t		committed;		/* by PostgreSQL, up to here */
	int64_t		cleared;		/* dead letters are known up to here */
	bool		may_have_letters;	/* beyond that */
	int64_t		next;			/* offset to be read next */
	int64_t		sent;			/* all below is through */
	int64_t		kept;			/* in Kafka; -1 for not known */
	int64_t		again_ms;		/* for the caller: when to read it again,
								 * monotonic; 0 for not astray */
	int64_t    *letters;		/* offsets of dead letters, ascending */
	size_t		letter_count;
	size_t		letter_at;		/* the first that may still come */
} InfluxLane;

/* False when memory is short; to be freed in any case. */
extern bool influx_lane_init(InfluxLane *lane, const char *topic,
							 int32_t partition, int64_t committed);
extern void influx_lane_free(InfluxLane *lane);

/*
 * Begin where Kafka was told that it was left, -1 for nowhere, but not before
 * the first offset that PostgreSQL has, -1 for none.
 */
extern void influx_lane_begin(InfluxLane *lane, int64_t kept, int64_t first);

/* PostgreSQL has committed it up to here. */
extern void influx_lane_commit(InfluxLane *lane, int64_t committed,
							   bool may_have_letters);

/* Does it wait to be told of dead letters, from lane->next on? */
extern bool influx_lane_wants_letters(const InfluxLane *lane);

/* lane->letters has been filled with so many; fewer than fit are all. */
extern void influx_lane_take_letters(InfluxLane *lane, size_t count);

/* Is the message at this offset one?  Offsets must ascend. */
extern bool influx_lane_is_letter(InfluxLane *lane, int64_t offset);

/*
 * No message below offset is left to be read; what is not cleared is not
 * passed.  False when that changes nothing.
 */
extern bool influx_lane_advance(InfluxLane *lane, int64_t offset);

#endif							/* FINTRANS_INFLUX_LANE_H */
