/*
 * One line tells whether the bridge gets on: rate and lag.
 */
#include "status.h"

#include <inttypes.h>
#include <string.h>

#include "log.h"

void
status_init(Status *status, int64_t seconds, int64_t now_ms)
{
	memset(status, 0, sizeof(*status));
	status->period_ms = seconds * 1000;
	status->reported_ms = now_ms;
}

bool
status_is_due(const Status *status, int64_t now_ms)
{
	return status->period_ms > 0 &&
		now_ms >= status->reported_ms + status->period_ms;
}

void
status_report(Status *status, const char *state, const Metrics *metrics,
			  const LagList *partitions, int64_t now_ms)
{
	int64_t		stored = metrics_total(metrics, METRIC_ROWS_COMMITTED);
	int64_t		rows = stored - status->reported_stored;
	int64_t		elapsed_ms = now_ms - status->reported_ms;
	int64_t		lag = 0;
	size_t		halted = 0;
	size_t		unanswered = 0;

	for (size_t i = 0; i < partitions->count; i++)
	{
		lag += lag_of(&partitions->items[i]);
		halted += partitions->items[i].halted != NULL;
		unanswered += partitions->items[i].unanswered;
	}
	log_write(LOG_LEVEL_INFO, "status",
			  "state=%s transactions=%" PRId64 " rate=%" PRId64
			  " lag=%" PRId64 " dead_letters=%" PRId64
			  " partitions=%zu halted=%zu unanswered=%zu", state, stored,
			  elapsed_ms > 0 ? rows * 1000 / elapsed_ms : 0, lag,
			  metrics_total(metrics, METRIC_DEAD_LETTERS), partitions->count,
			  halted, unanswered);
	status->reported_ms = now_ms;
	status->reported_stored = stored;
}
