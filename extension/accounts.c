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
encode_changes(TupleTableSlot *old, const Windows *base,
			   const Windows *changes, const Windows *state)
{
	bytea	   *encoded;

	if (old == NULL ||
		!VARATT_IS_EXTERNAL(DatumGetPointer(old->tts_values[ACCOUNT_WINDOWS])) ||
		!windows_keep(state, base) || !windows_keep(state, changes))
		return NULL;
	encoded = window_form_encode(changes);
	return VARSIZE(encoded) <= MAX_CHANGES_BYTES ? encoded : NULL;
}

/* ComposeRow: no row when no window has anything left. */
static bool
compose_account(void *context, TupleTableSlot *row, TupleTableSlot *old)
{
	AccountState *state = context;
	Windows		base;
	Windows		old_changes;
	Windows		changes;
	Windows		kept;
	bytea	   *encoded;

	read_windows(old, ACCOUNT_WINDOWS, &base);
	read_windows(old, ACCOUNT_CHANGES, &old_changes);
	windows_merge_changes(&state->windows, &changes, &base, &old_changes,
						  state->change);
	windows_trim(&kept, &state->windows);
	encoded = encode_changes(old, &base, &changes, &kept);
	row->tts_values[ACCOUNT_WINDOWS] = encoded != NULL ?
		old->tts_values[ACCOUNT_WINDOWS] :
		PointerGetDatum(window_form_encode(&kept));
	row->tts_isnull[ACCOUNT_WINDOWS] = false;
	row->tts_values[ACCOUNT_CHANGES] = PointerGetDatum(encoded);
	row->tts_isnull[ACCOUNT_CHANGES] = encoded == NULL;
	return !windows_empty(&kept);
}

static void
apply_account(KeyedTable *table, const Rules *rules,
			  const AccountDelta *account, Alerts *alerts)
{
	Windows		change;
	AccountState state = {.change = &change};

	measures_change(rules, RULE_ACCOUNT, account->events, &change);
	/* nothing that any rule counts */
	if (windows_empty(&change))
		return;
	keyed_table_replace(table, &account->account, account->hash,
						compose_account, &state);
	alerts_check_account_windows(alerts, account, &state.windows, &change);
}

void
accounts_apply(const Rules *rules, AccountDelta **accounts, int count,
			   Alerts *alerts)
{
	MemoryContext one;
	MemoryContext caller;
	KeyedTable	table;
	int			i;

	if (count == 0)
		return;
	keyed_table_open(&table, rules->schema, "fintrans_accounts",
					 ACCOUNT_COLUMNS, ACCOUNT_COLUMNS, 1, &accounts_seen);
	one = AllocSetContextCreate(CurrentMemoryContext, "fintrans account",
								ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(one);
	for (i = 0; i < count; i++)
	{
		apply_account(&table, rules, accounts[i], alerts);
		MemoryContextReset(one);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(one);
	keyed_table_close(&table);
}
