/*
 * Window states: what a pair or an account moved lately, for each windowed
 * rule, in buckets of a twenty-fourth of the rule's window.
 *
 * Stored form: a version byte; the number of windows; for each window its
 * generation, cap, how many of newest and late it has and these, FORM_ flags,
 * the number of entries; for each entry the step from the last one's bucket,
 * key, transactions and total, as far as the flags say.  All numbers are
 * varints of seven bits a byte, low ones first; signed ones fold the sign into
 * the lowest bit.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "windows.h"

PG_FUNCTION_INFO_V1(fintrans_windows_with);
PG_FUNCTION_INFO_V1(fintrans_windows_changed);
PG_FUNCTION_INFO_V1(fintrans_window_state_add);
PG_FUNCTION_INFO_V1(fintrans_window_state_made);
PG_FUNCTION_INFO_V1(fintrans_window_entries);

#define STORED_VERSION 1

/* What entries are stored like. */
#define FORM_TOTALS 1			/* rules that count have none */
#define FORM_HASHES 2			/* keys take HASH_BYTES each, low ones first */

#define HASH_BYTES 6

/* Fewer decimals than that are a total in int64 units; else it is numeric. */
#define TAG_NUMERIC 0xFF

void
windows_create(Windows *windows, int count)
{
	windows->count = 0;
	windows->windows = palloc0(Max(count, 1) * sizeof(Window));
}

Window *
windows_append(Windows *windows, int generation, int cap)
{
	Window	   *window = &windows->windows[windows->count++];

	window->generation = generation;
	window->cap = cap;
	window->newest = WINDOW_NEVER;
	window->late = WINDOW_NEVER;
	window->count = 0;
	window->room = 0;
	window->entries = NULL;
	return window;
}

Window *
windows_find(const Windows *windows, int generation)
{
	int			i;

	for (i = 0; i < windows->count; i++)
	{
		if (windows->windows[i].generation == generation)
			return &windows->windows[i];
	}
	return NULL;
}

bool
windows_empty(const Windows *windows)
{
	int			i;

	for (i = 0; i < windows->count; i++)
	{
		if (windows->windows[i].count > 0)
			return false;
	}
	return true;
}

static WindowEntry *
new_entry(Window *window)
{
	if (window->count == window->room)
	{
		window->room = Max(4, 2 * window->room);
		window->entries = window->entries == NULL ?
			palloc(window->room * sizeof(WindowEntry)) :
			repalloc_huge(window->entries,
						  window->room * sizeof(WindowEntry));
	}
	return &window->entries[window->count++];
}

void
window_add(Window *window, int64 bucket, uint64 key, int64 transactions,
		   const Amount *total)
{
	WindowEntry *entry = new_entry(window);

	memset(entry, 0, sizeof(*entry));
	entry->bucket = bucket;
	entry->key = key;
	entry->transactions = transactions;
	if (transactions < 0)
		amount_subtract(&entry->total, total);
	else
	{
		amount_add(&entry->total, total);
		window->newest = Max(window->newest, bucket);
	}
}

static inline int
compare_entries(const WindowEntry *a, const WindowEntry *b)
{
	if (a->bucket != b->bucket)
		return a->bucket < b->bucket ? -1 : 1;
	return (a->key > b->key) - (a->key < b->key);
}

#define ST_SORT sort_entries
#define ST_ELEMENT_TYPE WindowEntry
#define ST_COMPARE(a, b) compare_entries(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

void
window_sort(Window *window)
{
	int			n = 0;
	int			i;

	if (window->count < 2)
		return;
	sort_entries(window->entries, window->count);
	for (i = 1; i < window->count; i++)
	{
		WindowEntry *entry = &window->entries[i];
		WindowEntry *last = &window->entries[n];

		if (compare_entries(last, entry) != 0)
			window->entries[++n] = *entry;
		else
		{
			last->transactions += entry->transactions;
			amount_add(&last->total, &entry->total);
		}
	}
	window->count = n + 1;
}

/* ------------------------------------------------------------- merging */

