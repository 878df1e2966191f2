/*
 * The type fintrans_summary: what is to be known of a set of amounts.
 *
 * It holds their number, total, sum of squares, minimum and maximum, all exact
 * and whichever way they were added up: equal sets have the same bytes.  The
 * total has as many decimals as the amount that has most, the sum of squares
 * twice as many.  Where NaN or infinities are among the amounts the total is
 * what sum() makes of them, and the sum of squares NaN.
 *
 * Stored are a version, the number, and the numerics one after the other, each
 * aligned for int.
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"

#include "compat.h"
#include "exact_sum.h"
#include "summary.h"

#define VERSION 1

typedef struct StoredSummary
{
	int32		vl_len_;		/* varlena header */
	uint8		version;
	uint8		unused[3];		/* 0 */
	char		count[sizeof(int64)];	/* may not be aligned */
	char		parts[FLEXIBLE_ARRAY_MEMBER];
} StoredSummary;

PG_FUNCTION_INFO_V1(fintrans_summary_in);
PG_FUNCTION_INFO_V1(fintrans_summary_out);
PG_FUNCTION_INFO_V1(fintrans_summary_recv);
PG_FUNCTION_INFO_V1(fintrans_summary_send);
PG_FUNCTION_INFO_V1(fintrans_count);
PG_FUNCTION_INFO_V1(fintrans_total);
PG_FUNCTION_INFO_V1(fintrans_average);
PG_FUNCTION_INFO_V1(fintrans_minimum);
PG_FUNCTION_INFO_V1(fintrans_maximum);
PG_FUNCTION_INFO_V1(fintrans_standard_deviation);

/* ------------------------------------------------------- arithmetic */

static Numeric
plus(Numeric a, Numeric b)
{
	return numeric_add_opt_error(a, b, NULL);
}

static Numeric
minus(Numeric a, Numeric b)
{
	return numeric_sub_opt_error(a, b, NULL);
}

static Numeric
times(Numeric a, Numeric b)
{
	return numeric_mul_opt_error(a, b, NULL);
}

static Numeric
divided(Numeric a, Numeric b)
{
	return numeric_div_opt_error(a, b, NULL);
}

static int
compare(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a),
											 NumericGetDatum(b)));
}

static int
decimals(Numeric value)
{
	Amount		amount;

	amount_from_datum(&amount, NumericGetDatum(value));
	return amount.decimals;
}

/* -------------------------------------------------------- invariant */

typedef enum ValueKind
{
	NEGATIVE_INFINITY,
	FINITE,
	POSITIVE_INFINITY,
	NOT_A_NUMBER
} ValueKind;

static ValueKind
kind(Numeric value)
{
	if (numeric_is_nan(value))
		return NOT_A_NUMBER;
	if (!numeric_is_inf(value))
		return FINITE;
	return compare(value, int64_to_numeric(0)) > 0 ?
		POSITIVE_INFINITY : NEGATIVE_INFINITY;
}

/* What kind the total of amounts from minimum to maximum is. */
static ValueKind
total_kind(ValueKind minimum, ValueKind maximum)
{
	if (maximum == NOT_A_NUMBER)
		return NOT_A_NUMBER;
	if (minimum != NEGATIVE_INFINITY)
		return maximum;
	return maximum == POSITIVE_INFINITY ? NOT_A_NUMBER : NEGATIVE_INFINITY;
}

/*
 * Finite amounts from minimum to maximum, both of which are among them: the
 * others are no smaller and no larger.  The sum of squares is least when all
 * amounts are equal, and largest when none lies in between, since
 * (x - minimum) * (x - maximum) <= 0 for each.
 */
static const char *
range_fault(const Summary *summary)
{
	Numeric		total = summary->parts[SUMMARY_TOTAL];
	Numeric		squares = summary->parts[SUMMARY_SQUARES];
	Numeric		minimum = summary->parts[SUMMARY_MINIMUM];
	Numeric		maximum = summary->parts[SUMMARY_MAXIMUM];
	Numeric		count = int64_to_numeric(summary->count);
	Numeric		others = int64_to_numeric(summary->count - 1);

	if (compare(total, plus(times(others, minimum), maximum)) < 0 ||
		compare(total, plus(times(others, maximum), minimum)) > 0)
		return "The total does not fit the count, minimum and maximum.";
	if (compare(times(count, squares), times(total, total)) < 0 ||
		compare(squares,
				minus(times(plus(minimum, maximum), total),
					  times(count, times(minimum, maximum)))) > 0)
		return "The sum of squares does not fit the rest.";
	return NULL;
}

static const char *
decimals_fault(const Summary *summary)
{
	int			most = decimals(summary->parts[SUMMARY_TOTAL]);

	if (most > EXACT_SUM_MAX_DECIMALS)
		return "There are too many decimals.";
	if (most < decimals(summary->parts[SUMMARY_MINIMUM]) ||
		most < decimals(summary->parts[SUMMARY_MAXIMUM]))
		return "The total has fewer decimals than the minimum or the maximum.";
	if (decimals(summary->parts[SUMMARY_SQUARES]) != 2 * most)
		return "The sum of squares must have twice the decimals of the total.";
	return NULL;
}

