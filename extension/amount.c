/*
 * Exact sums of numeric amounts, in machine integers while they fit.
 *
 * Reads and writes numeric's stored form, which numeric.c keeps to itself but
 * cannot change: it is on disk, and pg_upgrade carries it from release to
 * release (the short form since 9.1).  A header of 16 bits says which form it
 * is; then come base-10000 digits, the first weighing 10000^weight:
 *
 *   10 s dddddd wwwwwww            short: sign, display scale, weight
 *   0s dddddddddddddd, int16 w     long: sign, display scale; weight apart
 *   11 ...                         NaN and infinities
 *
 * sql/amounts.sql compares this with PostgreSQL's own arithmetic.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/builtins.h"

#include "amount.h"
#include "compat.h"

#define HEADER_FORM_MASK 0xC000
#define HEADER_SHORT 0x8000
#define HEADER_SPECIAL 0xC000
#define LONG_NEGATIVE 0x4000
#define LONG_SCALE_MASK 0x3FFF
#define SHORT_NEGATIVE 0x2000
#define SHORT_SCALE_MASK 0x1F80
#define SHORT_SCALE_SHIFT 7
#define SHORT_WEIGHT_NEGATIVE 0x0040
#define SHORT_WEIGHT_MASK 0x003F

#define BASE 10000

/* A numeric taken apart; digits are not aligned. */
typedef struct StoredNumeric
{
	bool		finite;
	bool		negative;
	int			decimals;
	int			weight;
	int			ndigits;
	const char *digits;
} StoredNumeric;

static void
read_stored(StoredNumeric *stored, const struct varlena *value)
{
	const char *data = VARDATA_ANY(value);
	int			size = VARSIZE_ANY_EXHDR(value);
	uint16		header;
	int			header_size = sizeof(uint16);

	memcpy(&header, data, sizeof(header));
	stored->finite = (header & HEADER_FORM_MASK) != HEADER_SPECIAL;
	if ((header & HEADER_FORM_MASK) == HEADER_SHORT)
	{
		stored->negative = (header & SHORT_NEGATIVE) != 0;
		stored->decimals = (header & SHORT_SCALE_MASK) >> SHORT_SCALE_SHIFT;
		stored->weight = header & SHORT_WEIGHT_MASK;
		if (header & SHORT_WEIGHT_NEGATIVE)
			stored->weight |= ~SHORT_WEIGHT_MASK;
	}
	else
	{
		int16		weight = 0;

		if (stored->finite)
			memcpy(&weight, data + sizeof(header), sizeof(weight));
		stored->negative = (header & HEADER_FORM_MASK) == LONG_NEGATIVE;
		stored->decimals = header & LONG_SCALE_MASK;
		stored->weight = weight;
		header_size += sizeof(weight);
	}
	stored->digits = data + header_size;
	stored->ndigits = stored->finite ? (size - header_size) / 2 : 0;
}

/*
 * The absolute value in ten-thousandths.  False if that is too large or no
 * whole number.
 */
static bool
stored_units(const StoredNumeric *stored, int64 *units)
{
	int64		sum = 0;
	int			place = stored->weight + 1; /* 0 is the ten-thousandths */
	int			i;

	for (i = 0; i < stored->ndigits; i++, place--)
	{
		int16		digit;

		memcpy(&digit, stored->digits + i * sizeof(digit), sizeof(digit));
		if (place < 0 ||
			pg_mul_s64_overflow(sum, BASE, &sum) ||
			pg_add_s64_overflow(sum, digit, &sum))
			return false;
	}
	for (; place >= 0 && sum != 0; place--)
	{
		if (pg_mul_s64_overflow(sum, BASE, &sum))
			return false;
	}
	*units = sum;
	return true;
}

void
amount_from_datum(Amount *amount, Datum value)
{
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);
	StoredNumeric stored;

	read_stored(&stored, packed);
	amount->decimals = stored.finite ? stored.decimals : 0;
	amount->owned = false;
	amount->big = NULL;
	if (stored.finite && stored.decimals <= AMOUNT_MAX_DECIMALS &&
		stored_units(&stored, &amount->units))
	{
		if (stored.negative)
			amount->units = -amount->units;
	}
	else
	{
		amount->units = 0;
		amount->big = DatumGetNumeric(PointerGetDatum(packed));
		amount->owned = NumericGetDatum(amount->big) != value;
	}
}

void
amount_from_integer(Amount *amount, int64 value)
{
	memset(amount, 0, sizeof(*amount));
	amount->units = value * BASE;
}

void
amount_free(Amount *amount)
{
	if (amount->owned)
		pfree(amount->big);
	memset(amount, 0, sizeof(*amount));
}

void
amount_copy(Amount *copy, const Amount *amount)
{
	amount_free(copy);
	*copy = *amount;
	if (amount->big != NULL)
	{
		copy->big = DatumGetNumericCopy(NumericGetDatum(amount->big));
		copy->owned = true;
	}
}

