/*
 * The bridge's counters, and the line that reports them once in a while.
 */
#ifndef FINTRANS_STATUS_H
#define FINTRANS_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Status
{
	int64_t		stored;			/* rows, since the start */
	int64_t		dead_lettered;	/* messages, since the start */
	int64_t		stale;			/* messages that Kafka delivered twice */
	int64_t		lag;			/* messages that Kafka has beyond */
	size_t		partitions;		/* assigned */
	size_t		halted;			/* of these */
	size_t		unanswered;		/* of these: Kafka does not answer for them */
	int64_t		period_ms;		/* between two lines, 0 for no lines */
	int64_t		reported_ms;	/* when the latest was, monotonic */
	int64_t		reported_stored;	/* rows then */
} Status;

/* seconds between two lines, 0 for none; now_ms is monotonic. */
extern void status_init(Status *status, int64_t seconds, int64_t now_ms);

extern bool status_is_due(const Status *status, int64_t now_ms);

/* Log the line; state is a word for people. */
extern void status_report(Status *status, const char *state, int64_t now_ms);

#endif							/* FINTRANS_STATUS_H */
