/*
 * Sees to the rules, and reads their alerts exactly once each.
 *
 * An alert carries the id of the database transaction that raised it, and a
 * reader keeps the snapshot of its last complete read: what is visible now and
 * was not in that snapshot is new.  Commits out of order make no difference,
 * and nothing has to be written anywhere.
 *
 * A read takes a snapshot, has the server store its result (a cursor WITH
 * HOLD) and ends its database transaction at once, so that a slow reader of
 * our output holds back no vacuum, and memory stays bounded on both sides.
 * Should the connection break before all is handed over, the next read is to
 * leave out what was: of transactions older than the first snapshot's oldest
 * running one, everything up to the last alert_id handed over; of younger
 * ones, those remembered one by one.
 *
 * A standby's snapshots do not list the transactions in progress (as of
 * PostgreSQL 15), so there the oldest running transaction alone is believed,
 * and the alerts of younger ones are remembered one by one for longer.
 */
#include "alerts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array_text.h"
#include "log.h"
#include "text_buffer.h"

#define FETCH_ROWS "1000"

/* An alert handed over that a snapshot alone cannot tell from a new one. */
typedef struct Seen
{
	int64_t		alert_id;
	uint64_t	xid;
} Seen;

/* What a read knows of the moment it looks at. */
typedef struct Look
{
	char	   *snapshot;		/* pg_snapshot as text */
	uint64_t	xmin;			/* oldest transaction running then */
	bool		on_standby;
} Look;

struct Alerts
{
	const AlertsSettings *settings;
	Listener   *listener;
	char	   *history;		/* that the rest is about; NULL before */
	bool		rules_are_set;
	bool		on_standby;		/* at the last look on this connection */

	char	   *last_snapshot;	/* of the last complete read; NULL before */
	int64_t		foreign_id;		/* alerts up to it are another cluster's */

	/* of a read under way or broken off */
	bool		read_began;
	int64_t		read_id;		/* handed over up to this alert_id .. */
	uint64_t	read_xmin;		/* .. of transactions older than this one */
	Seen	   *seen;
	size_t		seen_count;
	size_t		seen_size;
};

static ListenerOutcome check_history(Alerts *alerts);
static ListenerOutcome prepare_rules(Alerts *alerts);
static ListenerOutcome check_min_amount(Alerts *alerts);
static ListenerOutcome open_cursor(Alerts *alerts, Look *look);
static ListenerOutcome take_look(Alerts *alerts, Look *look);
static ListenerOutcome find_foreign(Alerts *alerts);
static ListenerOutcome declare_cursor(Alerts *alerts);
static ListenerOutcome run_declare(Alerts *alerts,
								   const char *const *parameters);
static char *list_seen(const Alerts *alerts);
static void list_columns(char *list, size_t size);
static ListenerOutcome hand_over(Alerts *alerts, AlertsTake take,
							   void *context);
static ListenerOutcome hand_over_row(Alerts *alerts, int row, AlertsTake take,
								   void *context);
static bool remember(Alerts *alerts, int64_t alert_id, uint64_t xid);
static ListenerOutcome read_completed(Alerts *alerts, Look *look);
static void forget_reads(Alerts *alerts);
static ListenerOutcome out_of_memory(Alerts *alerts);

/* Nobody is to be bothered with it for now. */
#define IS_QUIET \
	"coalesce((j ->> 'quiet_until')::timestamptz > now(), false)"

/*
 * An alert with a window is raised again when it doubles, so its row will do;
 * one without has the total of the day it was raised there.
 */
#define IS_LARGE \
	"($5::numeric IS NULL OR coalesce((SELECT l.total" \
	" FROM %s.fintrans_laundering l" \
	" WHERE l.source_account = a.source_account" \
	" AND l.target_account = a.target_account" \
	" AND j ->> 'window_start' IS NULL), a.total) >= $5::numeric)"

/* What the first read wants. */
static const char is_open[] = "a.state = coalesce($6, 'open')";

/*
 * What later ones want.  The upper bound on raised_xid keeps out what is
 * restored from another cluster while we run; alert_id > $8 what was restored
 * before.
 */
static const char is_new[] =
"a.raised_xid >= pg_snapshot_xmin($7::pg_snapshot)"
" AND a.raised_xid < pg_snapshot_xmax(pg_current_snapshot())"
" AND NOT pg_visible_in_snapshot(a.raised_xid, $7::pg_snapshot)"
" AND a.alert_id > $8::bigint AND a.state = coalesce($6, a.state)";

