/*
 * What one statement changes: the rows of its transition tables, summed up by
 * account pair and by city and minute.
 *
 * Hash tables of pointers find the delta of a row; the deltas themselves never
 * move.  Sorting works on compact entries that carry the first eight bytes of
 * the accounts as integers, so that most comparisons touch neither the
 * deltas nor the texts.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "deltas.h"
#include "fintrans_record.h"

/* The columns of fintrans_transactions that totals are made of. */
typedef enum DeltaColumn
{
	COLUMN_EVENT_TIME,
	COLUMN_CITY,
	COLUMN_SOURCE_ACCOUNT,
	COLUMN_TARGET_ACCOUNT,
	COLUMN_AMOUNT,
	COLUMN_COUNT
} DeltaColumn;

static const char *const column_names[COLUMN_COUNT] = {
	"event_time", "city", "source_account", "target_account", "amount"
};

typedef struct PairEntry
{
	uint32		hash;
	PairDelta  *delta;
	char		status;
} PairEntry;

typedef struct VolumeEntry
{
	uint32		hash;
	VolumeDelta *delta;
	char		status;
} VolumeEntry;

Datum
span_text(const TextSpan *span)
{
	return PointerGetDatum(cstring_to_text_with_len(span->data, span->length));
}

bool
span_equal(const TextSpan *a, const TextSpan *b)
{
	return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

/* As the btree orders text with COLLATE "C". */
static int
span_compare(const TextSpan *a, const TextSpan *b)
{
	int			order = memcmp(a->data, b->data, Min(a->length, b->length));

	return order != 0 ? order : a->length - b->length;
}

static bool
pair_equal(const PairDelta *a, const PairDelta *b)
{
	return span_equal(&a->source_account, &b->source_account) &&
		span_equal(&a->target_account, &b->target_account);
}

static bool
volume_equal(const VolumeDelta *a, const VolumeDelta *b)
{
	return a->minute == b->minute &&
		span_equal(&a->city, &b->city);
}

#define SH_PREFIX pair_table
#define SH_ELEMENT_TYPE PairEntry
#define SH_KEY_TYPE PairDelta *
#define SH_KEY delta
#define SH_HASH_KEY(table, key) ((key)->hash)
#define SH_EQUAL(table, a, b) pair_equal(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(table, entry) ((entry)->hash)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#define SH_PREFIX volume_table
#define SH_ELEMENT_TYPE VolumeEntry
#define SH_KEY_TYPE VolumeDelta *
#define SH_KEY delta
#define SH_HASH_KEY(table, key) ((key)->hash)
#define SH_EQUAL(table, a, b) volume_equal(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(table, entry) ((entry)->hash)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* Sort keys of a pair: the accounts' first bytes, zero-padded, big-endian. */
typedef struct PairSortEntry
{
	uint64		source_prefix;
	uint64		target_prefix;
	PairDelta  *delta;
} PairSortEntry;

static inline uint64
span_prefix(const TextSpan *span)
{
	uint64		prefix = 0;

	memcpy(&prefix, span->data, Min(span->length, (int) sizeof(prefix)));
	return pg_ntoh64(prefix);
}

/*
 * Text holds no zero byte, so equal prefixes that end in one mean equal texts,
 * and neither has to be looked at.
 */
static inline int
prefixed_compare(uint64 a_prefix, const TextSpan *a,
				 uint64 b_prefix, const TextSpan *b)
{
	if (a_prefix != b_prefix)
		return a_prefix < b_prefix ? -1 : 1;
	if ((a_prefix & 0xFF) == 0)
		return 0;
	return span_compare(a, b);
}

static inline int
pair_sort_compare(const PairSortEntry *a, const PairSortEntry *b)
{
	int			order;

	order = prefixed_compare(a->source_prefix, &a->delta->source_account,
							 b->source_prefix, &b->delta->source_account);
	if (order != 0)
		return order;
	return prefixed_compare(a->target_prefix, &a->delta->target_account,
							b->target_prefix, &b->delta->target_account);
}

/* Likewise of a pair's target alone. */
typedef struct TargetSortEntry
{
	uint64		prefix;
	PairDelta  *delta;
} TargetSortEntry;

static inline int
target_sort_compare(const TargetSortEntry *a, const TargetSortEntry *b)
{
	return prefixed_compare(a->prefix, &a->delta->target_account,
							b->prefix, &b->delta->target_account);
}

static int
volume_sort_compare(const void *left, const void *right)
{
	const VolumeDelta *a = *(VolumeDelta *const *) left;
	const VolumeDelta *b = *(VolumeDelta *const *) right;
	int			order = span_compare(&a->city, &b->city);

	return order != 0 ? order : (a->minute > b->minute) - (a->minute < b->minute);
}

#define ST_SORT sort_pairs
#define ST_ELEMENT_TYPE PairSortEntry
#define ST_COMPARE(a, b) pair_sort_compare(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_targets
#define ST_ELEMENT_TYPE TargetSortEntry
#define ST_COMPARE(a, b) target_sort_compare(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

struct Deltas
{
	MemoryContext context;		/* all that follows; reset with the set */
	TupleDesc	descriptor;		/* whose columns are known */
	AttrNumber	columns[COLUMN_COUNT];
	AttrNumber	last_column;
	bool		events;			/* are wanted */
	pair_table_hash *pairs;
	volume_table_hash *volumes;
	VolumeDelta *last_volume;	/* most rows repeat the city and minute */
	char	   *rest;			/* unused, of the newest block */
	Size		rest_bytes;
};

#define BLOCK_BYTES (64 * 1024)
#define FIRST_TABLE_SIZE 1024

static void
deltas_start(Deltas *deltas)
{
	deltas->pairs = pair_table_create(deltas->context, FIRST_TABLE_SIZE, NULL);
	deltas->volumes = volume_table_create(deltas->context, 16, NULL);
	deltas->last_volume = NULL;
	deltas->rest = NULL;
	deltas->rest_bytes = 0;
}

Deltas *
deltas_create(bool events)
{
	Deltas	   *deltas = palloc0(sizeof(Deltas));

	deltas->events = events;
	deltas->context = AllocSetContextCreate(CurrentMemoryContext,
											"fintrans deltas",
											ALLOCSET_DEFAULT_SIZES);
	deltas_start(deltas);
	return deltas;
}

void
deltas_reset(Deltas *deltas)
{
	MemoryContextReset(deltas->context);
	deltas_start(deltas);
}

/*
 * maintenance_work_mem rather than work_mem: applying in several rounds gives
 * up the one order in which writers lock rows.  No array made of the set may
 * need more than palloc() gives.
 */
bool
deltas_full(const Deltas *deltas)
{
	return MemoryContextMemAllocated(deltas->context, true) >
		Min((Size) maintenance_work_mem * 1024, MaxAllocSize / 2);
}

/* A leaf attached by hand may have its columns in another order. */
static void
find_columns(Deltas *deltas, TupleDesc descriptor)
{
	int			i;

	deltas->last_column = 0;
	for (i = 0; i < COLUMN_COUNT; i++)
	{
		int			number = SPI_fnumber(descriptor, column_names[i]);

		if (number <= 0)
			elog(ERROR, "transition table has no column \"%s\"",
				 column_names[i]);
		deltas->columns[i] = number;
		deltas->last_column = Max(deltas->last_column, number);
	}
	deltas->descriptor = descriptor;
}

static inline TextSpan
text_span(Datum value)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(value);
	TextSpan	span = {VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text)};

	return span;
}

