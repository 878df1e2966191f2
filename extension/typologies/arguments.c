/*
 * Checks the arguments of SQL functions.  The functions are not STRICT: an
 * empty answer to a NULL would look as if nothing had been found.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "arguments.h"

#define ROUNDING 1e-12

static void
refuse_null(FunctionCallInfo fcinfo, int number, const char *name)
{
	if (PG_ARGISNULL(number))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", name)));
}

int64
argument_count(FunctionCallInfo fcinfo, int number, const char *name,
			   int64 minimum, int64 maximum)
{
	int64		count;

	refuse_null(fcinfo, number, name);
	count = PG_GETARG_INT64(number);
	if (count < minimum || count > maximum)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be between %lld and %lld",
						name, (long long) minimum, (long long) maximum)));
	return count;
}

double
argument_number(FunctionCallInfo fcinfo, int number, const char *name,
				double minimum, double maximum)
{
	double		value;

	refuse_null(fcinfo, number, name);
	value = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											   PG_GETARG_DATUM(number)));
	/* NaN is neither */
	if (!(value >= minimum && value <= maximum))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be between %g and %g",
						name, minimum, maximum)));
	return value;
}

double
argument_share(FunctionCallInfo fcinfo, int number, const char *name,
			   double maximum)
{
	double		share = argument_number(fcinfo, number, name, 0, maximum);

	return share > 0 ? share + ROUNDING : 0;
}

int64
argument_duration(FunctionCallInfo fcinfo, int number, const char *name)
{
	const Interval *span;
	int64		days;
	int64		duration;

	refuse_null(fcinfo, number, name);
	span = PG_GETARG_INTERVAL_P(number);
	days = (int64) span->month * DAYS_PER_MONTH + span->day;
	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &duration) ||
		pg_add_s64_overflow(duration, span->time, &duration) ||
		duration <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be above 0 and below 290000 years",
						name)));
	return duration;
}

bool
argument_flag(FunctionCallInfo fcinfo, int number, const char *name)
{
	refuse_null(fcinfo, number, name);
	return PG_GETARG_BOOL(number);
}

void
argument_check_period(FunctionCallInfo fcinfo, int number)
{
	refuse_null(fcinfo, number, "since");
	refuse_null(fcinfo, number + 1, "before");
	if (PG_GETARG_TIMESTAMPTZ(number) >= PG_GETARG_TIMESTAMPTZ(number + 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"since\" must be before argument \"before\"")));
}