Alerts *
alerts_new(const AlertsSettings *settings)
{
	Alerts	   *alerts = calloc(1, sizeof(*alerts));

	if (alerts == NULL)
		return NULL;
	alerts->settings = settings;
	alerts->foreign_id = INT64_MIN;
	alerts->listener = listener_new(settings->database);
	if (alerts->listener == NULL)
	{
		free(alerts);
		return NULL;
	}
	return alerts;
}

void
alerts_free(Alerts *alerts)
{
	if (alerts == NULL)
		return;
	listener_free(alerts->listener);
	forget_reads(alerts);
	free(alerts->history);
	free(alerts->seen);
	free(alerts);
}

ListenerOutcome
alerts_connect(Alerts *alerts)
{
	ListenerOutcome outcome;

	alerts->on_standby = false;
	/* it listens before the first read: what comes in between is announced */
	if ((outcome = listener_connect(alerts->listener)) == LISTENER_DONE &&
		(outcome = check_history(alerts)) == LISTENER_DONE &&
		!alerts->rules_are_set)
		outcome = prepare_rules(alerts);
	if (outcome != LISTENER_DONE)
		alerts_disconnect(alerts);
	return outcome;
}

void
alerts_disconnect(Alerts *alerts)
{
	listener_disconnect(alerts->listener);
}

ListenerOutcome
alerts_read(Alerts *alerts, AlertsTake take, void *context)
{
	Look		look = {NULL, 0, false};
	ListenerOutcome outcome;

	if ((outcome = open_cursor(alerts, &look)) == LISTENER_DONE &&
		(outcome = hand_over(alerts, take, context)) == LISTENER_DONE)
		outcome = read_completed(alerts, &look);
	free(look.snapshot);
	/* a statement that failed leaves a database transaction behind */
	if (outcome != LISTENER_DONE)
		alerts_disconnect(alerts);
	return outcome;
}

int
alerts_socket(const Alerts *alerts)
{
	return listener_socket(alerts->listener);
}

ListenerOutcome
alerts_consume(Alerts *alerts, bool *notified)
{
	return listener_consume(alerts->listener, notified);
}

const char *
alerts_error(const Alerts *alerts)
{
	return listener_error(alerts->listener);
}

/*
 * Transaction ids can be compared within one history only.  After a failover
 * to a standby that lacked the newest commits, or a restore, they start again
 * from an earlier point: then everything open is handed over anew, for one
 * line too many does less harm than one that is missing.
 */
static ListenerOutcome
check_history(Alerts *alerts)
{
	const char *history = listener_history(alerts->listener);

	if (alerts->history != NULL && strcmp(history, alerts->history) == 0)
		return LISTENER_DONE;
	if (alerts->history != NULL)
	{
		log_write(LOG_LEVEL_WARNING, "another history of the database",
				  "consequence=\"alerts still open are printed again\"");
		forget_reads(alerts);
	}
	free(alerts->history);
	alerts->history = strdup(history);
	return alerts->history != NULL ? LISTENER_DONE : out_of_memory(alerts);
}

/* Once only: what a person changes later stands. */
static ListenerOutcome
prepare_rules(Alerts *alerts)
{
	ListenerOutcome outcome = rules_prepare(alerts->listener,
											&alerts->settings->rules);

	if (outcome == LISTENER_DONE && alerts->settings->follows &&
		alerts->settings->min_amount != NULL)
		outcome = check_min_amount(alerts);
	alerts->rules_are_set = outcome == LISTENER_DONE;
	return outcome;
}

/*
 * A pair without a window is printed once: were it left out for being small
 * then, it would be however much it grew.
 */
static ListenerOutcome
check_min_amount(Alerts *alerts)
{
	Listener   *listener = alerts->listener;
	char	   *rules = rules_array(&alerts->settings->rules.names);
	ListenerOutcome outcome;

	if (rules == NULL)
		return out_of_memory(alerts);
	outcome = listener_run(listener, (const char *const *) &rules, 1,
						   "SELECT r.name FROM %s.fintrans_rules r"
						   " WHERE r.name = ANY ($1::text[])"
						   " AND to_jsonb(r) ->> 'time_window' IS NULL"
						   " ORDER BY r.name", listener_schema(listener));
	free(rules);
	if (outcome != LISTENER_DONE || listener_rows(listener) == 0)
		return outcome;
	return listener_fail(listener, LISTENER_FATAL, "--min-amount would hide"
						 " what grows: rule \"%s\" has no window, and alerts"
						 " on a pair once only; use a rule with that threshold"
						 " instead, or --once, or --review",
						 listener_value(listener, 0, 0));
}

/* ---------------------------------------------------------------- reading */

