/*
 * Rows that the database refuses: finds them in a batch and makes them dead
 * letters of it, and stops when a table refuses everything.
 *
 * A run is how many rows have been refused in succession, up to the last one.
 */
#ifndef FINTRANS_REFUSALS_H
#define FINTRANS_REFUSALS_H

#include <stdatomic.h>
#include <stdint.h>

#include "batch.h"
#include "session.h"

/* A longer run is a mistake in the table, not in the rows. */
#define REFUSALS_RUN_MAX 1000

/* The run that the database remembers. */
extern Outcome refusals_read_run(Session *session, int64_t *run);

/*
 * Take out of the batch whatever this COPY refuses of its rows, after it has
 * refused one: session_error() names it.  run_before is the run up to the
 * batch.  Given up, with OUTCOME_RETRY, once abandon is true.
 */
extern Outcome refusals_sift(Session *session, const char *sql,
							 const char *relation, Batch *batch,
							 int64_t run_before, const atomic_bool *abandon);

/* A batch's run continues the one before unless it has rows accepted. */
extern int64_t refusals_run(int64_t run_before, int64_t run,
							int64_t accepted);

#endif							/* FINTRANS_REFUSALS_H */
