/*
 * The writer thread: does one job at a time in the database, again and again
 * until it is done or cannot be, while the consumer's thread goes on.
 *
 * Between writer_commit() (or writer_positions()) and the writer_take() that
 * returns its report, what the job points to belongs to the writer.
 */
#ifndef FINTRANS_WRITER_H
#define FINTRANS_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "metrics.h"
#include "offset_list.h"

typedef struct Writer Writer;

typedef enum WriterJob
{
	WRITER_CONNECT,				/* connect and check the installation */
	WRITER_COMMIT,				/* store a batch, what is refused of it as dead
								 * letters */
	WRITER_POSITIONS,			/* add and read positions */
	WRITER_CHECK				/* see whether the database answers */
} WriterJob;

typedef enum WriterResult
{
	WRITER_DONE,
	WRITER_CONFLICT,			/* another writer was here: nothing stored */
	WRITER_ABANDONED,			/* given up as asked; outcome not known */
	WRITER_FATAL				/* needs a human */
} WriterResult;

typedef struct WriterReport
{
	WriterJob	job;
	WriterResult result;
	int64_t		taken_ms;		/* how long the job took */
	int64_t		done_ms;		/* when it was done, since 1970 */
	char		currency[RECORD_CURRENCY_BYTES];	/* "" for none */
	bool		older_reasons;	/* dead letters take those of 0.1.0 only */
	char		text[400];		/* why not done; safe to log */
} WriterReport;

/* A question about positions, and its answer. */
typedef struct WriterPositions
{
	const char **topics;		/* what is asked for */
	size_t		topic_count;
	OffsetList	add;			/* first add these, unless there already */
	OffsetList	found;			/* the answer */
	int64_t		window;			/* offsets before each position in which dead
								 * letters are asked for, 0 for none */
	int64_t		allowed;		/* at most so many of a partition */
	OffsetList	dead_letters;	/* the answer: of the parser; sorted */
} WriterPositions;

/*
 * Start the thread, which counts its troubles in metrics; it and conninfo must
 * outlive the thread, and currency is NULL for the installation's.  NULL with
 * errstr when that fails.
 */
extern Writer *writer_start(const char *conninfo, const char *currency,
							Metrics *metrics,
							char *errstr, size_t errstr_size);

/* May a job be given?  Not before the last one's report has been taken. */
extern bool writer_is_idle(const Writer *writer);

/* Give a job to the idle writer. */
extern void writer_connect(Writer *writer);
extern void writer_commit(Writer *writer, Batch *batch);
extern void writer_positions(Writer *writer, WriterPositions *positions);
extern void writer_check(Writer *writer);

/* Take the report of a finished job; false while there is none. */
extern bool writer_take(Writer *writer, WriterReport *report);

/* Wait at most timeout_ms for a report; false when there is none. */
extern bool writer_wait(Writer *writer, int64_t timeout_ms);

/*
 * Give the job in hand up at its next failure: it has lost its purpose.
 */
extern void writer_abandon(Writer *writer);

/*
 * For how long the job in hand has been failing and retried, or, when it has
 * not failed yet, 0.
 */
extern int64_t writer_failing_ms(const Writer *writer);

/* Why its latest attempt failed; safe to log. */
extern void writer_failure(Writer *writer, char *text, size_t size);

/* For how long the job in hand has been the writer's; 0 without one. */
extern int64_t writer_busy_ms(const Writer *writer);

/*
 * End the thread and free it, waiting at most timeout_ms.  False when a call
 * to the database is still blocked: then nothing is freed, and the process
 * should end.
 */
extern bool writer_stop(Writer *writer, int64_t timeout_ms);

#endif							/* FINTRANS_WRITER_H */
