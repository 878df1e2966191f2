/*
 * Turns what a typology has found into rows.
 *
 * Rows go into a tuplestore, which spills to disk beyond work_mem.  Sums are
 * exact: they are made of the amounts as stored, not of those compared by.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "amount.h"
#include "findings.h"

/* Attributes of the type fintrans_finding, in their order. */
enum
{
	PATTERN,
	ACCOUNTS,
	TRANSACTIONS,
	TOTAL,
	AMOUNTS,
	TIMES,
	FIRST_TIME,
	LAST_TIME,
	REASON,
	NATTRIBUTES
};

struct Findings
{
	ReturnSetInfo *result;
	const Transfers *transfers;
	MemoryContext row;			/* what a row is made of */
};

static Datum reason_text(const char *format, va_list arguments)
			pg_attribute_printf(1, 0);
static const char *duration_text(Findings *findings, const char *format,
								 int64 duration);

Findings *
findings_begin(FunctionCallInfo fcinfo, const Transfers *transfers)
{
	Findings   *findings = palloc(sizeof(Findings));

	InitMaterializedSRF(fcinfo, 0);
	findings->result = (ReturnSetInfo *) fcinfo->resultinfo;
	findings->transfers = transfers;
	findings->row = AllocSetContextCreate(CurrentMemoryContext,
										  "fintrans finding",
										  ALLOCSET_DEFAULT_SIZES);
	return findings;
}

static ArrayType *
account_array(const Findings *findings, const Finding *finding)
{
	Datum	   *names = palloc(finding->naccounts * sizeof(Datum));
	text	  **accounts = findings->transfers->accounts;
	int			i;

	for (i = 0; i < finding->naccounts; i++)
		names[i] = PointerGetDatum(accounts[finding->accounts[i]]);
	return construct_array(names, finding->naccounts, TEXTOID, -1, false,
						   TYPALIGN_INT);
}

static ArrayType *
amount_array(const Finding *finding)
{
	Datum	   *amounts = palloc(finding->count * sizeof(Datum));
	int			i;

	for (i = 0; i < finding->count; i++)
		amounts[i] = finding->evidence[i]->exact;
	return construct_array(amounts, finding->count, NUMERICOID, -1, false,
						   TYPALIGN_INT);
}

static ArrayType *
time_array(const Finding *finding)
{
	Datum	   *times = palloc(finding->count * sizeof(Datum));
	int			i;

	for (i = 0; i < finding->count; i++)
		times[i] = TimestampTzGetDatum(finding->evidence[i]->time);
	return construct_array(times, finding->count, TIMESTAMPTZOID,
						   sizeof(TimestampTz), FLOAT8PASSBYVAL,
						   TYPALIGN_DOUBLE);
}

static Datum
total_of(const Finding *finding)
{
	Amount		total;
	AmountBuffer buffer;
	int			i;

	memset(&total, 0, sizeof(total));
	for (i = 0; i < finding->count; i++)
	{
		Amount		amount;

		amount_from_datum(&amount, finding->evidence[i]->exact);
		amount_add(&total, &amount);
	}
	return datumCopy(amount_to_datum(&total, &buffer), false, -1);
}

static void
time_range(const Finding *finding, TimestampTz *first, TimestampTz *last)
{
	int			i;

	*first = *last = finding->evidence[0]->time;
	for (i = 1; i < finding->count; i++)
	{
		*first = Min(*first, finding->evidence[i]->time);
		*last = Max(*last, finding->evidence[i]->time);
	}
}

static Datum
reason_text(const char *format, va_list arguments)
{
	StringInfoData text;
	int			needed;

	initStringInfo(&text);
	for (;;)
	{
		va_list		again;

		va_copy(again, arguments);
		needed = appendStringInfoVA(&text, format, again);
		va_end(again);
		if (needed == 0)
			return CStringGetTextDatum(text.data);
		enlargeStringInfo(&text, needed);
	}
}

