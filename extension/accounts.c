/*
 * The window states of accounts: one row of fintrans_accounts per account.
 *
 * One statement locks and changes all rows in key order, new ones and old
 * ones alike, so that two writers cannot deadlock.  A batch has fewer accounts
 * than rows, so SQL is fast enough.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "accounts.h"
#include "statements.h"
#include "windows.h"

/* As many accounts are dealt with at once: it bounds the memory they take. */
#define ACCOUNTS_AT_ONCE 10000

static Statement upsert = {
	.text = "INSERT INTO %s.fintrans_accounts AS a (account, windows)"
	" SELECT * FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2))"
	" ON CONFLICT (account) DO UPDATE SET"
	" windows = %s.fintrans_windows_changed(a.windows, excluded.windows)"
	" RETURNING a.windows",
	.nargs = 2,
	.types = {TEXTARRAYOID, BYTEAARRAYOID}
};

/* Where the above has written something else than a state. */
static Statement settle = {
	.text = "UPDATE %s.fintrans_accounts a SET windows = s.windows"
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2))"
	" AS s (account, windows)"
	" WHERE a.account OPERATOR(pg_catalog.=) s.account",
	.nargs = 2,
	.types = {TEXTARRAYOID, BYTEAARRAYOID}
};

static Statement delete_empty = {
	.text = "DELETE FROM %s.fintrans_accounts a"
	" USING pg_catalog.unnest($1) AS e (account)"
	" WHERE a.account OPERATOR(pg_catalog.=) e.account",
	.nargs = 1,
	.types = {TEXTARRAYOID}
};

/* Accounts and states to be written by one of the statements. */
typedef struct Rows
{
	int			count;
	Datum	   *accounts;
	Datum	   *windows;
} Rows;

static void
rows_create(Rows *rows, int room)
{
	rows->count = 0;
	rows->accounts = palloc(room * sizeof(Datum));
	rows->windows = palloc(room * sizeof(Datum));
}

static void
rows_add(Rows *rows, Datum account, bytea *windows)
{
	rows->accounts[rows->count] = account;
	rows->windows[rows->count++] = PointerGetDatum(windows);
}

static void
rows_execute(const Rows *rows, Statement *statement, Oid schema, int expected)
{
	Datum		arguments[] = {
		statement_array(TEXTARRAYOID, rows->accounts, rows->count),
		statement_array(BYTEAARRAYOID, rows->windows, rows->count)
	};

	if (rows->count > 0)
		statement_execute(statement, schema, arguments, InvalidSnapshot,
						  expected);
}

/*
 * Make a state of what was written: it is the change itself where there was no
 * row, and it may have buckets that are not kept.
 */
static void
settle_state(Windows *state)
{
	Windows		none;
	Windows		merged;

	windows_create(&none, 0);
	windows_merge(&merged, &none, state);
	windows_trim(state, &merged);
}

/* What one statement returned: the states, in the order of the changes. */
static void
check_states(AccountDelta **accounts, Windows *changes, const Rows *sent,
			 Alerts *alerts, Rows *settled, Rows *empty)
{
	SPITupleTable *returned = SPI_tuptable;
	int			i;

	for (i = 0; i < sent->count; i++)
	{
		bool		isnull;		/* it cannot be NULL */
		Datum		value = SPI_getbinval(returned->vals[i], returned->tupdesc,
										  1, &isnull);
		Windows		state;

		CHECK_FOR_INTERRUPTS();
		windows_decode(&state, DatumGetByteaPP(value));
		alerts_check_account_windows(alerts, accounts[i], &state, &changes[i]);
		if (!windows_settled(&state))
		{
			settle_state(&state);
			rows_add(settled, sent->accounts[i], windows_encode(&state));
		}
		if (windows_empty(&state))
			rows_add(empty, sent->accounts[i], NULL);
	}
	SPI_freetuptable(returned);
}

/* The accounts that any rule counts something of; returns how many. */
static int
compose_changes(const Rules *rules, AccountDelta **accounts, int count,
				Windows *changes, Rows *sent)
{
	int			n = 0;
	int			i;

	for (i = 0; i < count; i++)
	{
		measures_change(rules, RULE_ACCOUNT, accounts[i]->events, &changes[n]);
		if (windows_empty(&changes[n]))
			continue;
		rows_add(sent, span_text(&accounts[i]->account),
				 windows_encode(&changes[n]));
		accounts[n++] = accounts[i];
	}
	return n;
}

static void
apply_some(const Rules *rules, AccountDelta **accounts, int count,
		   Alerts *alerts)
{
	Windows    *changes = palloc(count * sizeof(Windows));
	Rows		sent;
	Rows		settled;
	Rows		empty;

	rows_create(&sent, count);
	rows_create(&settled, count);
	rows_create(&empty, count);
	count = compose_changes(rules, accounts, count, changes, &sent);
	if (count == 0)
		return;
	rows_execute(&sent, &upsert, rules->schema, SPI_OK_INSERT_RETURNING);
	if (SPI_processed != (uint64) count)
		elog(ERROR, "the states of %d accounts became " UINT64_FORMAT,
			 count, SPI_processed);
	check_states(accounts, changes, &sent, alerts, &settled, &empty);
	rows_execute(&settled, &settle, rules->schema, SPI_OK_UPDATE);
	if (empty.count > 0)
	{
		Datum		argument = statement_array(TEXTARRAYOID, empty.accounts,
											   empty.count);

		statement_execute(&delete_empty, rules->schema, &argument,
						  InvalidSnapshot, SPI_OK_DELETE);
	}
}

void
accounts_apply(const Rules *rules, AccountDelta **accounts, int count,
			   Alerts *alerts)
{
	MemoryContext some = AllocSetContextCreate(CurrentMemoryContext,
											   "fintrans accounts",
											   ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(some);
	int			i;

	for (i = 0; i < count; i += ACCOUNTS_AT_ONCE)
	{
		apply_some(rules, accounts + i, Min(count - i, ACCOUNTS_AT_ONCE),
				   alerts);
		MemoryContextReset(some);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(some);
}
