/*
 * What is listed once is not listed again, however often the list is read: new
 * alerts are found at its end, and one that was skipped is not.
 */
#include "docket_state.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array_text.h"
#include "rules.h"
#include "text_buffer.h"

/* Alerts listed at once. */
#define LIST_ROWS "1000"

/* What is to be looked at; $1 is the state that is wanted. */
#define WAITS \
	"(NOT l.quiet AND CASE WHEN $1::text IS NULL" \
	" THEN l.state IN ('open', 'reviewing') OR l.escalated" \
	" ELSE l.state = $1::text END)"

/* Shown again whatever $1 is, as nobody else is to see to it. */
#define IS_OWN \
	"(NOT l.quiet AND l.state = 'reviewing'" \
	" AND coalesce(l.reviewed_by = session_user, false))"

/* As fintrans_review() has it: who has not begun the review yet would do so. */
#define NEEDS_ANOTHER \
	"(s.name IS NOT NULL AND (l.state <> 'reviewing'" \
	" OR coalesce(l.reviewed_by = session_user, false)))"

static DocketOutcome find_reviews(Docket *docket);
static DocketOutcome check_role(Docket *docket);
static DocketOutcome read_list(Docket *docket);
static DocketOutcome run_list(Docket *docket, const char *const *parameters);
static DocketOutcome take_list(Docket *docket);
static DocketOutcome keep_values(Docket *docket);
static void forget_values(Docket *docket);
static DocketOutcome declare_evidence(Docket *docket);
static DocketOutcome out_of_memory(Docket *docket);

/* The columns of the case from the alert's row in the list, and others. */
static const char *const case_columns[CASE_COLUMNS] = {
	[CASE_RULE] = "j ->> 'rule'",
	[CASE_KIND] = "j ->> 'kind'",
	[CASE_SOURCE_ACCOUNT] = "j ->> 'source_account'",
	[CASE_TARGET_ACCOUNT] = "j ->> 'target_account'",
	[CASE_ACCOUNT] = "j ->> 'account'",
	[CASE_THRESHOLD] = "j ->> 'threshold'",
	[CASE_RAISED_TOTAL] = "j ->> 'raised_total'",
	[CASE_TOTAL] = "j ->> 'total'",
	[CASE_LEVEL] = "j ->> 'level'",
	[CASE_WINDOW_START] = LISTENER_TIME("j ->> 'window_start'"),
	[CASE_WINDOW_END] = LISTENER_TIME("j ->> 'window_end'"),
	[CASE_RAISED_AT] = LISTENER_TIME("j ->> 'raised_at'"),
	[CASE_ESCALATED_AT] = LISTENER_TIME("j ->> 'escalated_at'"),
	[CASE_STATE] = "j ->> 'state'",
	[CASE_REVIEWED_BY] = "j ->> 'reviewed_by'",
	[CASE_REVIEWED_AT] = LISTENER_TIME("j ->> 'reviewed_at'"),
	[CASE_ASSIGNED_TO] = "j ->> 'assigned_to'",
	[CASE_QUIET_UNTIL] = LISTENER_TIME("j ->> 'quiet_until'"),
	[CASE_WINDOW] = "r.time_window",
	[CASE_AMOUNT_FROM] = "r.amount_from",
	[CASE_AMOUNT_BELOW] = "r.amount_below",
	[CASE_WAITS] = WAITS,
	[CASE_IS_OWN] = IS_OWN,
	[CASE_NEEDS_ANOTHER] = NEEDS_ANOTHER,
	[CASE_VERSION] = "a.xmin",
};

Docket *
docket_new(const DocketSettings *settings)
{
	Docket	   *docket = calloc(1, sizeof(*docket));

	if (docket == NULL)
		return NULL;
	docket->settings = settings;
	docket->listener = listener_new(settings->database);
	if (docket->listener == NULL)
	{
		free(docket);
		return NULL;
	}
	return docket;
}

void
docket_free(Docket *docket)
{
	if (docket == NULL)
		return;
	forget_values(docket);
	free(docket->list);
	listener_free(docket->listener);
	free(docket);
}