void
findings_add(Findings *findings, const Finding *finding, const char *format,
			 ...)
{
	MemoryContext caller = MemoryContextSwitchTo(findings->row);
	Datum		values[NATTRIBUTES];
	bool		nulls[NATTRIBUTES] = {false};
	TimestampTz first;
	TimestampTz last;
	va_list		arguments;

	va_start(arguments, format);
	values[REASON] = reason_text(format, arguments);
	va_end(arguments);
	time_range(finding, &first, &last);
	values[PATTERN] = CStringGetTextDatum(finding->pattern);
	values[ACCOUNTS] = PointerGetDatum(account_array(findings, finding));
	values[TRANSACTIONS] = Int64GetDatum(finding->count);
	values[TOTAL] = total_of(finding);
	values[AMOUNTS] = PointerGetDatum(amount_array(finding));
	values[TIMES] = PointerGetDatum(time_array(finding));
	values[FIRST_TIME] = TimestampTzGetDatum(first);
	values[LAST_TIME] = TimestampTzGetDatum(last);
	tuplestore_putvalues(findings->result->setResult,
						 findings->result->setDesc, values, nulls);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(findings->row);
}

static int
compare_accounts(const void *a, const void *b)
{
	int			left = *(const int *) a;
	int			right = *(const int *) b;

	return (left > right) - (left < right);
}

void
finding_collect_accounts(Finding *finding)
{
	int		   *added = finding->accounts + finding->naccounts;
	int			nadded = 0;
	int			kept = 0;
	int			i;

	for (i = 0; i < finding->count; i++)
	{
		added[nadded++] = finding->evidence[i]->source;
		added[nadded++] = finding->evidence[i]->target;
	}
	qsort(added, nadded, sizeof(int), compare_accounts);
	for (i = 0; i < nadded; i++)
	{
		bool		known = kept > 0 && added[kept - 1] == added[i];
		int			j;

		for (j = 0; j < finding->naccounts && !known; j++)
			known = finding->accounts[j] == added[i];
		if (!known)
			added[kept++] = added[i];
	}
	finding->naccounts += kept;
}

/* ------------------------------------------------------- texts for reasons */

static const char *
row_text(Findings *findings, const char *format, Oid output_function,
		 Datum value)
{
	MemoryContext caller = MemoryContextSwitchTo(findings->row);
	char	   *text = psprintf(format, OidOutputFunctionCall(output_function,
															  value));

	MemoryContextSwitchTo(caller);
	return text;
}

const char *
findings_account(Findings *findings, int account)
{
	return row_text(findings, "%s", F_TEXTOUT,
					PointerGetDatum(findings->transfers->accounts[account]));
}

const char *
findings_amounts(Findings *findings, const Finding *finding)
{
	const Transfer *lowest = finding->evidence[0];
	const Transfer *highest = lowest;
	MemoryContext caller;
	const char *text;
	int			i;

	for (i = 1; i < finding->count; i++)
	{
		if (finding->evidence[i]->amount < lowest->amount)
			lowest = finding->evidence[i];
		if (finding->evidence[i]->amount > highest->amount)
			highest = finding->evidence[i];
	}
	if (lowest->amount == highest->amount)
		return row_text(findings, "%s each", F_NUMERIC_OUT, lowest->exact);
	text = row_text(findings, "%s to", F_NUMERIC_OUT, lowest->exact);
	caller = MemoryContextSwitchTo(findings->row);
	text = psprintf("%s %s", text, row_text(findings, "%s each", F_NUMERIC_OUT,
											highest->exact));
	MemoryContextSwitchTo(caller);
	return text;
}

const char *
findings_span(Findings *findings, const Finding *finding)
{
	TimestampTz first;
	TimestampTz last;

	time_range(finding, &first, &last);
	if (first == last)
		return "at one time";
	return duration_text(findings, "within %s", last - first);
}

const char *
findings_duration(Findings *findings, int64 duration)
{
	return duration_text(findings, "%s", duration);
}

static const char *
duration_text(Findings *findings, const char *format, int64 duration)
{
	Interval	span = {
		.time = duration % USECS_PER_DAY,
		.day = duration / USECS_PER_DAY
	};

	return row_text(findings, format, F_INTERVAL_OUT,
					IntervalPGetDatum(&span));
}