/* Why no amounts can have this summary; NULL if some can. */
static const char *
summary_fault(const Summary *summary)
{
	Numeric		minimum = summary->parts[SUMMARY_MINIMUM];
	Numeric		maximum = summary->parts[SUMMARY_MAXIMUM];
	ValueKind	total = kind(summary->parts[SUMMARY_TOTAL]);
	const char *fault;

	if (summary->count < 1)
		return "The count is below 1.";
	if (compare(minimum, maximum) > 0 ||
		(summary->count == 1 && compare(minimum, maximum) != 0))
		return "The minimum and maximum do not fit the count.";
	if (total != total_kind(kind(minimum), kind(maximum)))
		return "The total does not fit the count, minimum and maximum.";
	if (kind(summary->parts[SUMMARY_SQUARES]) !=
		(total == FINITE ? FINITE : NOT_A_NUMBER))
		return "The sum of squares does not fit the rest.";
	if (total != FINITE)
		return NULL;
	fault = decimals_fault(summary);
	return fault != NULL ? fault : range_fault(summary);
}

static void
check_summary(const Summary *summary, int sqlstate)
{
	const char *fault = summary_fault(summary);

	if (fault != NULL)
		ereport(ERROR,
				(errcode(sqlstate),
				 errmsg("no amounts have this summary"),
				 errdetail("%s", fault)));
}

/* ------------------------------------------------------ stored form */

Datum
summary_store(const Summary *summary)
{
	StoredSummary *stored;
	Size		size = offsetof(StoredSummary, parts);
	char	   *out;
	int			i;

	Assert(summary_fault(summary) == NULL);
	for (i = 0; i < SUMMARY_PARTS; i++)
		size += INTALIGN(VARSIZE(summary->parts[i]));
	stored = palloc0(size);
	SET_VARSIZE(stored, size);
	stored->version = VERSION;
	memcpy(stored->count, &summary->count, sizeof(summary->count));
	out = stored->parts;
	for (i = 0; i < SUMMARY_PARTS; i++)
	{
		memcpy(out, summary->parts[i], VARSIZE(summary->parts[i]));
		out += INTALIGN(VARSIZE(summary->parts[i]));
	}
	return PointerGetDatum(stored);
}

void
summary_load(Summary *summary, Datum value)
{
	StoredSummary *stored = (StoredSummary *) PG_DETOAST_DATUM(value);
	char	   *in = stored->parts;
	int			i;

	if (stored->version != VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("version %d of a stored summary is not supported",
						stored->version)));
	memcpy(&summary->count, stored->count, sizeof(summary->count));
	for (i = 0; i < SUMMARY_PARTS; i++)
	{
		summary->parts[i] = (Numeric) in;
		in += INTALIGN(VARSIZE(in));
	}
	Assert(in == (char *) stored + VARSIZE(stored));
	Assert(summary_fault(summary) == NULL);
}

/* --------------------------------------------------- text and binary */

/* "(a,b,...)" into a, b, ...; false if there are more or fewer than n. */
static bool
split(char *text, char **fields, int n)
{
	Size		length = strlen(text);
	char	   *next = text + 1;
	int			i;

	if (length < 2 || text[0] != '(' || text[length - 1] != ')')
		return false;
	text[length - 1] = '\0';
	for (i = 0; i < n && next != NULL; i++)
	{
		fields[i] = next;
		next = strchr(next, ',');
		if (next != NULL)
			*next++ = '\0';
	}
	return i == n && next == NULL;
}

static Numeric
numeric_from_text(char *text)
{
	return DatumGetNumeric(DirectFunctionCall3(numeric_in,
											   CStringGetDatum(text),
											   ObjectIdGetDatum(InvalidOid),
											   Int32GetDatum(-1)));
}

Datum
fintrans_summary_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	char	   *fields[1 + SUMMARY_PARTS];
	Summary		summary;
	Datum		count;
	int			i;

	if (!split(pstrdup(text), fields, lengthof(fields)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%s\"",
						"fintrans_summary", text),
				 errdetail("It must be \"(count,total,sum of squares,"
						   "minimum,maximum)\".")));
	count = DirectFunctionCall1(int8in, CStringGetDatum(fields[0]));
	summary.count = DatumGetInt64(count);
	for (i = 0; i < SUMMARY_PARTS; i++)
		summary.parts[i] = numeric_from_text(fields[1 + i]);
	check_summary(&summary, ERRCODE_INVALID_TEXT_REPRESENTATION);
	PG_RETURN_DATUM(summary_store(&summary));
}

Datum
fintrans_summary_out(PG_FUNCTION_ARGS)
{
	Summary		summary;
	StringInfoData text;
	int			i;

	summary_load(&summary, PG_GETARG_DATUM(0));
	initStringInfo(&text);
	appendStringInfo(&text, "(" INT64_FORMAT, summary.count);
	for (i = 0; i < SUMMARY_PARTS; i++)
	{
		Datum		part = NumericGetDatum(summary.parts[i]);

		appendStringInfoChar(&text, ',');
		appendStringInfoString(&text,
							   DatumGetCString(DirectFunctionCall1(numeric_out,
																   part)));
	}
	appendStringInfoChar(&text, ')');
	PG_RETURN_CSTRING(text.data);
}

