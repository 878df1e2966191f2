/*
 * The window states of accounts: one row of fintrans_accounts per account.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "accounts.h"
#include "keyed_table.h"
#include "window_form.h"

static TidCache accounts_seen = {.name = "fintrans accounts last seen"};

/* Columns of fintrans_accounts, from 0. */
typedef enum AccountColumn
{
	ACCOUNT_ACCOUNT,
	ACCOUNT_WINDOWS,
	ACCOUNT_CHANGES,
	ACCOUNT_COLUMNS
} AccountColumn;

/*
 * A state that is kept out of line is left as it is, and what has changed since
 * beside it, until that takes so many bytes: most of what a row has room for.
 */
#define MAX_CHANGES_BYTES 1200

/* The account at hand. */
typedef struct AccountState
{
	const Windows *change;
	Windows		windows;
} AccountState;

/* The windows in a column of the row; none without a row, or when NULL. */
static void
read_windows(TupleTableSlot *row, AccountColumn column, Windows *windows)
{
	if (row == NULL || row->tts_isnull[column])
		windows_create(windows, 0);
	else
		window_form_decode(windows, DatumGetByteaPP(row->tts_values[column]));
}

/* The changes, if they lead from the base to the state and are few. */
static bytea *
encode_changes(const Windows *base, const Windows *changes,
			   const Windows *state)
{
	bytea	   *encoded;

	if (!windows_keep(state, base) || !windows_keep(state, changes))
		return NULL;
	encoded = window_form_encode(changes);
	return VARSIZE(encoded) <= MAX_CHANGES_BYTES ? encoded : NULL;
}

/* Whether the row has a state out of line, or one and what has changed since. */
static bool
is_apart(TupleTableSlot *row)
{
	return row != NULL &&
		(!row->tts_isnull[ACCOUNT_CHANGES] ||
		 VARATT_IS_EXTERNAL(DatumGetPointer(row->tts_values[ACCOUNT_WINDOWS])));
}

/*
 * The state after the change, and what is kept of it.  Returns what has changed
 * since the state that the row has apart, if that is to stay.
 */
static bytea *
change_state(AccountState *state, TupleTableSlot *old, Windows *kept)
{
	Windows		base;
	Windows		old_changes;
	Windows		changes;

	read_windows(old, ACCOUNT_WINDOWS, &base);
	if (!is_apart(old))
	{
		windows_merge(&state->windows, &base, state->change);
		windows_trim(kept, &state->windows);
		return NULL;
	}
	read_windows(old, ACCOUNT_CHANGES, &old_changes);
	windows_merge_changes(&state->windows, &changes, &base, &old_changes,
						  state->change);
	windows_trim(kept, &state->windows);
	return VARATT_IS_EXTERNAL(DatumGetPointer(old->tts_values[ACCOUNT_WINDOWS])) ?
		encode_changes(&base, &changes, kept) : NULL;
}

/* ComposeRow: no row when no window has anything left. */
static bool
compose_account(void *context, TupleTableSlot *row, TupleTableSlot *old)
{
	AccountState *state = context;
	Windows		kept;
	bytea	   *changes = change_state(state, old, &kept);

	row->tts_values[ACCOUNT_WINDOWS] = changes != NULL ?
		old->tts_values[ACCOUNT_WINDOWS] :
		PointerGetDatum(window_form_encode(&kept));
	row->tts_isnull[ACCOUNT_WINDOWS] = false;
	row->tts_values[ACCOUNT_CHANGES] = PointerGetDatum(changes);
	row->tts_isnull[ACCOUNT_CHANGES] = changes == NULL;
	return !windows_empty(&kept);
}

static void
apply_account(KeyedTable *table, const Rules *rules,
			  const AccountDelta *account, Alerts *alerts)
{
	Windows		change;
	AccountState state = {.change = &change};

	measures_change_account(rules, account, &change);
	/* nothing that any rule counts */
	if (windows_empty(&change))
		return;
	keyed_table_replace(table, &account->account, account->hash,
						compose_account, &state);
	alerts_check_account_windows(alerts, &account->account, &state.windows,
								 &change);
}

void
accounts_apply(const Rules *rules, Deltas *deltas, PairDelta **pairs,
			   int count, Alerts *alerts)
{
	AccountWalk walk = {0};
	AccountDelta account;
	MemoryContext one;
	MemoryContext caller;
	KeyedTable	table;

	if (rules->outgoing_windows)
	{
		walk.sent = pairs;
		walk.nsent = count;
	}
	if (rules->incoming_windows)
	{
		walk.received = deltas_sorted_by_target(deltas, pairs, count);
		walk.nreceived = count;
	}
	if (walk.sent == NULL && walk.received == NULL)
		return;
	keyed_table_open(&table, rules->schema, "fintrans_accounts",
					 ACCOUNT_COLUMNS, ACCOUNT_COLUMNS, 1, &accounts_seen);
	one = AllocSetContextCreate(CurrentMemoryContext, "fintrans account",
								ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(one);
	while (deltas_next_account(&walk, &account))
	{
		keyed_table_foresee(&table, walk.sent, walk.nsent,
							offsetof(PairDelta, source_hash));
		keyed_table_foresee(&table, walk.received, walk.nreceived,
							offsetof(PairDelta, target_hash));
		apply_account(&table, rules, &account, alerts);
		MemoryContextReset(one);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(one);
	keyed_table_close(&table);
}