/*
 * Memory that lives as long as the set: there are several pieces for each row,
 * which cost more one by one.
 */
static void *
keep(Deltas *deltas, Size bytes)
{
	char	   *kept;

	if (bytes > BLOCK_BYTES / 8)
		return palloc(bytes);
	bytes = MAXALIGN(bytes);
	if (bytes > deltas->rest_bytes)
	{
		deltas->rest = palloc(BLOCK_BYTES);
		deltas->rest_bytes = BLOCK_BYTES;
	}
	kept = deltas->rest;
	deltas->rest += bytes;
	deltas->rest_bytes -= bytes;
	return kept;
}

static TextSpan
keep_span(Deltas *deltas, TextSpan span)
{
	char	   *text = keep(deltas, span.length);
	TextSpan	kept = {text, span.length};

	memcpy(text, span.data, span.length);
	return kept;
}

/*
 * Seeded, once for the backend: whoever names accounts must not know which of
 * them collide.
 */
static inline uint32
span_hash(const TextSpan *span)
{
	static uint64 seed = 0;

	while (seed == 0)
		seed = pg_prng_uint64(&pg_global_prng_state);
	return (uint32) hash_bytes_extended((const unsigned char *) span->data,
										span->length, seed);
}

static PairDelta *
find_pair(Deltas *deltas, TextSpan source_account, TextSpan target_account)
{
	PairDelta	wanted = {
		.source_account = source_account,
		.target_account = target_account
	};
	PairEntry  *entry;
	bool		found;

	wanted.source_hash = span_hash(&source_account);
	wanted.target_hash = span_hash(&target_account);
	wanted.hash = hash_combine(wanted.source_hash, wanted.target_hash);
	entry = pair_table_insert(deltas->pairs, &wanted, &found);
	if (!found)
	{
		PairDelta  *delta = keep(deltas, sizeof(PairDelta));

		*delta = wanted;
		delta->source_account = keep_span(deltas, source_account);
		delta->target_account = keep_span(deltas, target_account);
		delta->first_time = DT_NOEND;
		delta->last_time = DT_NOBEGIN;
		entry->delta = delta;
	}
	return entry->delta;
}