/* Look, and have the server store what is new. */
static ListenerOutcome
open_cursor(Alerts *alerts, Look *look)
{
	ListenerOutcome outcome;

	outcome = listener_run(alerts->listener, NULL, 0, "BEGIN ISOLATION LEVEL"
						   " REPEATABLE READ READ ONLY");
	if (outcome != LISTENER_DONE ||
		(outcome = take_look(alerts, look)) != LISTENER_DONE)
		return outcome;
	if (alerts->last_snapshot == NULL &&
		(outcome = find_foreign(alerts)) != LISTENER_DONE)
		return outcome;
	if (!alerts->read_began)
	{
		alerts->read_began = true;
		alerts->read_id = INT64_MIN;
		alerts->read_xmin = look->xmin;
	}
	if ((outcome = declare_cursor(alerts)) != LISTENER_DONE)
		return outcome;
	return listener_run(alerts->listener, NULL, 0, "COMMIT");
}

static ListenerOutcome
take_look(Alerts *alerts, Look *look)
{
	Listener   *listener = alerts->listener;
	ListenerOutcome outcome;

	outcome = listener_run(listener, NULL, 0,
						   "SELECT s, pg_snapshot_xmin(s), pg_is_in_recovery()"
						   " FROM pg_current_snapshot() s");
	if (outcome != LISTENER_DONE)
		return outcome;
	look->snapshot = strdup(listener_value(listener, 0, 0));
	look->xmin = strtoull(listener_value(listener, 0, 1), NULL, 10);
	look->on_standby = listener_value(listener, 0, 2)[0] == 't';
	if (look->snapshot == NULL)
		return out_of_memory(alerts);
	/* another history began, and there is something to listen to now */
	if (alerts->on_standby && !look->on_standby)
		return listener_fail(listener, LISTENER_LOST,
							 "the standby was promoted");
	alerts->on_standby = look->on_standby;
	return LISTENER_DONE;
}

/*
 * Alerts restored from another cluster carry that one's transaction ids,
 * which may lie in this one's future.  They are visible though the snapshot
 * says they cannot be; when the ids come to pass they must not pass for new.
 */
static ListenerOutcome
find_foreign(Alerts *alerts)
{
	Listener   *listener = alerts->listener;
	ListenerOutcome outcome;
	const char *alert_id;

	outcome = listener_run(listener, NULL, 0,
						   "SELECT max(alert_id) FROM %s.fintrans_alerts"
						   " WHERE raised_xid"
						   " >= pg_snapshot_xmin(pg_current_snapshot())"
						   " AND NOT pg_visible_in_snapshot(raised_xid,"
						   " pg_current_snapshot())",
						   listener_schema(listener));
	if (outcome != LISTENER_DONE)
		return outcome;
	alert_id = listener_value(listener, 0, 0);
	alerts->foreign_id = alert_id == NULL ? INT64_MIN :
		strtoll(alert_id, NULL, 10);
	return LISTENER_DONE;
}

static ListenerOutcome
declare_cursor(Alerts *alerts)
{
	const AlertsSettings *settings = alerts->settings;
	char		read_id[24];
	char		read_xmin[24];
	char		foreign_id[24];
	char	   *rules = rules_array(&settings->rules.names);
	char	   *seen = list_seen(alerts);
	const char *const parameters[] = {
		rules, read_id, read_xmin, seen, settings->min_amount,
		settings->state, alerts->last_snapshot, foreign_id
	};
	ListenerOutcome outcome;

	snprintf(read_id, sizeof(read_id), "%" PRId64, alerts->read_id);
	snprintf(read_xmin, sizeof(read_xmin), "%" PRIu64, alerts->read_xmin);
	snprintf(foreign_id, sizeof(foreign_id), "%" PRId64, alerts->foreign_id);
	outcome = rules == NULL || seen == NULL ? out_of_memory(alerts) :
		run_declare(alerts, parameters);
	free(rules);
	free(seen);
	return outcome;
}

static ListenerOutcome
run_declare(Alerts *alerts, const char *const *parameters)
{
	bool		is_first = alerts->last_snapshot == NULL;
	char		columns[512];

	list_columns(columns, sizeof(columns));
	return listener_run(alerts->listener, parameters, is_first ? 6 : 8,
						"DECLARE new_alerts NO SCROLL CURSOR WITH HOLD FOR"
						" SELECT a.alert_id, a.raised_xid%s"
						" FROM %s.fintrans_alerts a"
						" CROSS JOIN LATERAL to_jsonb(a) j"
						" WHERE a.rule = ANY ($1::text[])"
						" AND (a.alert_id > $2::bigint"
						" OR a.raised_xid >= $3::xid8)"
						" AND a.alert_id <> ALL ($4::bigint[])"
						" AND " IS_LARGE
						" AND %s AND NOT " IS_QUIET " ORDER BY a.alert_id",
						columns, listener_schema(alerts->listener),
						listener_schema(alerts->listener),
						is_first ? is_open : is_new);
}

