/*
 * Times, as fields of messages and as users write them.
 */
#include <stdlib.h>
#include <string.h>

#include "event_time.h"
#include "must.h"
#include "time_spec.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the Gregorian calendar's years of four digits, give or take a zone. */
static void
check_moment(int64_t us)
{
	int			year,
				month,
				day_of_month;
	EventTime	time = {true, us};

	time_spec_civil(time_spec_day(event_time_ms(&time)), &year, &month,
					&day_of_month);
	MUST(year >= 0 && year <= 10000);
	MUST(month >= 1 && month <= 12);
	MUST(day_of_month >= 1 && day_of_month <= 31);
}

static void
check_fields(const char *text, size_t length)
{
	for (int unit = 0; unit < TIME_UNITS; unit++)
	{
		const char *fault = NULL;
		int64_t		us;

		if (!event_time_read((TimeUnit) unit, text, length, &us, &fault))
			MUST(fault != NULL && *fault != '\0');
		else if (unit == TIME_UNIT_ISO)
			check_moment(us);
	}
}

static void
check_options(const char *text)
{
	char		errstr[256];
	TimeSpec	time;
	TimeRange	range;
	StartPoint	start;
	int64_t		ms;

	if (time_spec_parse(text, &time, errstr, sizeof(errstr)))
		(void) time_spec_resolve(&time, INT64_C(1795508100123));
	if (time_spec_parse_duration(text, &ms, errstr, sizeof(errstr)))
		MUST(ms > 0);
	(void) time_spec_parse_range(text, &range, errstr, sizeof(errstr));
	(void) time_spec_parse_start(text, &start, errstr, sizeof(errstr));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text;

	check_fields((const char *) data, size);
	text = strndup((const char *) data, size);
	MUST(text != NULL);
	check_options(text);
	free(text);
	return 0;
}