static VolumeDelta *
find_volume(Deltas *deltas, TextSpan city, TimestampTz minute,
			const Amount *amount)
{
	VolumeDelta wanted = {.city = city, .minute = minute};
	VolumeEntry *entry;
	bool		found;

	if (deltas->last_volume != NULL &&
		deltas->last_volume->minute == minute &&
		span_equal(&deltas->last_volume->city, &city))
		return deltas->last_volume;

	wanted.hash =
		hash_combine(span_hash(&city),
					 murmurhash32((uint32) (minute / USECS_PER_MINUTE)));
	entry = volume_table_insert(deltas->volumes, &wanted, &found);
	if (!found)
	{
		VolumeDelta *delta = keep(deltas, sizeof(VolumeDelta));

		*delta = wanted;
		delta->city = keep_span(deltas, city);
		amount_copy(&delta->minimum, amount);
		amount_copy(&delta->maximum, amount);
		entry->delta = delta;
	}
	deltas->last_volume = entry->delta;
	return entry->delta;
}

static inline TimestampTz
minute_of(TimestampTz time)
{
	TimestampTz rest = time % USECS_PER_MINUTE;

	return time - (rest < 0 ? rest + USECS_PER_MINUTE : rest);
}

static void
add_to_pair(PairDelta *delta, TimestampTz event_time, const Amount *amount,
			bool removed)
{
	if (removed)
	{
		delta->transactions--;
		amount_subtract(&delta->amount, amount);
	}
	else
	{
		delta->transactions++;
		amount_add(&delta->amount, amount);
	}
	delta->first_time = Min(delta->first_time, event_time);
	delta->last_time = Max(delta->last_time, event_time);
}

static void
add_to_volume(VolumeDelta *delta, const Amount *amount, bool removed)
{
	if (removed)
	{
		delta->transactions--;
		delta->removed = true;
		amount_subtract(&delta->amount, amount);
	}
	else
	{
		delta->transactions++;
		amount_add(&delta->amount, amount);
	}
	if (amount_compare(amount, &delta->minimum) < 0)
		amount_copy(&delta->minimum, amount);
	if (amount_compare(amount, &delta->maximum) > 0)
		amount_copy(&delta->maximum, amount);
}

static void
add_event(Deltas *deltas, PairDelta *delta, TimestampTz event_time,
		  const Amount *amount, bool removed)
{
	Event	   *event = keep(deltas, sizeof(Event));

	event->next = delta->events;
	delta->events = event;
	event->event_time = event_time;
	memset(&event->amount, 0, sizeof(event->amount));
	amount_copy(&event->amount, amount);
	event->removed = removed;
}

void
deltas_add_row(Deltas *deltas, TupleTableSlot *slot, bool removed)
{
	MemoryContext caller = MemoryContextSwitchTo(deltas->context);
	const AttrNumber *columns = deltas->columns;
	Datum	   *values;
	TimestampTz event_time;
	Amount		amount;
	PairDelta  *pair;

	if (slot->tts_tupleDescriptor != deltas->descriptor)
		find_columns(deltas, slot->tts_tupleDescriptor);
	slot_getsomeattrs(slot, deltas->last_column);
	values = slot->tts_values;

	event_time =
		DatumGetTimestampTz(values[columns[COLUMN_EVENT_TIME] - 1]);
	amount_from_datum(&amount, values[columns[COLUMN_AMOUNT] - 1]);
	pair = find_pair(deltas,
					 text_span(values[columns[COLUMN_SOURCE_ACCOUNT] - 1]),
					 text_span(values[columns[COLUMN_TARGET_ACCOUNT] - 1]));
	add_to_pair(pair, event_time, &amount, removed);
	if (deltas->events)
		add_event(deltas, pair, event_time, &amount, removed);
	add_to_volume(find_volume(deltas,
							  text_span(values[columns[COLUMN_CITY] - 1]),
							  minute_of(event_time), &amount),
				  &amount, removed);
	amount_free(&amount);
	MemoryContextSwitchTo(caller);
}