/* As an array literal, to be freed; NULL when memory is short. */
static char *
list_seen(const Alerts *alerts)
{
	ArrayText	array = {0};

	for (size_t i = 0; i < alerts->seen_count; i++)
		array_text_add_integer(&array, alerts->seen[i].alert_id);
	if (array_text_finish(&array) == NULL)
		array_text_free(&array);
	return array.text;
}

/* Those that an older extension does not have are NULL. */
static void
list_columns(char *list, size_t size)
{
	TextBuffer	buffer = text_buffer_of(list, size);

	for (int i = 0; i < ALERT_COLUMNS; i++)
		text_buffer_add(&buffer, alert_columns[i].type == ALERT_TIME ?
						", " LISTENER_TIME("j ->> '%s'") : ", j ->> '%s'",
						alert_columns[i].name);
	assert(text_buffer_is_whole(&buffer));
}

static ListenerOutcome
hand_over(Alerts *alerts, AlertsTake take, void *context)
{
	int			rows;

	do
	{
		ListenerOutcome outcome = listener_run(alerts->listener, NULL, 0,
											 "FETCH " FETCH_ROWS
											 " FROM new_alerts");

		rows = outcome == LISTENER_DONE ? listener_rows(alerts->listener) : 0;
		for (int row = 0; row < rows && outcome == LISTENER_DONE; row++)
			outcome = hand_over_row(alerts, row, take, context);
		if (outcome != LISTENER_DONE)
			return outcome;
	} while (rows > 0);
	return listener_run(alerts->listener, NULL, 0, "CLOSE new_alerts");
}

static ListenerOutcome
hand_over_row(Alerts *alerts, int row, AlertsTake take, void *context)
{
	Listener   *listener = alerts->listener;
	Alert		alert;

	for (int i = 0; i < ALERT_COLUMNS; i++)
		alert.values[i] = listener_value(listener, row, i + 2);
	if (!take(context, &alert))
		return LISTENER_STOPPED;
	if (!remember(alerts, strtoll(listener_value(listener, row, 0), NULL, 10),
				  strtoull(listener_value(listener, row, 1), NULL, 10)))
		return out_of_memory(alerts);
	return LISTENER_DONE;
}

/* Note that an alert was handed over. */
static bool
remember(Alerts *alerts, int64_t alert_id, uint64_t xid)
{
	if (alert_id > alerts->read_id)
		alerts->read_id = alert_id;
	if (xid < alerts->read_xmin)
		return true;
	if (alerts->seen_count == alerts->seen_size)
	{
		size_t		size = 2 * alerts->seen_size + 64;
		Seen	   *seen = realloc(alerts->seen, size * sizeof(*seen));

		if (seen == NULL)
			return false;
		alerts->seen = seen;
		alerts->seen_size = size;
	}
	alerts->seen[alerts->seen_count++] = (Seen) {alert_id, xid};
	return true;
}

/* The next read begins where this one looked. */
static ListenerOutcome
read_completed(Alerts *alerts, Look *look)
{
	size_t		kept = 0;

	if (look->on_standby)
	{
		for (size_t i = 0; i < alerts->seen_count; i++)
		{
			if (alerts->seen[i].xid >= look->xmin &&
				alerts->seen[i].alert_id > alerts->foreign_id)
				alerts->seen[kept++] = alerts->seen[i];
		}
		free(look->snapshot);
		if (asprintf(&look->snapshot, "%" PRIu64 ":%" PRIu64 ":", look->xmin,
					 look->xmin) < 0)
		{
			look->snapshot = NULL;
			return out_of_memory(alerts);
		}
	}
	alerts->seen_count = kept;
	alerts->read_began = false;
	free(alerts->last_snapshot);
	alerts->last_snapshot = look->snapshot;
	look->snapshot = NULL;
	return LISTENER_DONE;
}

static void
forget_reads(Alerts *alerts)
{
	free(alerts->last_snapshot);
	alerts->last_snapshot = NULL;
	alerts->read_began = false;
	alerts->seen_count = 0;
}

static ListenerOutcome
out_of_memory(Alerts *alerts)
{
	return listener_fail(alerts->listener, LISTENER_FATAL, "out of memory");
}