static bool
is_kept(const Window *window, int64 bucket)
{
	if (window->newest == WINDOW_NEVER)
		return false;
	return bucket > window->newest - WINDOW_KEPT_BUCKETS ||
		(window->late != WINDOW_NEVER &&
		 bucket > window->late - WINDOW_KEPT_BUCKETS &&
		 bucket < window->late + WINDOW_KEPT_BUCKETS);
}

/* Where time has come to: events far ahead leave behind what was newest. */
static void
advance(Window *result, const Window *old, const Window *change)
{
	result->newest = Max(old->newest, change->newest);
	result->late = old->late;
	if (old->newest == WINDOW_NEVER || change->newest == WINDOW_NEVER)
		return;
	if (change->newest <= old->newest - WINDOW_KEPT_BUCKETS)
		result->late = change->newest;
	else if (old->newest <= change->newest - WINDOW_KEPT_BUCKETS)
		result->late = old->newest;
}

/* The first bucket that is kept, or takes part in judging the change. */
static int64
first_needed(const Window *result, const Window *change)
{
	int64		first = PG_INT64_MAX;

	if (result->newest != WINDOW_NEVER)
		first = result->newest - WINDOW_KEPT_BUCKETS + 1;
	if (result->late != WINDOW_NEVER)
		first = Min(first, result->late - WINDOW_KEPT_BUCKETS + 1);
	if (change->count > 0)
		first = Min(first, change->entries[0].bucket - WINDOW_BUCKETS + 1);
	return first;
}

/* How many entries from begin on lie in the same bucket. */
static int
bucket_width(const Window *window, int begin)
{
	int			end = begin;

	while (end < window->count &&
		   window->entries[end].bucket == window->entries[begin].bucket)
		end++;
	return end - begin;
}

/* How many of a bucket's keys the change leaves in it. */
static int
count_kept(const WindowEntry *old, int nold,
		   const WindowEntry *change, int nchange)
{
	int			kept = 0;

	for (; nold > 0; nold--, old++)
	{
		int64		transactions = old->transactions;

		while (nchange > 0 && change->key < old->key)
		{
			change++;
			nchange--;
		}
		if (nchange > 0 && change->key == old->key)
			transactions += change->transactions;
		kept += transactions > 0;
	}
	return kept;
}

/* Note in changes, unless it is NULL, what became of the old entry. */
static void
note_change(Window *changes, const WindowEntry *old, const WindowEntry *change,
			bool removed)
{
	WindowEntry noted = *change;

	if (changes == NULL)
		return;
	if (removed)
	{
		noted.transactions = -old->transactions;
		memset(&noted.total, 0, sizeof(noted.total));
		amount_subtract(&noted.total, &old->total);
	}
	*new_entry(changes) = noted;
}

/*
 * Merge one bucket of both.  A full one takes no more keys: it has as many as
 * it takes to decide.  Those that this change removes make room.
 */
static void
merge_bucket(Window *result, Window *changes,
			 const WindowEntry *old, int nold,
			 const WindowEntry *change, int nchange)
{
	int			keys = count_kept(old, nold, change, nchange);

	while (nold > 0 || nchange > 0)
	{
		int			order = nold == 0 ? 1 : nchange == 0 ? -1 :
			(old->key > change->key) - (old->key < change->key);
		WindowEntry entry;

		if (order > 0)
		{
			nchange--;
			entry = *change++;
			if (entry.transactions <= 0 ||
				(result->cap > 0 && keys >= result->cap))
				continue;
			note_change(changes, NULL, &entry, false);
			keys++;
		}
		else
		{
			nold--;
			entry = *old++;
			if (order == 0)
			{
				nchange--;
				entry.transactions += change->transactions;
				amount_add(&entry.total, &change->total);
				note_change(changes, old - 1, change,
							entry.transactions <= 0);
				change++;
			}
		}
		if (entry.transactions > 0)
			*new_entry(result) = entry;
	}
}

/*
 * Merge the entries of both, without the old buckets before first.  changes,
 * unless it is NULL, gets what leads from old to result.
 */
