/*
 * The line that reports the bridge's numbers once in a while.
 */
#ifndef FINTRANS_STATUS_H
#define FINTRANS_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "lag_list.h"
#include "metrics.h"

typedef struct Status
{
	int64_t		period_ms;		/* between two lines, 0 for no lines */
	int64_t		reported_ms;	/* when the latest was, monotonic */
	int64_t		reported_stored;	/* rows then */
} Status;

/* seconds between two lines, 0 for none; now_ms is monotonic. */
extern void status_init(Status *status, int64_t seconds, int64_t now_ms);

extern bool status_is_due(const Status *status, int64_t now_ms);

/* Log the line; state is a word for people. */
extern void status_report(Status *status, const char *state,
						  const Metrics *metrics, const LagList *partitions,
						  int64_t now_ms);

#endif							/* FINTRANS_STATUS_H */
