/*
 * Stops a partition that can hardly be read any more, such as after a change
 * of what is sent, before all of it becomes dead letters.
 *
 * A partition trips on the message that would be one dead letter too many
 * among its latest offsets.  That message and all after it stay where they
 * are, in Kafka, and what is before it is stored.  Only offsets count, and
 * dead letters of the parser: so the table of dead letters tells a restarted
 * bridge what its predecessor knew, and it trips on the same message.
 *
 * Slots are those of the assignment.  Pure but for its memory.
 */
#ifndef FINTRANS_BREAKER_H
#define FINTRANS_BREAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The latest dead letters of a partition, at most as many as are allowed. */
typedef struct BreakerSlot
{
	int64_t    *offsets;		/* a ring; NULL before the first one */
	size_t		count;
	size_t		next;			/* where the next one goes */
} BreakerSlot;

/* Begin with {0}, which never trips; then breaker_set(). */
typedef struct Breaker
{
	int64_t		window;			/* offsets looked at, the present one too */
	int64_t		allowed;		/* dead letters among them */
	BreakerSlot *slots;
	size_t		slot_count;
} Breaker;

/* Forgets all partitions. */
extern void breaker_set(Breaker *breaker, int64_t window, int64_t percent);
extern void breaker_free(Breaker *breaker);

/* Can it trip at all, and does it depend on what was before? */
extern bool breaker_remembers(const Breaker *breaker);

/* Partitions without any dead letter; false when memory is short. */
extern bool breaker_start(Breaker *breaker, size_t slots);

/* Would a dead letter at this offset be one too many? */
extern bool breaker_trips(const Breaker *breaker, size_t slot, int64_t offset);

/*
 * There is a dead letter at this offset, which is after those before; false
 * when memory is short.
 */
extern bool breaker_note(Breaker *breaker, size_t slot, int64_t offset);

#endif							/* FINTRANS_BREAKER_H */
