/*
 * Measures: from events to the buckets of windowed rules, and from buckets to
 * the values that rules compare with their thresholds.
 *
 * A window is as long as its rule says and begins with a bucket, so windows
 * slide by a twenty-fourth of their length.  Only those that end with a bucket
 * that holds something are looked at: any other one holds no more than the one
 * that ends with the last bucket it has.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "measures.h"

PG_FUNCTION_INFO_V1(fintrans_window_hits);

/* Keys of RULE_SHARE_PASSED_ON. */
#define KEY_OUTGOING 0
#define KEY_INCOMING 1

/* Six bytes of a hash tell counterparties apart, and are kept for each. */
#define COUNTERPARTY_MASK UINT64CONST(0xFFFFFFFFFFFF)

/* Decimals of a share as it is shown. */
#define SHARE_DECIMALS 4

#define UNIX_EPOCH_OFFSET \
	((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

/* -------------------------------------------------- from events to buckets */

static int64
bucket_of(const Rule *rule, TimestampTz time)
{
	int64		since = time + UNIX_EPOCH_OFFSET;
	int64		bucket = since / rule->bucket_width;

	return since % rule->bucket_width < 0 ? bucket - 1 : bucket;
}

static TimestampTz
bucket_start(const Rule *rule, int64 bucket)
{
	return bucket * rule->bucket_width - UNIX_EPOCH_OFFSET;
}

/* Whether the rule counts such an amount. */
static bool
rule_counts(const Rule *rule, const Amount *amount)
{
	return rule->kind->measure != RULE_COUNT ||
		((rule->amount_from == NULL ||
		  amount_compare(amount, rule->amount_from) >= 0) &&
		 (rule->amount_below == NULL ||
		  amount_compare(amount, rule->amount_below) < 0));
}

/* Amounts are kept where they matter. */
static const Amount *
rule_amount(const Rule *rule, const Event *event)
{
	static const Amount none = {0};

	return rule->kind->measure == RULE_TOTAL ||
		rule->kind->measure == RULE_SHARE_PASSED_ON ? &event->amount : &none;
}

static void
add_events(Window *window, const Rule *rule, uint64 key, const Event *event)
{
	for (; event != NULL; event = event->next)
	{
		if (rule_counts(rule, &event->amount))
			window_add(window, bucket_of(rule, event->event_time), key,
					   event->removed ? -1 : 1, rule_amount(rule, event));
	}
}

/* The rule's window in the change, or NULL when it has none about the subject. */
static Window *
append_window(Windows *change, const Rule *rule, RuleSubject subject)
{
	if (rule->generation == 0 || rule->kind->subject != subject)
		return NULL;
	return windows_append(change, rule->generation, rule->cap);
}

void
measures_change_pair(const Rules *rules, const PairDelta *pair,
					 Windows *change)
{
	int			i;

	windows_create(change, rules->count);
	for (i = 0; i < rules->count; i++)
	{
		const Rule *rule = &rules->rules[i];
		Window	   *window = append_window(change, rule, RULE_PAIR);

		if (window == NULL)
			continue;
		add_events(window, rule, 0, pair->events);
		window_sort(window);
	}
}

/* As fintrans_counterparty_hash() makes it in SQL. */
static uint64
counterparty_hash(const TextSpan *account)
{
	uint64		hash =
		hash_bytes_extended((const unsigned char *) account->data,
							account->length, 0) & COUNTERPARTY_MASK;

	return Max(hash, 1);
}

/* The pair as one of its accounts sees it. */
static void
add_pair(Window *window, const Rule *rule, const PairDelta *pair,
		 bool incoming)
{
	uint64		key = 0;

	if (rule->kind->measure == RULE_COUNTERPARTIES ||
		rule->kind->measure == RULE_SHARE_PASSED_ON)
	{
		/* what an account sends itself goes nowhere */
		if (span_equal(&pair->source_account, &pair->target_account))
			return;
		if (rule->kind->measure == RULE_SHARE_PASSED_ON)
			key = incoming ? KEY_INCOMING : KEY_OUTGOING;
		else
			key = counterparty_hash(incoming ? &pair->source_account :
									&pair->target_account);
	}
	add_events(window, rule, key, pair->events);
}

void
measures_change_account(const Rules *rules, const AccountDelta *account,
						Windows *change)
{
	int			i;
	int			j;

	windows_create(change, rules->count);
	for (i = 0; i < rules->count; i++)
	{
		const Rule *rule = &rules->rules[i];
		Window	   *window = append_window(change, rule, RULE_ACCOUNT);

		if (window == NULL)
			continue;
		for (j = 0; j < account->nsent && rule->kind->outgoing; j++)
			add_pair(window, rule, account->sent[j], false);
		for (j = 0; j < account->nreceived && rule->kind->incoming; j++)
			add_pair(window, rule, account->received[j], true);
		window_sort(window);
	}
}

/* -------------------------------------------------- from buckets to values */

static int64
count_transactions(const WindowEntry *entries, int count)
{
	int64		sum = 0;
	int			i;

	for (i = 0; i < count; i++)
		sum += entries[i].transactions;
	return sum;
}

/* The total of the entries with that key. */
static void
sum_key(const WindowEntry *entries, int count, uint64 key, Amount *sum)
{
	int			i;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < count; i++)
	{
		if (entries[i].key == key)
			amount_add(sum, &entries[i].total);
	}
}

/*
 * Keys are hashes already, and none is 0: counterparties are somebody.  Where
 * they fall depends on a secret: whoever names accounts must not know.
 */
static int64
count_keys(const WindowEntry *entries, int count)
{
	static uint64 secret = 0;
	uint32		size = pg_nextpower2_32(count + count / 2 + 1);
	uint64	   *known = palloc0(size * sizeof(uint64));
	int64		different = 0;
	int			i;

	while (secret == 0)
		secret = pg_prng_uint64(&pg_global_prng_state);

	for (i = 0; i < count; i++)
	{
		uint64		key = entries[i].key;
		uint32		place = (key * (secret | 1)) >> 32 & (size - 1);

		while (known[place] != 0 && known[place] != key)
			place = (place + 1) & (size - 1);
		different += known[place] == 0;
		known[place] = key;
	}
	pfree(known);
	return different;
}

static Datum
amount_datum(const Amount *amount)
{
	AmountBuffer *buffer = palloc(sizeof(AmountBuffer));

	return amount_to_datum(amount, buffer);
}

/*
 * Whether more than the threshold's share of what came in went out again, and
 * enough came in.  Multiplied rather than divided, which would round.
 */
static bool
share_above(const Rule *rule, const WindowEntry *entries, int count,
			Amount *value)
{
	Amount		incoming;
	Amount		outgoing;
	Amount		limit;
	Amount		zero = {0};

	sum_key(entries, count, KEY_INCOMING, &incoming);
	sum_key(entries, count, KEY_OUTGOING, &outgoing);
	if (amount_compare(&incoming, &zero) <= 0 ||
		(rule->amount_from != NULL &&
		 amount_compare(&incoming, rule->amount_from) < 0))
		return false;
	amount_from_datum(&limit,
					  DirectFunctionCall2(numeric_mul, rule->threshold_datum,
										  amount_datum(&incoming)));
	if (amount_compare(&outgoing, &limit) <= 0)
		return false;
	amount_from_datum(value,
					  DirectFunctionCall2(numeric_round,
										  DirectFunctionCall2(numeric_div,
															  amount_datum(&outgoing),
															  amount_datum(&incoming)),
										  Int32GetDatum(SHARE_DECIMALS)));
	return true;
}

/* Whether the entries of one window are above the threshold, and the value. */
static bool
window_above(const Rule *rule, const WindowEntry *entries, int count,
			 Amount *value)
{
	switch (rule->kind->measure)
	{
		case RULE_TOTAL:
			sum_key(entries, count, 0, value);
			break;
		case RULE_COUNT:
			amount_from_integer(value, count_transactions(entries, count));
			break;
		case RULE_COUNTERPARTIES:
			amount_from_integer(value, count_keys(entries, count));
			break;
		case RULE_SHARE_PASSED_ON:
			return share_above(rule, entries, count, value);
	}
	return amount_compare(value, &rule->threshold) > 0;
}

static WindowHit *
new_hit(const Rule *rule, int64 last_bucket, const Amount *value,
		int64 transactions)
{
	WindowHit  *hit = palloc0(sizeof(WindowHit));

	hit->rule = rule;
	hit->last_bucket = last_bucket;
	hit->value = *value;
	hit->transactions = transactions;
	return hit;
}

/* The first bucket changed, and the last one. */
static bool
changed_range(const Window *change, int64 *first, int64 *last)
{
	if (change == NULL || change->count == 0)
		return false;
	*first = change->entries[0].bucket;
	*last = change->entries[change->count - 1].bucket;
	return true;
}

/* How many buckets it is behind an earlier one; callers may pass any two. */
static uint64
buckets_after(int64 bucket, int64 earlier)
{
	return (uint64) bucket - (uint64) earlier;
}

static List *
check_window(List *hits, const Rule *rule, const Window *state,
			 const Window *change)
{
	int64		first;
	int64		last;
	int			begin = 0;
	int			end = 0;

	if (!changed_range(change, &first, &last))
		return hits;
	while (end < state->count)
	{
		int64		bucket = state->entries[end].bucket;
		Amount		value;

		while (end < state->count && state->entries[end].bucket == bucket)
			end++;
		while (buckets_after(bucket, state->entries[begin].bucket) >=
			   WINDOW_BUCKETS)
			begin++;
		if (bucket >= first &&
			(bucket <= last || buckets_after(bucket, last) < WINDOW_BUCKETS) &&
			window_above(rule, state->entries + begin, end - begin, &value))
			hits = lappend(hits,
						   new_hit(rule, bucket, &value,
								   count_transactions(state->entries + begin,
													  end - begin)));
	}
	return hits;
}

List *
measures_hits(const Rules *rules, RuleSubject subject, const Windows *state,
			  const Windows *change)
{
	List	   *hits = NIL;
	int			i;

	for (i = 0; i < rules->count; i++)
	{
		const Rule *rule = &rules->rules[i];

		if (rule->generation != 0 && rule->kind->subject == subject)
			hits = check_window(hits, rule,
								windows_find(state, rule->generation),
								windows_find(change, rule->generation));
	}
	return hits;
}

TimestampTz
measures_window_start(const WindowHit *hit)
{
	return bucket_start(hit->rule, hit->last_bucket - WINDOW_BUCKETS + 1);
}

TimestampTz
measures_window_end(const WindowHit *hit)
{
	return bucket_start(hit->rule, hit->last_bucket + 1);
}

int16
measures_level(const Rule *rule, const Amount *value)
{
	Amount		zero = {0};
	Amount		bound = {0};
	int16		level = 0;

	if (amount_compare(&rule->threshold, &zero) <= 0)
		return 0;
	amount_copy(&bound, &rule->threshold);
	amount_add(&bound, &rule->threshold);
	while (level < MEASURES_MAX_LEVEL && amount_compare(value, &bound) > 0)
	{
		CHECK_FOR_INTERRUPTS();
		amount_add(&bound, &bound);
		level++;
	}
	return level;
}

/* ----------------------------------------------------------- function */

/* The elements of an array argument without NULLs. */
static Datum *
array_elements(FunctionCallInfo fcinfo, int argument, Oid type, int length,
			   bool by_value, char alignment, int *count)
{
	Datum	   *elements;
	int			n;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), type, length, by_value,
					  alignment, &elements, NULL, &n);
	if (*count >= 0 && n != *count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("the arrays of a window differ in length")));
	*count = n;
	return elements;
}