DocketOutcome
docket_connect(Docket *docket)
{
	Listener   *listener = docket->listener;
	ListenerOutcome outcome = listener_connect(listener);

	if (outcome != LISTENER_DONE)
		return outcome == LISTENER_LOST ? DOCKET_LOST : DOCKET_FATAL;
	if (!docket->is_allowed)
	{
		DocketOutcome found;

		if ((found = find_reviews(docket)) != DOCKET_DONE ||
			(found = check_role(docket)) != DOCKET_DONE ||
			(found = docket_result(docket, rules_check(listener,
												   &docket->settings->rules)))
			!= DOCKET_DONE)
			return found;
	}
	docket->is_allowed = true;
	return DOCKET_DONE;
}

void
docket_disconnect(Docket *docket)
{
	listener_disconnect(docket->listener);
}

int
docket_socket(const Docket *docket)
{
	return listener_socket(docket->listener);
}

DocketOutcome
docket_consume(Docket *docket)
{
	bool		notified;

	return docket_result(docket, listener_consume(docket->listener, &notified));
}

int64_t
docket_left(const Docket *docket)
{
	return docket->left;
}

int64_t
docket_alert_id(const Docket *docket)
{
	return docket->alert_id;
}

const char *
docket_value(const Docket *docket, CaseColumn column)
{
	return docket->values[column];
}

int
docket_rows(const Docket *docket)
{
	return listener_rows(docket->listener);
}

const char *
docket_row_value(const Docket *docket, int row, int column)
{
	return listener_value(docket->listener, row, column);
}

const char *
docket_error(const Docket *docket)
{
	return listener_error(docket->listener);
}

/* -------------------------------------------------------------- may it be? */

static DocketOutcome
find_reviews(Docket *docket)
{
	const char *const parameters[] = {listener_schema(docket->listener)};
	DocketOutcome outcome;

	outcome = docket_result(docket, listener_run(docket->listener, parameters, 1,
											 "SELECT to_regclass($1 ||"
											 " '.fintrans_alert_list')"));
	if (outcome != DOCKET_DONE ||
		listener_value(docket->listener, 0, 0) != NULL)
		return outcome;
	listener_fail(docket->listener, LISTENER_FATAL, "reviews need version"
				  " 0.2.0 of the extension or a later one: ALTER EXTENSION"
				  " fintrans UPDATE");
	return DOCKET_FATAL;
}

/* Found out now, and not when the first decision has been made. */
static DocketOutcome
check_role(Docket *docket)
{
	Listener   *listener = docket->listener;
	const char *const parameters[] = {listener_schema(listener)};
	DocketOutcome outcome;

	outcome = docket_result(docket, listener_run(
		listener, parameters, 1,
		"SELECT a.ability, session_user,"
		" quote_literal(quote_ident(session_user))"
		" FROM (VALUES"
		" ('operator', has_function_privilege($1 ||"
		" '.fintrans_review(bigint, text, text)', 'EXECUTE')"
		" AND has_function_privilege($1 ||"
		" '.fintrans_snooze(bigint, timestamptz, text)', 'EXECUTE')),"
		" ('reader', has_table_privilege($1 ||"
		" '.fintrans_transactions', 'SELECT'))) a (ability, is_given)"
		" WHERE NOT a.is_given"));
	if (outcome != DOCKET_DONE || listener_rows(listener) == 0)
		return outcome;
	listener_fail(listener, LISTENER_FATAL, "role \"%s\" may not review, it"
				  " lacks the ability \"%s\": SELECT fintrans_grant(%s, '%s'),"
				  " as the owner of the extension",
				  listener_value(listener, 0, 1), listener_value(listener, 0, 0),
				  listener_value(listener, 0, 2), listener_value(listener, 0, 0));
	return DOCKET_FATAL;
}

/* --------------------------------------------------------------- the list */

