/*
 * How long to wait before the next attempt, and whether to say so again.
 * Pure: the caller passes the present moment in.
 */
#ifndef FINTRANS_BACKOFF_H
#define FINTRANS_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

/* Delays double from the first to the longest. */
#define BACKOFF_FIRST_MS 100
#define BACKOFF_LONGEST_MS 10000

/* The same trouble is reported again after this time. */
#define BACKOFF_REPORT_MS 60000

typedef struct Backoff
{
	int64_t		delay_ms;		/* of the latest attempt, without jitter */
	uint64_t	random;			/* state of the jitter */
	int64_t		next_report_ms; /* monotonic */
	uint64_t	trouble;		/* what was reported last, hashed */
	int64_t		attempts;		/* since the last success */
} Backoff;

/* seed keeps several bridges from waiting in step. */
extern void backoff_init(Backoff *backoff, uint64_t seed);

/* It worked: the next failure waits the first delay and is reported. */
extern void backoff_reset(Backoff *backoff);

/* Milliseconds to wait now: between half of the delay and the whole. */
extern int64_t backoff_next(Backoff *backoff);

/*
 * Is this failure to be logged?  True when it is another one than last time,
 * and once a minute.
 */
extern bool backoff_is_news(Backoff *backoff, const char *trouble,
							int64_t now_ms);

#endif							/* FINTRANS_BACKOFF_H */
