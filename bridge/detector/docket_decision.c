/*
 * A decision is one database transaction at REPEATABLE READ: it looks whether
 * the alert's row is the version that was shown, and whoever changes the row
 * between this look and our own change makes ours fail.  So a review begun,
 * a decision, a snooze or an escalation that the person has not seen is never
 * decided over.
 *
 * An alert that is open is put under review and decided at once, for reviews
 * that were begun cannot be taken back: who skips an alert has left no trace.
 */
#include "docket_state.h"

#include <stdlib.h>
#include <string.h>

/* SQLSTATE of a row that is not the snapshot's any more. */
#define CHANGED_MEANWHILE "40001"

static DocketOutcome begin_decision(Docket *docket);
static DocketOutcome write_decision(Docket *docket,
									const Decision *decision);
static DocketOutcome write_review(Docket *docket, const char *what,
								  const char *note);
static DocketOutcome write_snooze(Docket *docket, const Decision *decision);
static DocketOutcome commit_decision(Docket *docket,
									 const Decision *decision);
static DocketOutcome give_up_decision(Docket *docket, DocketOutcome outcome);
static DocketOutcome written(Docket *docket, ListenerOutcome outcome);

DocketOutcome
docket_decide(Docket *docket, const Decision *decision)
{
	DocketOutcome outcome;

	docket->pending_review = 0;
	if ((outcome = begin_decision(docket)) != DOCKET_DONE ||
		(outcome = write_decision(docket, decision)) != DOCKET_DONE ||
		(outcome = commit_decision(docket, decision)) != DOCKET_DONE)
		return give_up_decision(docket, outcome);
	return DOCKET_DONE;
}

/*
 * xmin is another one after each change of the row, whoever made it.  The
 * level of a total without a window is in no row.
 */
static DocketOutcome
begin_decision(Docket *docket)
{
	Listener   *listener = docket->listener;
	char		alert_id[DOCKET_NUMBER_BYTES];
	const char *const parameters[] = {
		docket_number(docket->alert_id, alert_id),
		docket->values[CASE_VERSION], docket->values[CASE_LEVEL]
	};
	DocketOutcome outcome;

	outcome = written(docket, listener_run(listener, NULL, 0, "BEGIN ISOLATION"
										   " LEVEL REPEATABLE READ"));
	if (outcome != DOCKET_DONE)
		return outcome;
	outcome = written(docket, listener_run(listener, parameters, 3,
										   "SELECT FROM %s.fintrans_alerts a"
										   " JOIN %s.fintrans_alert_list l"
										   " ON l.alert_id = a.alert_id"
										   " WHERE a.alert_id = $1::bigint"
										   " AND a.xmin::text = $2"
										   " AND l.level = $3::smallint",
										   listener_schema(listener),
										   listener_schema(listener)));
	if (outcome == DOCKET_DONE && listener_rows(listener) == 0)
		outcome = DOCKET_CHANGED;
	return outcome;
}

static DocketOutcome
write_decision(Docket *docket, const Decision *decision)
{
	bool		ends_review = strcmp(decision->what, "confirmed") == 0 ||
		strcmp(decision->what, "dismissed") == 0;
	DocketOutcome outcome = DOCKET_DONE;

	if (strcmp(decision->what, "snoozed") == 0)
		return write_snooze(docket, decision);
	if (ends_review && strcmp(docket->values[CASE_STATE], "reviewing") != 0)
		outcome = write_review(docket, "reviewing", NULL);
	if (outcome == DOCKET_DONE)
		outcome = write_review(docket, decision->what, decision->note);
	return outcome;
}

static DocketOutcome
write_review(Docket *docket, const char *what, const char *note)
{
	char		alert_id[DOCKET_NUMBER_BYTES];
	const char *const parameters[] = {
		docket_number(docket->alert_id, alert_id), what, note
	};

	return written(docket, listener_run(docket->listener, parameters, 3,
										"SELECT %s.fintrans_review("
										"$1::bigint, $2, $3)",
										listener_schema(docket->listener)));
}

static DocketOutcome
write_snooze(Docket *docket, const Decision *decision)
{
	char		alert_id[DOCKET_NUMBER_BYTES];
	char		until_ms[DOCKET_NUMBER_BYTES];
	const char *const parameters[] = {
		docket_number(docket->alert_id, alert_id),
		docket_number(decision->until_ms, until_ms), decision->note
	};

	return written(docket, listener_run(docket->listener, parameters, 3,
										"SELECT %s.fintrans_snooze("
										"$1::bigint, to_timestamp("
										"$2::bigint / 1000.0), $3)",
										listener_schema(docket->listener)));
}

/*
 * The answer to a COMMIT may get lost, so the review's number is noted before
 * it is sent.
 */
static DocketOutcome
commit_decision(Docket *docket, const Decision *decision)
{
	Listener   *listener = docket->listener;
	char		alert_id[DOCKET_NUMBER_BYTES];
	const char *const parameters[] = {
		docket_number(docket->alert_id, alert_id), decision->what
	};
	DocketOutcome outcome;

	outcome = written(docket, listener_run(listener, parameters, 2,
										   "SELECT max(review_id)"
										   " FROM %s.fintrans_reviews"
										   " WHERE alert_id = $1::bigint"
										   " AND decision = $2",
										   listener_schema(listener)));
	if (outcome != DOCKET_DONE)
		return outcome;
	docket->pending_review = strtoll(listener_value(listener, 0, 0), NULL, 10);
	outcome = written(docket, listener_run(listener, NULL, 0, "COMMIT"));
	if (outcome != DOCKET_LOST)
		docket->pending_review = 0;
	return outcome;
}

/* Nothing of it is to stay; the error stays that of what failed. */
static DocketOutcome
give_up_decision(Docket *docket, DocketOutcome outcome)
{
	if (outcome == DOCKET_LOST ||
		listener_run(docket->listener, NULL, 0, "ROLLBACK") == LISTENER_DONE)
		return outcome;
	return DOCKET_LOST;
}

/*
 * Numbers of reviews are given once, but a server that was restored may give
 * one again: whose it is tells the rest.
 */
DocketOutcome
docket_settle(Docket *docket, bool *is_written)
{
	char		alert_id[DOCKET_NUMBER_BYTES];
	char		review_id[DOCKET_NUMBER_BYTES];
	const char *const parameters[] = {
		docket_number(docket->alert_id, alert_id),
		docket_number(docket->pending_review, review_id)
	};
	DocketOutcome outcome = DOCKET_DONE;

	*is_written = false;
	if (docket->pending_review == 0)
		return DOCKET_DONE;
	outcome = docket_result(docket, listener_run(
		docket->listener, parameters, 2,
		"SELECT FROM %s.fintrans_reviews WHERE alert_id = $1::bigint"
		" AND review_id = $2::bigint AND reviewed_by = session_user",
		listener_schema(docket->listener)));
	if (outcome != DOCKET_DONE)
		return outcome;
	*is_written = listener_rows(docket->listener) == 1;
	docket->pending_review = 0;
	return DOCKET_DONE;
}

/* Of a statement of the decision: what it says is for the person. */
static DocketOutcome
written(Docket *docket, ListenerOutcome outcome)
{
	if (outcome == LISTENER_DONE)
		return DOCKET_DONE;
	if (!listener_is_connected(docket->listener))
		return DOCKET_LOST;
	return listener_failed_with(docket->listener, CHANGED_MEANWHILE) ?
		DOCKET_CHANGED : DOCKET_REFUSED;
}
