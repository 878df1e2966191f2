/*
 * When messages are due at a given rate.  Pure: the caller passes the present
 * moment in.
 */
#ifndef FINTRANS_PACE_H
#define FINTRANS_PACE_H

#include <stdint.h>

#define PACE_NS_PER_SECOND INT64_C(1000000000)

/*
 * So many messages, up to 10^7, in so many seconds, evenly and the first one
 * at the start; both 0 for as fast as possible.
 */
typedef struct Pace
{
	int64_t		messages;
	int64_t		seconds;
	int64_t		start_ns;		/* on the monotonic clock, as all moments */
} Pace;

/* How many messages are due by now, those already sent included. */
extern uint64_t pace_due(const Pace *pace, int64_t now_ns);

/*
 * Milliseconds until the message after those made is due, rounded up and at
 * most longest_ms; 0 when it is due.
 */
extern int	pace_wait_ms(const Pace *pace, uint64_t made, int64_t now_ns,
						 int longest_ms);

#endif							/* FINTRANS_PACE_H */