static void
merge_entries(Window *result, Window *changes, const Window *old,
			  const Window *change, int64 first)
{
	int			i = 0;
	int			j = 0;

	while (i < old->count && old->entries[i].bucket < first)
		i++;
	while (i < old->count || j < change->count)
	{
		const WindowEntry *a = old->entries + i;
		const WindowEntry *b = change->entries + j;
		int			na = 0;
		int			nb = 0;

		if (j == change->count ||
			(i < old->count && a->bucket <= b->bucket))
			na = bucket_width(old, i);
		if (i == old->count ||
			(j < change->count && b->bucket <= a->bucket))
			nb = bucket_width(change, j);
		merge_bucket(result, changes, a, na, b, nb);
		i += na;
		j += nb;
	}
}

/* The window of that generation, or an empty one. */
static const Window *
find_or_none(const Windows *windows, int generation)
{
	static const Window none = {
		.newest = WINDOW_NEVER,
		.late = WINDOW_NEVER
	};
	const Window *window = windows_find(windows, generation);

	return window != NULL ? window : &none;
}

void
windows_merge(Windows *result, const Windows *old, const Windows *change)
{
	int			i;

	windows_create(result, change->count);
	for (i = 0; i < change->count; i++)
	{
		const Window *new_window = &change->windows[i];
		const Window *old_window = find_or_none(old, new_window->generation);
		Window	   *merged = windows_append(result, new_window->generation,
											new_window->cap);

		advance(merged, old_window, new_window);
		merge_entries(merged, NULL, old_window, new_window,
					  first_needed(merged, new_window));
	}
}

static Window
trim_window(const Window *window)
{
	Window		kept = *window;
	int			i;

	kept.count = 0;
	for (i = 0; i < window->count; i++)
	{
		if (is_kept(window, window->entries[i].bucket))
			kept.count++;
	}
	if (kept.count == window->count)
		return kept;
	kept.room = 0;
	kept.count = 0;
	kept.entries = NULL;
	for (i = 0; i < window->count; i++)
	{
		if (is_kept(window, window->entries[i].bucket))
			*new_entry(&kept) = window->entries[i];
	}
	return kept;
}

void
windows_trim(Windows *trimmed, const Windows *windows)
{
	int			i;

	windows_create(trimmed, windows->count);
	for (i = 0; i < windows->count; i++)
		trimmed->windows[trimmed->count++] = trim_window(&windows->windows[i]);
}

/* ------------------------------------------------------------- changes */

bool
windows_keep(const Windows *state, const Windows *others)
{
	int			i;
	int			j;

	for (i = 0; i < others->count; i++)
	{
		const Window *other = &others->windows[i];
		const Window *window = windows_find(state, other->generation);

		if (window == NULL)
			return false;
		for (j = 0; j < other->count; j++)
		{
			if (!is_kept(window, other->entries[j].bucket))
				return false;
		}
	}
	return true;
}

/* The entries of both, summed up. */
static void
add_up(Window *sum, const Window *a, const Window *b)
{
	int			i = 0;
	int			j = 0;

	while (i < a->count || j < b->count)
	{
		int			order = i == a->count ? 1 : j == b->count ? -1 :
			compare_entries(&a->entries[i], &b->entries[j]);
		WindowEntry *entry = new_entry(sum);

		*entry = order <= 0 ? a->entries[i++] : b->entries[j++];
		if (order == 0)
		{
			entry->transactions += b->entries[j].transactions;
			amount_add(&entry->total, &b->entries[j++].total);
		}
	}
}

/* A window of that generation whose time is the other's. */
static Window *
append_like(Windows *windows, const Window *like)
{
	Window	   *window = windows_append(windows, like->generation, like->cap);

	window->newest = like->newest;
	window->late = like->late;
	return window;
}

void
windows_merge_changes(Windows *result, Windows *new_changes,
					  const Windows *base, const Windows *changes,
					  const Windows *change)
{
	int			i;

	windows_create(result, change->count);
	windows_create(new_changes, change->count);
	for (i = 0; i < change->count; i++)
	{
		const Window *new_window = &change->windows[i];
		const Window *old_window = find_or_none(base, new_window->generation);
		const Window *changed = windows_find(changes, new_window->generation);
		Window	   *merged = windows_append(result, new_window->generation,
											new_window->cap);
		Window		all = {0};

		advance(merged, changed != NULL ? changed : old_window, new_window);
		if (changed != NULL)
			add_up(&all, changed, new_window);
		else
			all = *new_window;
		merge_entries(merged, append_like(new_changes, merged), old_window,
					  &all, first_needed(merged, new_window));
	}
}

