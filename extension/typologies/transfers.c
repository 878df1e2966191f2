/*
 * Loads the transactions of a period for the typologies, and sorts them.
 *
 * They are read once, with the rights of the caller and planned for the period,
 * so that partitions outside of it are not touched; and taken from the executor
 * row by row, without a copy of each.  A transaction takes some 45 bytes and
 * each order 8 more; what would exceed maintenance_work_mem is refused instead
 * of letting the server run out of memory.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "amount.h"
#include "arguments.h"
#include "compat.h"
#include "transfers.h"

/* Rows read between two looks at the memory used. */
#define ROWS_AT_ONCE 10000

#define ARENA_BYTES (64 * 1024)

/* What an order adds, and most functions need two. */
#define ORDER_BYTES (2 * sizeof(Transfer *))

typedef struct AccountEntry
{
	const text *name;
	int			number;
	uint32		hash;
	char		status;
} AccountEntry;

static bool
same_text(const text *a, const text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

#define SH_PREFIX accounts
#define SH_ELEMENT_TYPE AccountEntry
#define SH_KEY_TYPE const text *
#define SH_KEY name
#define SH_HASH_KEY(table, key) \
	hash_bytes((const unsigned char *) VARDATA_ANY(key), \
			   VARSIZE_ANY_EXHDR(key))
#define SH_EQUAL(table, a, b) same_text(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(table, entry) (entry)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef enum SortKey
{
	NO_KEY,
	KEY_SOURCE,
	KEY_TARGET,
	KEY_AMOUNT,
	KEY_TIME
} SortKey;

typedef struct SortKeys
{
	SortKey		keys[5];		/* up to NO_KEY */
} SortKeys;

typedef Transfer *TransferPointer;

static const SortKeys orders[] = {
	[BY_SOURCE_TARGET_TIME] = {{KEY_SOURCE, KEY_TARGET, KEY_TIME}},
	[BY_TARGET_SOURCE_TIME] = {{KEY_TARGET, KEY_SOURCE, KEY_TIME}},
	[BY_SOURCE_TIME] = {{KEY_SOURCE, KEY_TIME}},
	[BY_TARGET_TIME] = {{KEY_TARGET, KEY_TIME}},
	[BY_SOURCE_AMOUNT_TARGET_TIME] = {
		{KEY_SOURCE, KEY_AMOUNT, KEY_TARGET, KEY_TIME}
	},
	[BY_TARGET_AMOUNT_SOURCE_TIME] = {
		{KEY_TARGET, KEY_AMOUNT, KEY_SOURCE, KEY_TIME}
	},
	[BY_AMOUNT] = {{KEY_AMOUNT, KEY_TIME}},
	[BY_TIME] = {{KEY_TIME}}
};

static int	compare_transfers(const Transfer *a, const Transfer *b,
							  const SortKeys *order);

#define ST_SORT sort_transfers
#define ST_ELEMENT_TYPE TransferPointer
#define ST_COMPARE(a, b, order) compare_transfers(*(a), *(b), order)
#define ST_COMPARE_ARG_TYPE const SortKeys
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

/* A load under way, which is where the executor sends rows. */
typedef struct Loader
{
	DestReceiver receiver;
	Transfers  *transfers;
	MemoryContext context;
	MemoryContext row;			/* what reading a row allocates */
	accounts_hash *known;
	int			capacity;		/* of transfers->items */
	int			accounts_capacity;
	char	   *arena;			/* where copies go */
	Size		arena_left;
} Loader;

/* Many small values, without an allocator's overhead for each. */
static void *
keep_copy(Loader *loader, const struct varlena *value)
{
	Size		bytes = VARSIZE_ANY(value);
	Size		taken = INTALIGN(bytes);
	void	   *copy;

	if (taken > loader->arena_left)
	{
		loader->arena_left = Max(ARENA_BYTES, taken);
		loader->arena = MemoryContextAlloc(loader->context,
										   loader->arena_left);
	}
	copy = loader->arena;
	memcpy(copy, value, bytes);
	loader->arena += taken;
	loader->arena_left -= taken;
	return copy;
}

static int
account_number(Loader *loader, Datum account)
{
	Transfers  *transfers = loader->transfers;
	text	   *name = DatumGetTextPP(account);
	bool		found;
	AccountEntry *entry = accounts_insert(loader->known, name, &found);

	if (!found)
	{
		if (transfers->naccounts == loader->accounts_capacity)
		{
			loader->accounts_capacity *= 2;
			transfers->accounts =
				repalloc_huge(transfers->accounts,
							  loader->accounts_capacity * sizeof(text *));
		}
		entry->name = keep_copy(loader, name);
		entry->number = transfers->naccounts++;
		transfers->accounts[entry->number] = unconstify(text *, entry->name);
	}
	return entry->number;
}

static double
amount_as_double(Datum value)
{
	Amount		amount;
	double		result;

	amount_from_datum(&amount, value);
	result = amount_to_double(&amount);
	amount_free(&amount);
	return result;
}

static void
check_memory(const Loader *loader)
{
	Size		used = MemoryContextMemAllocated(loader->context, true) +
		loader->transfers->count * ORDER_BYTES;

	if (used > (Size) maintenance_work_mem * 1024 ||
		loader->capacity > INT_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("transactions of the period exceed the memory that a typology may use"),
				 errdetail("maintenance_work_mem is %d kB, and %d transactions take %zu kB.",
						   maintenance_work_mem, loader->transfers->count,
						   used / 1024),
				 errhint("Narrow the period by \"since\" and \"before\", or raise maintenance_work_mem.")));
}

