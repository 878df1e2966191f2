/*
 * The volume per city and minute.
 *
 * A batch touches a handful of rows here, so SQL is fast enough.  Count and
 * total follow by addition.  Removing rows can also raise a minimum or lower
 * a maximum: those are read anew from the rows, after the upsert has locked
 * the minutes, so that whoever changes them next starts from what we leave.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "statements.h"
#include "volume.h"

#define COLUMNS 6

static Statement upsert = {
	.text = "INSERT INTO %s.fintrans_volume AS v (city, minute, transactions, total,"
	" minimum, maximum)"
	" SELECT * FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2),"
	" pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5),"
	" pg_catalog.unnest($6))"
	" ON CONFLICT (city, minute) DO UPDATE SET"
	" transactions = v.transactions OPERATOR(pg_catalog.+)"
	" excluded.transactions,"
	" total = v.total OPERATOR(pg_catalog.+) excluded.total,"
	" minimum = LEAST(v.minimum, excluded.minimum),"
	" maximum = GREATEST(v.maximum, excluded.maximum)",
	.nargs = COLUMNS,
	.types = {TEXTARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID, NUMERICARRAYOID,
	NUMERICARRAYOID, NUMERICARRAYOID}
};

static Statement delete_empty = {
	.text = "DELETE FROM %s.fintrans_volume v"
	" USING ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2))"
	" AS k (city, minute)"
	" WHERE v.city OPERATOR(pg_catalog.=) k.city"
	" AND v.minute OPERATOR(pg_catalog.=) k.minute"
	" AND v.transactions OPERATOR(pg_catalog.=) 0",
	.nargs = 2,
	.types = {TEXTARRAYOID, TIMESTAMPTZARRAYOID}
};

/* Day by day, so that partitions in between are not read. */
static Statement renew_extremes = {
	.text = "WITH k AS MATERIALIZED (SELECT * FROM ROWS FROM"
	" (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS k (city, minute)),"
	" d AS (SELECT DISTINCT pg_catalog.date_bin('1 day'::pg_catalog.interval,"
	" k.minute, 'epoch'::pg_catalog.timestamptz) AS day FROM k)"
	" UPDATE %s.fintrans_volume v SET minimum = r.minimum, maximum = r.maximum"
	" FROM d CROSS JOIN LATERAL (SELECT t.city, k.minute,"
	" pg_catalog.min(t.amount) AS minimum, pg_catalog.max(t.amount) AS maximum"
	" FROM %s.fintrans_transactions t JOIN k"
	" ON t.city OPERATOR(pg_catalog.=) k.city"
	" AND pg_catalog.date_bin('1 minute'::pg_catalog.interval, t.event_time,"
	" 'epoch'::pg_catalog.timestamptz) OPERATOR(pg_catalog.=) k.minute"
	" WHERE t.event_time OPERATOR(pg_catalog.>=) d.day"
	" AND t.event_time OPERATOR(pg_catalog.<)"
	" (d.day OPERATOR(pg_catalog.+) '24 h'::pg_catalog.interval)"
	" GROUP BY 1, 2) r"
	" WHERE v.city OPERATOR(pg_catalog.=) r.city"
	" AND v.minute OPERATOR(pg_catalog.=) r.minute",
	.nargs = 2,
	.types = {TEXTARRAYOID, TIMESTAMPTZARRAYOID}
};

static Statement select_horizon = {
	.text = "SELECT r.dropped_before FROM %s.fintrans_retention r"
};

/* The time before which removed rows stay counted. */
static TimestampTz
retention_horizon(Oid schema)
{
	TimestampTz horizon = DT_NOBEGIN;

	statement_execute(&select_horizon, schema, NULL, GetLatestSnapshot(),
					  SPI_OK_SELECT);
	if (SPI_processed > 0)
	{
		bool		isnull;		/* it cannot be NULL */

		horizon = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0],
													SPI_tuptable->tupdesc, 1,
													&isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return horizon;
}

/* Leave out the minutes that stay as they are; returns how many are left. */
static int
leave_out_history(Oid schema, VolumeDelta **volumes, int count)
{
	TimestampTz horizon = DT_NOBEGIN;
	bool		known = false;
	int			n = 0;
	int			i;

	for (i = 0; i < count; i++)
	{
		if (volumes[i]->removed && !known)
		{
			horizon = retention_horizon(schema);
			known = true;
		}
		if (!volumes[i]->removed || volumes[i]->minute >= horizon)
			volumes[n++] = volumes[i];
	}
	return n;
}

/* Minutes that lost rows: drop the empty ones, renew the others' extremes. */
static void
repair_removed(Oid schema, VolumeDelta **volumes, int count)
{
	Datum	   *columns[2];
	Datum		arguments[2];
	int			n = 0;
	int			i;

	columns[0] = palloc(count * sizeof(Datum));
	columns[1] = palloc(count * sizeof(Datum));
	for (i = 0; i < count; i++)
	{
		if (!volumes[i]->removed)
			continue;
		columns[0][n] = span_text(&volumes[i]->city);
		columns[1][n++] = TimestampTzGetDatum(volumes[i]->minute);
	}
	if (n == 0)
		return;
	statement_arrays(&renew_extremes, arguments, columns, 2, n);
	statement_execute(&delete_empty, schema, arguments, InvalidSnapshot,
					  SPI_OK_DELETE);
	statement_execute(&renew_extremes, schema, arguments, InvalidSnapshot,
					  SPI_OK_UPDATE);
}

void
volume_apply(Oid schema, VolumeDelta **volumes, int count)
{
	Datum	   *columns[COLUMNS];
	Datum		arguments[COLUMNS];
	AmountBuffer *buffers;
	int			i;

	count = leave_out_history(schema, volumes, count);
	if (count == 0)
		return;
	buffers = palloc(count * 3 * sizeof(AmountBuffer));
	for (i = 0; i < COLUMNS; i++)
		columns[i] = palloc(count * sizeof(Datum));
	for (i = 0; i < count; i++)
	{
		const VolumeDelta *delta = volumes[i];

		columns[0][i] = span_text(&delta->city);
		columns[1][i] = TimestampTzGetDatum(delta->minute);
		columns[2][i] = Int64GetDatum(delta->transactions);
		columns[3][i] = amount_to_datum(&delta->amount, &buffers[3 * i]);
		columns[4][i] = amount_to_datum(&delta->minimum, &buffers[3 * i + 1]);
		columns[5][i] = amount_to_datum(&delta->maximum, &buffers[3 * i + 2]);
	}
	statement_arrays(&upsert, arguments, columns, COLUMNS, count);
	statement_execute(&upsert, schema, arguments, InvalidSnapshot,
					  SPI_OK_INSERT);
	repair_removed(schema, volumes, count);
}