void
windows_changed(Windows *state, const Windows *base, const Windows *changes)
{
	int			i;

	windows_create(state, changes->count);
	for (i = 0; i < changes->count; i++)
	{
		const Window *window = &changes->windows[i];

		merge_entries(append_like(state, window), NULL,
					  find_or_none(base, window->generation), window,
					  PG_INT64_MIN);
	}
}

/* ------------------------------------------------------------- storing */

static void
write_unsigned(StringInfo out, uint64 value)
{
	while (value >= 0x80)
	{
		appendStringInfoCharMacro(out, (char) (value | 0x80));
		value >>= 7;
	}
	appendStringInfoCharMacro(out, (char) value);
}

static void
write_signed(StringInfo out, int64 value)
{
	write_unsigned(out, ((uint64) value << 1) ^ (uint64) (value >> 63));
}

static void
write_amount(StringInfo out, const Amount *amount)
{
	if (amount->big == NULL)
	{
		appendStringInfoCharMacro(out, (char) amount->decimals);
		write_signed(out, amount->units);
	}
	else
	{
		char	   *text =
			DatumGetCString(DirectFunctionCall1(numeric_out,
												NumericGetDatum(amount->big)));

		appendStringInfoCharMacro(out, (char) TAG_NUMERIC);
		write_unsigned(out, strlen(text));
		appendStringInfoString(out, text);
		pfree(text);
	}
}

/* The shortest form that has room for all entries. */
static int
fitting_form(const Window *window)
{
	uint64		largest = 0;
	bool		totals = false;
	int			i;

	for (i = 0; i < window->count; i++)
	{
		const WindowEntry *entry = &window->entries[i];

		largest = Max(largest, entry->key);
		totals |= entry->total.big != NULL || entry->total.units != 0;
	}
	return (totals ? FORM_TOTALS : 0) |
		(largest > 1 && largest >> (8 * HASH_BYTES) == 0 ? FORM_HASHES : 0);
}

static void
write_hash(StringInfo out, uint64 key)
{
	int			i;

	for (i = 0; i < HASH_BYTES; i++)
		appendStringInfoCharMacro(out, (char) (key >> (8 * i)));
}

static void
write_window(StringInfo out, const Window *window)
{
	int			form = fitting_form(window);
	int64		bucket = 0;
	int			i;

	write_unsigned(out, window->generation);
	write_unsigned(out, window->cap);
	write_unsigned(out, (window->newest != WINDOW_NEVER) +
				   (window->late != WINDOW_NEVER));
	if (window->newest != WINDOW_NEVER)
		write_signed(out, window->newest);
	if (window->late != WINDOW_NEVER)
		write_signed(out, window->late);
	write_unsigned(out, form);
	write_unsigned(out, window->count);
	for (i = 0; i < window->count; i++)
	{
		const WindowEntry *entry = &window->entries[i];

		write_signed(out, entry->bucket - bucket);
		if (form & FORM_HASHES)
			write_hash(out, entry->key);
		else
			write_unsigned(out, entry->key);
		write_signed(out, entry->transactions);
		if (form & FORM_TOTALS)
			write_amount(out, &entry->total);
		bucket = entry->bucket;
	}
}

bytea *
windows_encode(const Windows *windows)
{
	StringInfoData out;
	int			i;

	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	appendStringInfoCharMacro(&out, STORED_VERSION);
	write_unsigned(&out, windows->count);
	for (i = 0; i < windows->count; i++)
		write_window(&out, &windows->windows[i]);
	SET_VARSIZE(out.data, out.len);
	return (bytea *) out.data;
}

/* What is left to read. */
typedef struct Reader
{
	const char *next;
	const char *end;
} Reader;

static void
refuse_stored(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("window state is damaged"),
			 errhint("SELECT * FROM fintrans_rebuild() makes it anew.")));
}

static inline uint8
read_byte(Reader *reader)
{
	if (reader->next == reader->end)
		refuse_stored();
	return (uint8) *reader->next++;
}

