/*
 * Reckons with nanoseconds in whole numbers, so that no error adds up however
 * long the sending goes on.
 */
#include "pace.h"

#define NS_PER_MS INT64_C(1000000)

uint64_t
pace_due(const Pace *pace, int64_t now_ns)
{
	int64_t		elapsed_ns = now_ns - pace->start_ns;
	int64_t		period_ns = pace->seconds * PACE_NS_PER_SECOND;

	if (pace->messages == 0)
		return UINT64_MAX;
	/* whole periods apart from the rest: no product overflows */
	return (uint64_t) (elapsed_ns / period_ns * pace->messages +
					   elapsed_ns % period_ns / pace->seconds *
					   pace->messages / PACE_NS_PER_SECOND + 1);
}

int
pace_wait_ms(const Pace *pace, uint64_t made, int64_t now_ns,
			 int longest_ms)
{
	int64_t		due_ns;
	int64_t		wait_ms;
	int64_t		periods;

	if (pace->messages == 0 || made < pace_due(pace, now_ns))
		return 0;
	periods = (int64_t) made / pace->messages;
	due_ns = pace->start_ns + periods * pace->seconds * PACE_NS_PER_SECOND +
		(int64_t) made % pace->messages * pace->seconds *
		PACE_NS_PER_SECOND / pace->messages;
	wait_ms = (due_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
	if (wait_ms < 1)
		return 1;
	return wait_ms > longest_ms ? longest_ms : (int) wait_ms;
}