static Transfer *
next_transfer(Loader *loader)
{
	Transfers  *transfers = loader->transfers;

	if (transfers->count == loader->capacity)
	{
		/* by a quarter: doubling would waste what memory is granted */
		loader->capacity += loader->capacity / 4;
		transfers->items = repalloc_huge(transfers->items,
										 loader->capacity * sizeof(Transfer));
	}
	return &transfers->items[transfers->count++];
}

/* source_account, target_account, amount, event_time */
static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	Loader	   *loader = (Loader *) self;
	MemoryContext caller = MemoryContextSwitchTo(loader->row);
	Transfer   *transfer = next_transfer(loader);
	Datum	   *values = slot->tts_values;

	slot_getallattrs(slot);
	transfer->source = account_number(loader, values[0]);
	transfer->target = account_number(loader, values[1]);
	transfer->exact =
		PointerGetDatum(keep_copy(loader, PG_DETOAST_DATUM_PACKED(values[2])));
	transfer->amount = amount_as_double(values[2]);
	transfer->time = DatumGetTimestampTz(values[3]);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(loader->row);
	if (loader->transfers->count % ROWS_AT_ONCE == 0)
		check_memory(loader);
	return true;
}

static void
begin_rows(DestReceiver *self, int operation, TupleDesc typeinfo)
{
}

static void
end_rows(DestReceiver *self)
{
}

/* Where the UTC day ends that a time is in; one that is infinite is its own. */
static TimestampTz
end_of_day(TimestampTz time)
{
	TimestampTz since_midnight = time % USECS_PER_DAY;

	if (TIMESTAMP_NOT_FINITE(time))
		return time;
	if (since_midnight < 0)
		since_midnight += USECS_PER_DAY;
	return time - since_midnight + USECS_PER_DAY;
}

/* The first day is not read from its start, if that can be helped. */
static const char *
rows_query(FunctionCallInfo fcinfo)
{
	const char *schema =
		quote_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)));
	const char *rows =
		psprintf("SELECT source_account, target_account, amount, event_time"
				 " FROM %s.fintrans_transactions"
				 " WHERE event_time OPERATOR(pg_catalog.>=) $1"
				 " AND event_time OPERATOR(pg_catalog.<) $2"
				 " AND source_account OPERATOR(pg_catalog.<>) target_account",
				 schema);

	return psprintf("%s AND event_time OPERATOR(pg_catalog.<) $3"
					" AND ctid OPERATOR(pg_catalog.>=)"
					" (SELECT coalesce(place, '(0,0)') FROM %s.fintrans_first_row($1))"
					" UNION ALL %s AND event_time OPERATOR(pg_catalog.>=) $3",
					rows, schema, rows);
}

static ParamListInfo
period_parameters(FunctionCallInfo fcinfo)
{
	ParamListInfo period = makeParamList(3);
	int			i;

	argument_check_period(fcinfo, PG_NARGS() - 2);
	period->params[0].value = PG_GETARG_DATUM(PG_NARGS() - 2);
	period->params[1].value = PG_GETARG_DATUM(PG_NARGS() - 1);
	period->params[2].value =
		TimestampTzGetDatum(end_of_day(PG_GETARG_TIMESTAMPTZ(PG_NARGS() - 2)));
	for (i = 0; i < period->numParams; i++)
	{
		period->params[i].isnull = false;
		period->params[i].ptype = TIMESTAMPTZOID;
		/* constants to the planner */
		period->params[i].pflags = PARAM_FLAG_CONST;
	}
	return period;
}