static inline uint64
read_unsigned(Reader *reader)
{
	uint64		value = 0;
	int			shift;
	uint8		byte;

	for (shift = 0; shift < 64; shift += 7)
	{
		byte = read_byte(reader);
		value |= (uint64) (byte & 0x7F) << shift;
		if (byte < 0x80)
			return value;
	}
	refuse_stored();
	return 0;
}

static inline int64
read_signed(Reader *reader)
{
	uint64		value = read_unsigned(reader);

	return (int64) (value >> 1) ^ -(int64) (value & 1);
}

static uint64
read_hash(Reader *reader)
{
	uint64		key = 0;
	int			i;

	if (reader->end - reader->next < HASH_BYTES)
		refuse_stored();
	for (i = 0; i < HASH_BYTES; i++)
		key |= (uint64) (uint8) reader->next[i] << (8 * i);
	reader->next += HASH_BYTES;
	return key;
}

/* A number of things that take at least a byte each. */
static int
read_count(Reader *reader)
{
	uint64		value = read_unsigned(reader);

	if (value > (uint64) (reader->end - reader->next))
		refuse_stored();
	return (int) value;
}

static int
read_integer(Reader *reader)
{
	uint64		value = read_unsigned(reader);

	if (value > PG_INT32_MAX)
		refuse_stored();
	return (int) value;
}

static void
read_amount(Reader *reader, Amount *amount)
{
	uint8		tag = read_byte(reader);
	char	   *text;
	size_t		length;

	memset(amount, 0, sizeof(*amount));
	if (tag <= AMOUNT_MAX_DECIMALS)
	{
		amount->decimals = tag;
		amount->units = read_signed(reader);
		return;
	}
	if (tag != TAG_NUMERIC)
		refuse_stored();
	length = read_count(reader);
	text = pnstrdup(reader->next, length);
	if (length == 0 || strspn(text, "-.0123456789") != length)
		refuse_stored();
	amount_from_datum(amount,
					  DirectFunctionCall3(numeric_in,
										  CStringGetDatum(text),
										  ObjectIdGetDatum(InvalidOid),
										  Int32GetDatum(-1)));
	reader->next += length;
}

static void
read_window(Reader *reader, Windows *windows)
{
	int			generation = read_integer(reader);
	Window	   *window = windows_append(windows, generation,
										read_integer(reader));
	int64		bucket = 0;
	int			times;
	int			form;
	int			i;

	times = read_integer(reader);
	if (times > 0)
		window->newest = read_signed(reader);
	if (times > 1)
		window->late = read_signed(reader);
	form = read_integer(reader);
	window->count = window->room = read_count(reader);
	window->entries = palloc0(Max(window->room, 1) * sizeof(WindowEntry));
	for (i = 0; i < window->count; i++)
	{
		WindowEntry *entry = &window->entries[i];

		bucket += read_signed(reader);
		entry->bucket = bucket;
		entry->key = form & FORM_HASHES ? read_hash(reader) :
			read_unsigned(reader);
		entry->transactions = read_signed(reader);
		if (form & FORM_TOTALS)
			read_amount(reader, &entry->total);
		if (i > 0 && compare_entries(entry - 1, entry) >= 0)
			refuse_stored();
	}
}

void
windows_decode(Windows *windows, const bytea *stored)
{
	Reader		reader = {
		VARDATA_ANY(stored), VARDATA_ANY(stored) + VARSIZE_ANY_EXHDR(stored)
	};
	int			count;
	int			i;

	if (read_byte(&reader) != STORED_VERSION)
		refuse_stored();
	count = read_count(&reader);
	windows_create(windows, count);
	for (i = 0; i < count; i++)
		read_window(&reader, windows);
	if (reader.next != reader.end)
		refuse_stored();
}

/* ----------------------------------------------------------- functions */

/*
 * fintrans_windows_with(state, others): the state with the others' windows,
 * which take the place of those of the same generation; NULL is none.
 */
Datum
fintrans_windows_with(PG_FUNCTION_ARGS)
{
	Windows		state;
	Windows		others;
	Windows		result;
	int			i;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(0))
		PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P(1));
	windows_decode(&state, PG_GETARG_BYTEA_PP(0));
	windows_decode(&others, PG_GETARG_BYTEA_PP(1));
	windows_create(&result, state.count + others.count);
	for (i = 0; i < state.count; i++)
	{
		if (windows_find(&others, state.windows[i].generation) == NULL)
			result.windows[result.count++] = state.windows[i];
	}
	for (i = 0; i < others.count; i++)
		result.windows[result.count++] = others.windows[i];
	PG_RETURN_BYTEA_P(windows_encode(&result));
}

