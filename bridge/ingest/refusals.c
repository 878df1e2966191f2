/*
 * COPY ends at the first row that it refuses.  The rows after it are put on
 * trial in small COPYs that are given up before anything is stored, so that a
 * refused row costs a trial and not a batch.  The COPY that stores the batch
 * in the end decides: should it refuse a row that had passed, there is another
 * round.
 */
#include "refusals.h"

#include <stdio.h>
#include <stdlib.h>

/* Rows in a trial after a refused row; doubled while none is refused. */
#define TRIAL_ROWS 64

/* Room for the SQLSTATE and the constraint's name. */
#define DETAIL_BYTES 96

static Outcome try_further(Session *session, const char *sql,
						   const char *relation, BatchSieve *sieve,
						   int64_t run_before, const atomic_bool *abandon);
static Outcome refuse_row(Session *session, BatchSieve *sieve,
						  int64_t run_before);

/*
 * Dead letters at the very end of a partition, from the time on at which a row
 * was last accepted at the end of another one.  Dead letters of other reasons
 * were never tried: they neither count nor end a run.
 */
Outcome
refusals_read_run(Session *session, int64_t *run)
{
	char		sql[SESSION_SQL_BYTES];
	Outcome		outcome;

	snprintf(sql, sizeof(sql),
			 "WITH latest AS ("
			 " SELECT o.next_offset, o.updated_at, d.kafka_offset, d.reason,"
			 " d.rejected_at, row_number() OVER ("
			 " PARTITION BY o.topic, o.kafka_partition"
			 " ORDER BY d.kafka_offset DESC) AS nth"
			 " FROM %1$s.fintrans_offsets o"
			 " LEFT JOIN %1$s.fintrans_dead_letters d"
			 " ON d.topic = o.topic"
			 " AND d.kafka_partition = o.kafka_partition"
			 " AND d.kafka_offset BETWEEN o.next_offset - %2$d"
			 " AND o.next_offset - 1"
			 " WHERE o.next_offset > o.first_offset"
			 "), accepted AS ("
			 " SELECT max(updated_at) AS at FROM latest"
			 " WHERE nth = 1"
			 " AND kafka_offset + 1 IS DISTINCT FROM next_offset"
			 ") SELECT count(*) FROM latest, accepted"
			 " WHERE kafka_offset + nth = next_offset AND reason = 'refused'"
			 " AND (at IS NULL OR rejected_at > at)",
			 session_schema(session), REFUSALS_RUN_MAX);
	outcome = session_run(session, sql, NULL, 0);
	if (outcome == OUTCOME_DONE)
		*run = strtoll(database_value(session_database(session), 0, 0), NULL,
					   10);
	return outcome;
}

Outcome
refusals_sift(Session *session, const char *sql, const char *relation,
			  Batch *batch, int64_t run_before, const atomic_bool *abandon)
{
	BatchSieve	sieve;
	Outcome		outcome;

	batch_sieve_begin(&sieve, batch);
	outcome = refuse_row(session, &sieve, run_before);
	if (outcome == OUTCOME_DONE)
		outcome = try_further(session, sql, relation, &sieve, run_before,
							  abandon);
	batch_sieve_end(&sieve);
	return outcome;
}

int64_t
refusals_run(int64_t run_before, int64_t run, int64_t accepted)
{
	return run + (accepted == 0 ? run_before : 0);
}

static Outcome
try_further(Session *session, const char *sql, const char *relation,
			BatchSieve *sieve, int64_t run_before, const atomic_bool *abandon)
{
	int64_t		trial_rows = TRIAL_ROWS;

	while (sieve->left > 0)
	{
		CopyBuffer	rows;
		int64_t		count = batch_sieve_peek(sieve, trial_rows, &rows);
		Outcome		outcome;

		if (atomic_load(abandon))
			return session_fail(session, OUTCOME_RETRY,
								"given up while rows were tried");
		outcome = session_try_copy(session, sql, relation, &rows);
		if (outcome == OUTCOME_DONE)
		{
			batch_sieve_keep(sieve, count);
			trial_rows *= 2;
			continue;
		}
		if (outcome == OUTCOME_REFUSED)
			outcome = refuse_row(session, sieve, run_before);
		if (outcome != OUTCOME_DONE)
			return outcome;
		trial_rows = TRIAL_ROWS;
	}
	return OUTCOME_DONE;
}

/*
 * Make the row that the latest error names a dead letter, unless it is one too
 * many; those before it have been accepted.
 */
static Outcome
refuse_row(Session *session, BatchSieve *sieve, int64_t run_before)
{
	const DatabaseError *error = session_error(session);
	char		detail[DETAIL_BYTES];

	if (error->copy_row > sieve->left)
		return session_fail(session, OUTCOME_FATAL,
							"the database refused a row that was not sent");
	snprintf(detail, sizeof(detail), "SQLSTATE %s%s%s", error->sqlstate,
			 error->constraint[0] != '\0' ? ", constraint " : "",
			 error->constraint);
	batch_sieve_keep(sieve, error->copy_row - 1);
	if (!batch_sieve_refuse(sieve, detail))
		return session_fail(session, OUTCOME_FATAL, "out of memory");
	if (refusals_run(run_before, sieve->refused_run, sieve->kept) <
		REFUSALS_RUN_MAX)
		return OUTCOME_DONE;
	return session_fail(session, OUTCOME_FATAL,
						"%d rows in succession were refused (%s): mend the"
						" table; the last of them were not stored as dead"
						" letters", REFUSALS_RUN_MAX, detail);
}
