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
status_report(Status *status, const char *state, int64_t now_ms)
{
	int64_t		elapsed_ms = now_ms - status->reported_ms;
	int64_t		rows = status->stored - status->reported_stored;

	log_write(LOG_LEVEL_INFO, "status",
			  "state=%s transactions=%" PRId64 " rate=%" PRId64
			  " lag=%" PRId64 " dead_letters=%" PRId64
			  " partitions=%zu halted=%zu unanswered=%zu", state, status->stored,
			  elapsed_ms > 0 ? rows * 1000 / elapsed_ms : 0, status->lag,
			  status->dead_lettered, status->partitions, status->halted,
			  status->unanswered);
	status->reported_ms = now_ms;
	status->reported_stored = status->stored;
}