/*
 * fintrans_windows_changed(base, changes): the state that they lead to; NULL
 * changes are none.
 */
Datum
fintrans_windows_changed(PG_FUNCTION_ARGS)
{
	Windows		base;
	Windows		changes;
	Windows		state;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P(0));
	windows_decode(&base, PG_GETARG_BYTEA_PP(0));
	windows_decode(&changes, PG_GETARG_BYTEA_PP(1));
	windows_changed(&state, &base, &changes);
	PG_RETURN_BYTEA_P(windows_encode(&state));
}

/*
 * Transition of fintrans_window_state(generation, cap, bucket, key,
 * transactions, total): note one entry.  A state has few generations.
 */
Datum
fintrans_window_state_add(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate;
	MemoryContext caller;
	Windows    *windows;
	Window	   *window;
	Amount		total;
	int			i;

	if (!AggCheckCallContext(fcinfo, &aggregate))
		elog(ERROR, "fintrans_window_state_add called outside an aggregate");
	for (i = 1; i < PG_NARGS(); i++)
	{
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a window state cannot have NULL in it")));
	}
	caller = MemoryContextSwitchTo(aggregate);
	if (PG_ARGISNULL(0))
	{
		windows = palloc(sizeof(Windows));
		windows_create(windows, 1);
		windows_append(windows, PG_GETARG_INT32(1), PG_GETARG_INT32(2));
	}
	else
		windows = (Windows *) PG_GETARG_POINTER(0);
	window = windows_find(windows, PG_GETARG_INT32(1));
	if (window == NULL)
		elog(ERROR, "a window state is made for one rule at a time");
	amount_from_datum(&total, PG_GETARG_DATUM(6));
	window_add(window, PG_GETARG_INT64(3), (uint64) PG_GETARG_INT64(4),
			   PG_GETARG_INT64(5), &total);
	MemoryContextSwitchTo(caller);
	PG_RETURN_POINTER(windows);
}

/* The last bucket that the newest one leaves behind. */
static void
find_late(Window *window)
{
	int			i;

	for (i = 0; i < window->count &&
		 window->entries[i].bucket <= window->newest - WINDOW_KEPT_BUCKETS; i++)
		window->late = window->entries[i].bucket;
}

/* Final function of fintrans_window_state(); NULL of no entries. */
Datum
fintrans_window_state_made(PG_FUNCTION_ARGS)
{
	Windows    *windows;
	Windows		none;
	Windows		state;
	Windows		trimmed;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	windows = (Windows *) PG_GETARG_POINTER(0);
	window_sort(&windows->windows[0]);
	windows_create(&none, 0);
	windows_merge(&state, &none, windows);
	find_late(&state.windows[0]);
	windows_trim(&trimmed, &state);
	PG_RETURN_BYTEA_P(windows_encode(&trimmed));
}

/*
 * fintrans_window_entries(state): its entries as (generation, newest, bucket,
 * key, transactions, total).
 */
Datum
fintrans_window_entries(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Windows		windows;
	int			i;
	int			j;

	InitMaterializedSRF(fcinfo, 0);
	windows_decode(&windows, PG_GETARG_BYTEA_PP(0));
	for (i = 0; i < windows.count; i++)
	{
		const Window *window = &windows.windows[i];

		for (j = 0; j < window->count; j++)
		{
			const WindowEntry *entry = &window->entries[j];
			AmountBuffer total;
			Datum		values[] = {
				Int32GetDatum(window->generation),
				Int64GetDatum(window->newest),
				Int64GetDatum(entry->bucket),
				Int64GetDatum((int64) entry->key),
				Int64GetDatum(entry->transactions),
				amount_to_datum(&entry->total, &total)
			};
			bool		nulls[lengthof(values)] = {false};

			tuplestore_putvalues(result->setResult, result->setDesc, values,
								 nulls);
		}
	}
	return (Datum) 0;
}
