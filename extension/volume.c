/*
 * The volume per city and minute, and its rollup by hour, day and week.
 *
 * A batch touches a handful of rows here, so SQL is fast enough, once planned:
 * left to itself PostgreSQL would plan the upserts anew for each batch, since
 * it then knows how long the arrays are.  Count and total follow by addition.
 * Removing rows can also raise a minimum or lower a maximum: those are read anew
 * from the rows, after the upsert has locked the minutes, so that whoever
 * changes them next starts from what we leave.
 * The rollup follows the minutes in the same way, extremes included, so it is
 * always theirs, whatever has become of the rows.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "statements.h"
#include "volume.h"

#define COLUMNS 6
#define COLUMN_TYPES \
	{TEXTARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID, NUMERICARRAYOID, \
	NUMERICARRAYOID, NUMERICARRAYOID}

#define ADD_VOLUME \
	" transactions = v.transactions OPERATOR(pg_catalog.+)" \
	" excluded.transactions," \
	" total = v.total OPERATOR(pg_catalog.+) excluded.total," \
	" minimum = LEAST(v.minimum, excluded.minimum)," \
	" maximum = GREATEST(v.maximum, excluded.maximum)"

static Statement upsert = {
	.text = "INSERT INTO %s.fintrans_volume AS v (city, minute, transactions, total,"
	" minimum, maximum)"
	" SELECT * FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2),"
	" pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5),"
	" pg_catalog.unnest($6))"
	" ON CONFLICT (city, minute) DO UPDATE SET"
	ADD_VOLUME,
	.nargs = COLUMNS,
	.types = COLUMN_TYPES,
	.generic = true
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

#define RESOLUTIONS \
	" CROSS JOIN (VALUES ('1 hour'::pg_catalog.interval), ('1 day')," \
	" ('7 days')) AS r (resolution)"
/* a Monday, so that weeks are those of ISO 8601 */
#define PERIOD_START \
	"pg_catalog.date_bin(r.resolution, k.minute," \
	" '1970-01-05 00:00+00'::pg_catalog.timestamptz)"

/* The hours, days and weeks that the minutes lie in. */
#define PERIODS \
	"(SELECT DISTINCT r.resolution, k.city, " PERIOD_START " AS start" \
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2))" \
	" AS k (city, minute)" RESOLUTIONS ") p"
#define IN_PERIOD \
	" v.resolution OPERATOR(pg_catalog.=) p.resolution" \
	" AND v.city OPERATOR(pg_catalog.=) p.city" \
	" AND v.start OPERATOR(pg_catalog.=) p.start"

static Statement upsert_rollup = {
	.text = "INSERT INTO %s.fintrans_volume_rollup AS v (resolution, city,"
	" start, transactions, total, minimum, maximum)"
	" SELECT r.resolution, k.city COLLATE pg_catalog.\"C\","
	" " PERIOD_START ","
	" pg_catalog.sum(k.transactions), pg_catalog.sum(k.total),"
	" pg_catalog.min(k.minimum), pg_catalog.max(k.maximum)"
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2),"
	" pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5),"
	" pg_catalog.unnest($6))"
	" AS k (city, minute, transactions, total, minimum, maximum)" RESOLUTIONS
	" GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
	" ON CONFLICT (resolution, city, start) DO UPDATE SET"
	ADD_VOLUME,
	.nargs = COLUMNS,
	.types = COLUMN_TYPES,
	.generic = true
};

static Statement delete_empty_rollup = {
	.text = "DELETE FROM %s.fintrans_volume_rollup v USING " PERIODS
	" WHERE" IN_PERIOD " AND v.transactions OPERATOR(pg_catalog.=) 0",
	.nargs = 2,
	.types = {TEXTARRAYOID, TIMESTAMPTZARRAYOID}
};

static Statement renew_rollup_extremes = {
	.text = "UPDATE %s.fintrans_volume_rollup v"
	" SET minimum = e.minimum, maximum = e.maximum"
	" FROM " PERIODS " CROSS JOIN LATERAL"
	" (SELECT pg_catalog.min(m.minimum) AS minimum,"
	" pg_catalog.max(m.maximum) AS maximum FROM %s.fintrans_volume m"
	" WHERE m.city OPERATOR(pg_catalog.=) p.city"
	" AND m.minute OPERATOR(pg_catalog.>=) p.start"
	" AND m.minute OPERATOR(pg_catalog.<)"
	" (p.start OPERATOR(pg_catalog.+) p.resolution)) e"
	" WHERE" IN_PERIOD " AND e.minimum IS NOT NULL",
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

/*
 * Minutes that lost rows, as arguments of the statements for them; false when
 * there are none.
 */
static bool
removed_minutes(VolumeDelta **volumes, int count, Datum *arguments)
{
	Datum	   *columns[2];
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
	if (n > 0)
		statement_arrays(&renew_extremes, arguments, columns, 2, n);
	return n > 0;
}

/* All deltas, as arguments of the upserts. */
static void
volume_arguments(VolumeDelta **volumes, int count, Datum *arguments)
{
	Datum	   *columns[COLUMNS];
	AmountBuffer *buffers = palloc(count * 3 * sizeof(AmountBuffer));
	int			i;

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
}

static void
upsert_volume(Oid schema, Statement *statement, Datum *arguments)
{
	statement_execute(statement, schema, arguments, InvalidSnapshot,
					  SPI_OK_INSERT);
}

/* What lost rows: drop what is empty, renew the others' extremes. */
static void
repair_removed(Oid schema, Statement *empty, Statement *extremes,
			   Datum *arguments)
{
	statement_execute(empty, schema, arguments, InvalidSnapshot,
					  SPI_OK_DELETE);
	statement_execute(extremes, schema, arguments, InvalidSnapshot,
					  SPI_OK_UPDATE);
}

void
volume_apply(Oid schema, VolumeDelta **volumes, int count)
{
	Datum		changed[COLUMNS];
	Datum		removed[2];
	bool		has_removed;

	count = leave_out_history(schema, volumes, count);
	if (count == 0)
		return;
	volume_arguments(volumes, count, changed);
	has_removed = removed_minutes(volumes, count, removed);

	upsert_volume(schema, &upsert, changed);
	if (has_removed)
		repair_removed(schema, &delete_empty, &renew_extremes, removed);

	/*
	 * The SQL objects may still be those of 0.1.0.  Only now that the minutes
	 * are locked is it known that no update of the extension is under way.
	 */
	if (!OidIsValid(get_relname_relid("fintrans_volume_rollup", schema)))
		return;
	upsert_volume(schema, &upsert_rollup, changed);
	if (has_removed)
		repair_removed(schema, &delete_empty_rollup, &renew_rollup_extremes,
					   removed);
}