PairDelta **
deltas_sorted_pairs(Deltas *deltas, int *count)
{
	MemoryContext caller = MemoryContextSwitchTo(deltas->context);
	Size		members = deltas->pairs->members;
	PairSortEntry *entries;
	PairDelta **sorted;
	pair_table_iterator iterator;
	PairEntry  *entry;
	Size		i = 0;

	entries = MemoryContextAllocHuge(deltas->context,
									 Max(members, 1) * sizeof(PairSortEntry));
	pair_table_start_iterate(deltas->pairs, &iterator);
	while ((entry = pair_table_iterate(deltas->pairs, &iterator)) != NULL)
	{
		entries[i].source_prefix = span_prefix(&entry->delta->source_account);
		entries[i].target_prefix = span_prefix(&entry->delta->target_account);
		entries[i++].delta = entry->delta;
	}
	sort_pairs(entries, members);

	sorted = MemoryContextAllocHuge(deltas->context,
									Max(members, 1) * sizeof(PairDelta *));
	for (i = 0; i < members; i++)
		sorted[i] = entries[i].delta;
	pfree(entries);
	*count = members;
	MemoryContextSwitchTo(caller);
	return sorted;
}

PairDelta **
deltas_sorted_by_target(Deltas *deltas, PairDelta **pairs, int count)
{
	TargetSortEntry *entries =
		MemoryContextAllocHuge(deltas->context,
							   count * sizeof(TargetSortEntry));
	PairDelta **sorted = MemoryContextAllocHuge(deltas->context,
												count * sizeof(PairDelta *));
	int			i;

	for (i = 0; i < count; i++)
	{
		entries[i].prefix = span_prefix(&pairs[i]->target_account);
		entries[i].delta = pairs[i];
	}
	sort_targets(entries, count);
	for (i = 0; i < count; i++)
		sorted[i] = entries[i].delta;
	pfree(entries);
	return sorted;
}

/* Take the pairs that have the account from the front. */
static PairDelta **
take_pairs(PairDelta ***pairs, int *count, const TextSpan *account,
		   bool by_target, int *taken)
{
	PairDelta **first = *pairs;
	int			n = 0;

	while (n < *count &&
		   span_equal(by_target ? &first[n]->target_account :
					  &first[n]->source_account, account))
		n++;
	*pairs += n;
	*count -= n;
	*taken = n;
	return first;
}

bool
deltas_next_account(AccountWalk *walk, AccountDelta *account)
{
	const PairDelta *source = walk->nsent > 0 ? walk->sent[0] : NULL;
	const PairDelta *target = walk->nreceived > 0 ? walk->received[0] : NULL;

	if (source == NULL && target == NULL)
		return false;
	if (target == NULL ||
		(source != NULL && span_compare(&source->source_account,
										&target->target_account) <= 0))
	{
		account->account = source->source_account;
		account->hash = source->source_hash;
	}
	else
	{
		account->account = target->target_account;
		account->hash = target->target_hash;
	}
	account->sent = take_pairs(&walk->sent, &walk->nsent, &account->account,
							   false, &account->nsent);
	account->received = take_pairs(&walk->received, &walk->nreceived,
								   &account->account, true,
								   &account->nreceived);
	return true;
}

VolumeDelta **
deltas_sorted_volumes(Deltas *deltas, int *count)
{
	VolumeDelta **sorted;
	volume_table_iterator iterator;
	VolumeEntry *entry;
	Size		i = 0;

	sorted = MemoryContextAllocHuge(deltas->context,
									Max(deltas->volumes->members, 1) *
									sizeof(VolumeDelta *));
	volume_table_start_iterate(deltas->volumes, &iterator);
	while ((entry = volume_table_iterate(deltas->volumes, &iterator)) != NULL)
		sorted[i++] = entry->delta;
	qsort(sorted, i, sizeof(VolumeDelta *), volume_sort_compare);
	*count = i;
	return sorted;
}