Datum
fintrans_summary_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(message);
	Summary		summary;
	int			i;

	if (version != VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("version %d of a binary summary is not supported",
						version)));
	summary.count = pq_getmsgint64(message);
	for (i = 0; i < SUMMARY_PARTS; i++)
		summary.parts[i] =
			DatumGetNumeric(DirectFunctionCall3(numeric_recv,
												PointerGetDatum(message),
												ObjectIdGetDatum(InvalidOid),
												Int32GetDatum(-1)));
	check_summary(&summary, ERRCODE_INVALID_BINARY_REPRESENTATION);
	PG_RETURN_DATUM(summary_store(&summary));
}

Datum
fintrans_summary_send(PG_FUNCTION_ARGS)
{
	Summary		summary;
	StringInfoData message;
	int			i;

	summary_load(&summary, PG_GETARG_DATUM(0));
	pq_begintypsend(&message);
	pq_sendbyte(&message, VERSION);
	pq_sendint64(&message, summary.count);
	for (i = 0; i < SUMMARY_PARTS; i++)
	{
		Datum		part = NumericGetDatum(summary.parts[i]);
		bytea	   *sent = DatumGetByteaPP(DirectFunctionCall1(numeric_send,
															   part));

		pq_sendbytes(&message, VARDATA_ANY(sent), VARSIZE_ANY_EXHDR(sent));
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* -------------------------------------------------------- accessors */

static Numeric
part_of(Datum value, SummaryPart part)
{
	Summary		summary;

	summary_load(&summary, value);
	return DatumGetNumericCopy(NumericGetDatum(summary.parts[part]));
}

Datum
fintrans_count(PG_FUNCTION_ARGS)
{
	Summary		summary;

	summary_load(&summary, PG_GETARG_DATUM(0));
	PG_RETURN_INT64(summary.count);
}

Datum
fintrans_total(PG_FUNCTION_ARGS)
{
	PG_RETURN_NUMERIC(part_of(PG_GETARG_DATUM(0), SUMMARY_TOTAL));
}

Datum
fintrans_average(PG_FUNCTION_ARGS)
{
	Summary		summary;

	summary_load(&summary, PG_GETARG_DATUM(0));
	PG_RETURN_NUMERIC(divided(summary.parts[SUMMARY_TOTAL],
							  int64_to_numeric(summary.count)));
}

Datum
fintrans_minimum(PG_FUNCTION_ARGS)
{
	PG_RETURN_NUMERIC(part_of(PG_GETARG_DATUM(0), SUMMARY_MINIMUM));
}

Datum
fintrans_maximum(PG_FUNCTION_ARGS)
{
	PG_RETURN_NUMERIC(part_of(PG_GETARG_DATUM(0), SUMMARY_MAXIMUM));
}

static Numeric
rounded(Numeric value, int scale)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_round,
											   NumericGetDatum(value),
											   Int32GetDatum(scale)));
}

/*
 * The square root, correctly rounded to the decimals of its argument.
 * numeric_sqrt() rounds to more of them at times.  Rounding that again goes
 * wrong when the first rounding went up to just half of a last digit: then
 * the root lies below that half.
 */
static Numeric
square_root(Numeric square)
{
	int			scale = decimals(square);
	Datum		fine = DirectFunctionCall1(numeric_sqrt,
										   NumericGetDatum(square));
	Numeric		root = rounded(DatumGetNumeric(fine), scale);
	Numeric		half = int64_div_fast_to_numeric(5, scale + 1);

	if (compare(minus(root, DatumGetNumeric(fine)), half) == 0 &&
		compare(times(DatumGetNumeric(fine), DatumGetNumeric(fine)),
				square) > 0)
		return minus(root, int64_div_fast_to_numeric(1, scale));
	return root;
}

/* Digit for digit what stddev_samp() makes of the same amounts. */
Datum
fintrans_standard_deviation(PG_FUNCTION_ARGS)
{
	Summary		summary;
	Numeric		count;
	Numeric		others;
	Numeric		total;
	Numeric		spread;

	summary_load(&summary, PG_GETARG_DATUM(0));
	if (summary.count < 2)
		PG_RETURN_NULL();
	count = int64_to_numeric(summary.count);
	others = int64_to_numeric(summary.count - 1);
	total = summary.parts[SUMMARY_TOTAL];
	if (kind(total) != FINITE)
		PG_RETURN_NUMERIC(summary.parts[SUMMARY_SQUARES]);
	spread = minus(times(count, summary.parts[SUMMARY_SQUARES]),
				   times(total, total));
	if (compare(spread, int64_to_numeric(0)) == 0)
		PG_RETURN_NUMERIC(int64_to_numeric(0));
	PG_RETURN_NUMERIC(square_root(divided(spread, times(count, others))));
}