DocketOutcome
docket_next(Docket *docket)
{
	for (;;)
	{
		DocketOutcome outcome;

		if (docket->list_next == docket->list_count &&
			(outcome = read_list(docket)) != DOCKET_DONE)
			return outcome;
		docket->alert_id = docket->list[docket->list_next];
		outcome = docket_read(docket);
		if (outcome != DOCKET_DONE && outcome != DOCKET_NONE)
			return outcome;
		docket->list_next++;
		docket->left--;
		/* somebody else may have seen to it since the list was read */
		if (outcome == DOCKET_DONE && docket->values[CASE_WAITS][0] == 't')
			return DOCKET_DONE;
	}
}

/* What is to be looked at and was not listed before. */
static DocketOutcome
read_list(Docket *docket)
{
	const DocketSettings *settings = docket->settings;
	ArrayText	listed = {0};
	char	   *rules = settings->rules.count == 0 ? NULL :
		rules_array(&settings->rules);
	DocketOutcome outcome;

	for (size_t i = 0; i < docket->list_count; i++)
		array_text_add_integer(&listed, docket->list[i]);
	if (array_text_finish(&listed) == NULL ||
		(rules == NULL && settings->rules.count > 0))
		outcome = out_of_memory(docket);
	else
		outcome = run_list(docket, (const char *const[])
						   {
							   settings->state, rules, settings->min_amount,
							   listed.text
						   });
	array_text_free(&listed);
	free(rules);
	return outcome == DOCKET_DONE ? take_list(docket) : outcome;
}

static DocketOutcome
run_list(Docket *docket, const char *const *parameters)
{
	return docket_result(docket, listener_run(
		docket->listener, parameters, 4,
		"SELECT l.alert_id, count(*) OVER () FROM %s.fintrans_alert_list l"
		" WHERE ($2::text[] IS NULL OR l.rule = ANY ($2::text[]))"
		" AND ($3::numeric IS NULL OR l.total >= $3::numeric) AND " WAITS
		" AND l.alert_id <> ALL ($4::bigint[])"
		" ORDER BY l.level DESC, l.alert_id LIMIT " LIST_ROWS,
		listener_schema(docket->listener)));
}

static DocketOutcome
take_list(Docket *docket)
{
	size_t		rows = (size_t) listener_rows(docket->listener);
	int64_t    *list;

	if (rows == 0)
		return DOCKET_NONE;
	list = realloc(docket->list, (docket->list_count + rows) * sizeof(*list));
	if (list == NULL)
		return out_of_memory(docket);
	for (size_t i = 0; i < rows; i++)
		list[docket->list_count++] =
			strtoll(listener_value(docket->listener, (int) i, 0), NULL, 10);
	docket->list = list;
	docket->left = strtoll(listener_value(docket->listener, 0, 1), NULL, 10);
	return DOCKET_DONE;
}

/* ------------------------------------------------------- the alert at hand */

DocketOutcome
docket_read(Docket *docket)
{
	char		alert_id[DOCKET_NUMBER_BYTES];
	char		columns[1536];
	TextBuffer	buffer = text_buffer_of(columns, sizeof(columns));
	const char *const parameters[] = {
		docket->settings->state, docket_number(docket->alert_id, alert_id)
	};
	DocketOutcome outcome;

	for (int i = 0; i < CASE_COLUMNS; i++)
		text_buffer_add(&buffer, "%s%s", i == 0 ? "" : ", ", case_columns[i]);
	assert(text_buffer_is_whole(&buffer));
	outcome = docket_result(docket, listener_run(
		docket->listener, parameters, 2,
		"SELECT %s FROM %s.fintrans_alert_list l"
		" CROSS JOIN LATERAL to_jsonb(l) j"
		" JOIN %s.fintrans_alerts a ON a.alert_id = l.alert_id"
		" LEFT JOIN %s.fintrans_rules r ON r.name = l.rule"
		" LEFT JOIN %s.fintrans_settings s"
		" ON (s.name, s.value) = ('separate_duties', 'on')"
		" WHERE l.alert_id = $2::bigint", columns,
		listener_schema(docket->listener), listener_schema(docket->listener),
		listener_schema(docket->listener), listener_schema(docket->listener)));
	return outcome == DOCKET_DONE ? keep_values(docket) : outcome;
}