/* The slow way, for what does not fit: numeric's own arithmetic. */
static void
combine_big(Amount *sum, const Amount *term,
			Numeric (*combine) (Numeric, Numeric, bool *))
{
	AmountBuffer left;
	AmountBuffer right;
	Numeric		big = combine(DatumGetNumeric(amount_to_datum(sum, &left)),
							  DatumGetNumeric(amount_to_datum(term, &right)),
							  NULL);

	amount_free(sum);
	sum->big = big;
	sum->owned = true;
}

void
amount_add(Amount *sum, const Amount *term)
{
	int64		units;

	if (sum->big != NULL || term->big != NULL ||
		pg_add_s64_overflow(sum->units, term->units, &units))
	{
		combine_big(sum, term, numeric_add_opt_error);
		return;
	}
	sum->units = units;
	sum->decimals = Max(sum->decimals, term->decimals);
}

void
amount_subtract(Amount *sum, const Amount *term)
{
	int64		units;

	if (sum->big != NULL || term->big != NULL ||
		pg_sub_s64_overflow(sum->units, term->units, &units))
	{
		combine_big(sum, term, numeric_sub_opt_error);
		return;
	}
	sum->units = units;
	sum->decimals = Max(sum->decimals, term->decimals);
}

int
amount_compare(const Amount *a, const Amount *b)
{
	AmountBuffer left;
	AmountBuffer right;

	if (a->big == NULL && b->big == NULL)
		return (a->units > b->units) - (a->units < b->units);
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp,
											 amount_to_datum(a, &left),
											 amount_to_datum(b, &right)));
}

/*
 * Write base-10000 digits, the lowest first, of which fraction are behind the
 * point.
 */
static Datum
write_stored(AmountBuffer *buffer, const int16 *digits, int count,
			 int fraction, bool negative, int decimals)
{
	int			lowest = 0;
	int			weight = count > 0 ? count - 1 - fraction : 0;
	uint16		header;
	char	   *out = VARDATA(buffer->bytes);

	while (lowest < count && digits[lowest] == 0)
		lowest++;

	header = HEADER_SHORT | (decimals << SHORT_SCALE_SHIFT) |
		(negative ? SHORT_NEGATIVE : 0) |
		(weight < 0 ? SHORT_WEIGHT_NEGATIVE : 0) |
		(weight & SHORT_WEIGHT_MASK);
	memcpy(out, &header, sizeof(header));
	out += sizeof(header);
	while (count > lowest)
	{
		memcpy(out, &digits[--count], sizeof(int16));
		out += sizeof(int16);
	}
	SET_VARSIZE(buffer->bytes, out - buffer->bytes);
	return PointerGetDatum(buffer->bytes);
}

Datum
amount_to_datum(const Amount *amount, AmountBuffer *buffer)
{
	uint64		rest = amount->units < 0 ?
	-(uint64) amount->units : (uint64) amount->units;
	int16		digits[5];		/* 2^63 has five digits in base 10000 */
	int			count = 0;

	if (amount->big != NULL)
		return NumericGetDatum(amount->big);

	for (; rest > 0; rest /= BASE)
		digits[count++] = rest % BASE;
	return write_stored(buffer, digits, count, 1, amount->units < 0,
						amount->decimals);
}

bool
amount_wide_from_datum(int128 *units, int fraction, Datum value)
{
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);
	StoredNumeric stored;
	int			place;
	int			i;

	read_stored(&stored, packed);
	place = stored.weight + fraction;
	if (!stored.finite || stored.ndigits > place + 1 ||
		(stored.ndigits > 0 && place >= AMOUNT_WIDE_DIGITS))
		return false;
	*units = 0;
	for (i = 0; i < stored.ndigits; i++, place--)
	{
		int16		digit;

		memcpy(&digit, stored.digits + i * sizeof(digit), sizeof(digit));
		*units = *units * BASE + digit;
	}
	for (; place >= 0 && *units != 0; place--)
		*units *= BASE;
	if (stored.negative)
		*units = -*units;
	return true;
}

Datum
amount_wide_to_datum(int128 units, int fraction, int decimals,
					 AmountBuffer *buffer)
{
	uint128		rest = units < 0 ? -(uint128) units : (uint128) units;
	uint64		low;
	int16		digits[10];		/* 2^127 has ten digits in base 10000 */
	int			count = 0;

	for (; rest > PG_UINT64_MAX; rest /= BASE)
		digits[count++] = rest % BASE;
	for (low = rest; low > 0; low /= BASE)
		digits[count++] = low % BASE;
	return write_stored(buffer, digits, count, fraction, units < 0,
						Min(decimals, AMOUNT_MAX_DECIMALS));
}

double
amount_to_double(const Amount *amount)
{
	if (amount->big == NULL)
		return (double) amount->units / BASE;
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											  NumericGetDatum(amount->big)));
}
