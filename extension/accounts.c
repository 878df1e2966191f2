/*
 * The window states of accounts: one row of fintrans_accounts per account.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "accounts.h"
#include "keyed_table.h"
#include "windows.h"

static TidCache accounts_seen = {.name = "fintrans accounts last seen"};

/* Columns of fintrans_accounts, from 0. */
typedef enum AccountColumn
{
	ACCOUNT_ACCOUNT,
	ACCOUNT_WINDOWS,
	ACCOUNT_COLUMNS
} AccountColumn;

/* The account at hand. */
typedef struct AccountState
{
	const Windows *change;
	Windows		windows;
} AccountState;

/* ComposeRow: no row when no window has anything left. */
static bool
compose_account(void *context, TupleTableSlot *row, TupleTableSlot *old)
{
	AccountState *state = context;
	Windows		before;
	Windows		kept;

	if (old != NULL)
		windows_decode(&before,
					   DatumGetByteaPP(old->tts_values[ACCOUNT_WINDOWS]));
	else
		windows_create(&before, 0);
	windows_merge(&state->windows, &before, state->change);
	windows_trim(&kept, &state->windows);
	row->tts_values[ACCOUNT_WINDOWS] = PointerGetDatum(windows_encode(&kept));
	row->tts_isnull[ACCOUNT_WINDOWS] = false;
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