/* The window that the arrays from argument first on describe. */
static void
window_from_arrays(FunctionCallInfo fcinfo, int first, Windows *windows)
{
	int			count = -1;
	Datum	   *buckets = array_elements(fcinfo, first, INT8OID, 8, true,
										 TYPALIGN_DOUBLE, &count);
	Datum	   *keys = array_elements(fcinfo, first + 1, INT8OID, 8, true,
									  TYPALIGN_DOUBLE, &count);
	Datum	   *transactions = array_elements(fcinfo, first + 2, INT8OID, 8,
											  true, TYPALIGN_DOUBLE, &count);
	Datum	   *totals = array_elements(fcinfo, first + 3, NUMERICOID, -1,
										false, TYPALIGN_INT, &count);
	Window	   *window;
	int			i;

	windows_create(windows, 1);
	window = windows_append(windows, 0, 0);
	for (i = 0; i < count; i++)
	{
		Amount		total;

		amount_from_datum(&total, totals[i]);
		window_add(window, DatumGetInt64(buckets[i]),
				   (uint64) DatumGetInt64(keys[i]),
				   DatumGetInt64(transactions[i]), &total);
	}
	window_sort(window);
}

/*
 * fintrans_window_hits(kind, threshold, amount_from, buckets, keys,
 * transactions, totals): the windows above the threshold as (last_bucket,
 * value, transactions, level), by the measures that ingest uses.
 */
Datum
fintrans_window_hits(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Rule		rule = {0};
	Amount		amount_from;
	Windows		windows;
	ListCell   *cell;
	int			i;

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < PG_NARGS(); i++)
	{
		/* amount_from is the one that need not be */
		if (PG_ARGISNULL(i) && i != 2)
			return (Datum) 0;
	}
	rule.kind = rules_find_kind(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	rule.threshold_datum = PG_GETARG_DATUM(1);
	amount_from_datum(&rule.threshold, rule.threshold_datum);
	if (!PG_ARGISNULL(2))
	{
		amount_from_datum(&amount_from, PG_GETARG_DATUM(2));
		rule.amount_from = &amount_from;
	}
	window_from_arrays(fcinfo, 3, &windows);
	foreach(cell, check_window(NIL, &rule, &windows.windows[0],
							   &windows.windows[0]))
	{
		WindowHit  *hit = lfirst(cell);
		AmountBuffer value;
		Datum		values[] = {
			Int64GetDatum(hit->last_bucket),
			amount_to_datum(&hit->value, &value),
			Int64GetDatum(hit->transactions),
			Int16GetDatum(measures_level(&rule, &hit->value))
		};
		bool		nulls[lengthof(values)] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}
