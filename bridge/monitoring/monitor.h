/*
 * What those who watch the bridge are told: /health, /ready and /metrics.
 * The main loop publishes what it knows, now and then; whoever asks is
 * answered from the latest copy, so that neither side waits for the other.
 */
#ifndef FINTRANS_MONITOR_H
#define FINTRANS_MONITOR_H

#include <stdbool.h>

#include "http_server.h"
#include "lag_list.h"
#include "metrics.h"
#include "readiness.h"

typedef struct Monitor Monitor;

/* topics as metrics_new() takes them; NULL when memory is short. */
extern Monitor *monitor_new(const char *topics);
extern void monitor_free(Monitor *monitor);

/* To count in, from any thread. */
extern Metrics *monitor_metrics(Monitor *monitor);

/* The main loop is alive. */
extern void monitor_tick(Monitor *monitor);

/*
 * This is how the bridge stands; partitions may be NULL for none.  Without
 * memory for all partitions those before stay.
 */
extern void monitor_publish(Monitor *monitor, const Readiness *readiness,
							const LagList *partitions);

/*
 * A task of upkeep has failed, with this error of the database, or, with NULL,
 * gone well.  It is told, but the bridge stays ready: it loads all the same.
 */
extern void monitor_note_upkeep(Monitor *monitor, MetricsTask task,
								const char *error);

/* The bridge cannot go on, and ends; the reason is safe to log. */
extern void monitor_fail(Monitor *monitor, const char *reason);

/* What was published last: a copy to be freed; NULL when memory is short. */
extern MetricsPartition *monitor_partitions(Monitor *monitor, size_t *count);
extern BridgeState monitor_state(Monitor *monitor);

/* HttpAnswerFunction; context is the monitor. */
extern bool monitor_answer(void *context, const char *path,
						   HttpAnswer *answer);

#endif							/* FINTRANS_MONITOR_H */