static DocketOutcome
keep_values(Docket *docket)
{
	forget_values(docket);
	if (listener_rows(docket->listener) != 1)
		return DOCKET_NONE;
	for (int i = 0; i < CASE_COLUMNS; i++)
	{
		const char *value = listener_value(docket->listener, 0, i);

		if (value != NULL && (docket->values[i] = strdup(value)) == NULL)
			return out_of_memory(docket);
	}
	return DOCKET_DONE;
}

static void
forget_values(Docket *docket)
{
	for (int i = 0; i < CASE_COLUMNS; i++)
	{
		free(docket->values[i]);
		docket->values[i] = NULL;
	}
}

DocketOutcome
docket_decisions(Docket *docket, int limit)
{
	char		limit_text[DOCKET_NUMBER_BYTES];
	const char *const parameters[] = {
		docket->values[CASE_SOURCE_ACCOUNT],
		docket->values[CASE_TARGET_ACCOUNT], docket->values[CASE_ACCOUNT],
		docket_number(limit, limit_text)
	};

	return docket_result(docket, listener_run(
		docket->listener, parameters, 4,
		"SELECT count(*) OVER (), "
		LISTENER_TIME("to_jsonb(d.reviewed_at) #>> '{}'")
		", a.alert_id, a.rule, d.decision, d.reviewed_by, "
		LISTENER_TIME("to_jsonb(d.quiet_until) #>> '{}'")
		", d.assigned_to, d.note"
		" FROM %s.fintrans_reviews d"
		" JOIN %s.fintrans_alerts a ON a.alert_id = d.alert_id"
		" WHERE a.account = $3::text"
		" OR (a.source_account, a.target_account) = ($1::text, $2::text)"
		" ORDER BY d.review_id DESC LIMIT $4::bigint",
		listener_schema(docket->listener), listener_schema(docket->listener)));
}

/*
 * The server stores all that can be shown, so that it is found once however it
 * is read.
 */
DocketOutcome
docket_evidence(Docket *docket, bool from_start, int64_t limit)
{
	DocketOutcome outcome = DOCKET_DONE;

	if (from_start)
		outcome = declare_evidence(docket);
	if (outcome == DOCKET_DONE)
		outcome = docket_result(docket, listener_run(docket->listener, NULL, 0,
												 "FETCH %" PRId64
												 " FROM evidence", limit));
	return outcome;
}

static DocketOutcome
declare_evidence(Docket *docket)
{
	char		alert_id[DOCKET_NUMBER_BYTES];
	char		most[DOCKET_NUMBER_BYTES];
	const char *const parameters[] = {
		docket_number(docket->alert_id, alert_id),
		docket_number(EVIDENCE_MOST, most)
	};
	DocketOutcome outcome;

	outcome = docket_result(docket, listener_run(docket->listener, NULL, 0,
											 "CLOSE ALL"));
	if (outcome != DOCKET_DONE)
		return outcome;
	return docket_result(docket, listener_run(
		docket->listener, parameters, 2,
		"DECLARE evidence NO SCROLL CURSOR WITH HOLD FOR"
		" SELECT count(*) OVER (), "
		LISTENER_TIME("to_jsonb(e.event_time) #>> '{}'")
		", e.city, e.source_account, e.target_account, e.amount"
		" FROM %s.fintrans_evidence($1::bigint, $2::bigint + 1)"
		" WITH ORDINALITY e"
		" ORDER BY e.ordinality LIMIT $2::bigint", listener_schema(docket->listener)));
}

/* ---------------------------------------------------------------- outcomes */

DocketOutcome
docket_result(Docket *docket, ListenerOutcome outcome)
{
	if (outcome == LISTENER_DONE)
		return DOCKET_DONE;
	if (!listener_is_connected(docket->listener))
		return DOCKET_LOST;
	return outcome == LISTENER_LOST ? DOCKET_BUSY : DOCKET_FATAL;
}

static DocketOutcome
out_of_memory(Docket *docket)
{
	listener_fail(docket->listener, LISTENER_FATAL, "out of memory");
	return DOCKET_FATAL;
}

const char *
docket_number(int64_t number, char *text)
{
	snprintf(text, DOCKET_NUMBER_BYTES, "%" PRId64, number);
	return text;
}
