/*
 * What SQL does with stored window states: fintrans_rebuild() and
 * fintrans_verify() make them anew, compare and read them; see windows.sql.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/tuplestore.h"

#include "window_form.h"

PG_FUNCTION_INFO_V1(fintrans_windows_with);
PG_FUNCTION_INFO_V1(fintrans_windows_changed);
PG_FUNCTION_INFO_V1(fintrans_window_state_add);
PG_FUNCTION_INFO_V1(fintrans_window_state_made);
PG_FUNCTION_INFO_V1(fintrans_window_entries);

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
	window_form_decode(&state, PG_GETARG_BYTEA_PP(0));
	window_form_decode(&others, PG_GETARG_BYTEA_PP(1));
	windows_create(&result, state.count + others.count);
	for (i = 0; i < state.count; i++)
	{
		if (windows_find(&others, state.windows[i].generation) == NULL)
			result.windows[result.count++] = state.windows[i];
	}
	for (i = 0; i < others.count; i++)
		result.windows[result.count++] = others.windows[i];
	PG_RETURN_BYTEA_P(window_form_encode(&result));
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
	window_form_decode(&base, PG_GETARG_BYTEA_PP(0));
	window_form_decode(&changes, PG_GETARG_BYTEA_PP(1));
	windows_changed(&state, &base, &changes);
	PG_RETURN_BYTEA_P(window_form_encode(&state));
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
	PG_RETURN_BYTEA_P(window_form_encode(&trimmed));
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
	window_form_decode(&windows, PG_GETARG_BYTEA_PP(0));
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