/* Without parallel workers, who would bring rows in another order each time. */
static void
read_rows(Loader *loader, FunctionCallInfo fcinfo)
{
	Oid			types[3] = {TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	SPIExecuteOptions options = {
		.params = period_parameters(fcinfo),
		.read_only = true,
		.dest = &loader->receiver
	};
	SPIPlanPtr	plan;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	plan = SPI_prepare_cursor(rows_query(fcinfo), lengthof(types), types,
							  CURSOR_OPT_CUSTOM_PLAN);
	if (plan == NULL || SPI_execute_plan_extended(plan, &options) < 0)
		elog(ERROR, "could not read transactions");
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "could not finish SPI");
}

Transfers *
transfers_load(FunctionCallInfo fcinfo)
{
	Transfers  *transfers = palloc0(sizeof(Transfers));
	Loader		loader = {
		.receiver = {receive_row, begin_rows, end_rows, end_rows, DestNone},
		.transfers = transfers
	};
	MemoryContext caller = CurrentMemoryContext;

	loader.context = AllocSetContextCreate(caller, "fintrans transfers",
										   ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(loader.context);
	loader.known = accounts_create(loader.context, 1024, NULL);
	loader.row = AllocSetContextCreate(loader.context, "fintrans transfer",
									   ALLOCSET_SMALL_SIZES);
	loader.capacity = ROWS_AT_ONCE;
	transfers->items = palloc(loader.capacity * sizeof(Transfer));
	loader.accounts_capacity = 1024;
	transfers->accounts = palloc(loader.accounts_capacity * sizeof(text *));
	MemoryContextSwitchTo(caller);
	read_rows(&loader, fcinfo);
	check_memory(&loader);
	accounts_destroy(loader.known);
	MemoryContextDelete(loader.row);
	return transfers;
}

/* ------------------------------------------------------------------ orders */

#define COMPARE(x, y) (((x) > (y)) - ((x) < (y)))

/* Those alike in every key stay in the order they were read in. */
static int
compare_transfers(const Transfer *a, const Transfer *b, const SortKeys *order)
{
	const SortKey *key = order->keys;
	int			result = 0;

	for (; *key != NO_KEY && result == 0; key++)
	{
		switch (*key)
		{
			case KEY_SOURCE:
				result = COMPARE(a->source, b->source);
				break;
			case KEY_TARGET:
				result = COMPARE(a->target, b->target);
				break;
			case KEY_AMOUNT:
				result = COMPARE(a->amount, b->amount);
				break;
			case KEY_TIME:
				result = COMPARE(a->time, b->time);
				break;
			case NO_KEY:
				break;
		}
	}
	return result != 0 ? result : COMPARE(a, b);
}

void
transfers_sort(Transfer **items, int count, TransferOrder order)
{
	sort_transfers(items, count, &orders[order]);
}

static inline int
account_of(const Transfer *transfer, SortKey side)
{
	return side == KEY_SOURCE ? transfer->source : transfer->target;
}

/* Put the transfers in the order of accounts, as they were read within each. */
static void
group_by_account(const Transfers *transfers, SortKey side,
				 TransferIndex *index)
{
	int			sum = 0;
	int			i;

	for (i = 0; i < transfers->count; i++)
		index->starts[account_of(&transfers->items[i], side)]++;
	/* where each one's end, until they are filled from there */
	for (i = 0; i < transfers->naccounts; i++)
		index->starts[i] = sum += index->starts[i];
	index->starts[i] = sum;
	for (i = transfers->count - 1; i >= 0; i--)
	{
		Transfer   *transfer = &transfers->items[i];

		index->items[--index->starts[account_of(transfer, side)]] = transfer;
	}
}

TransferIndex
transfers_index(const Transfers *transfers, TransferOrder order)
{
	TransferIndex index;
	int			i;

	index.items = MemoryContextAllocHuge(CurrentMemoryContext,
										 (transfers->count + 1) *
										 sizeof(Transfer *));
	index.starts = MemoryContextAllocExtended(CurrentMemoryContext,
											  (transfers->naccounts + 1) *
											  sizeof(int),
											  MCXT_ALLOC_HUGE |
											  MCXT_ALLOC_ZERO);
	group_by_account(transfers, orders[order].keys[0], &index);
	for (i = 0; i < transfers->naccounts; i++)
		transfers_sort(index.items + index.starts[i],
					   index.starts[i + 1] - index.starts[i], order);
	return index;
}

int
transfers_find_amount(Transfer *const *items, int from, int to,
					  double amount)
{
	while (from < to)
	{
		int			middle = from + (to - from) / 2;

		if (items[middle]->amount < amount)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}
