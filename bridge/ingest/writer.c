/*
 * The writer's thread and its mailbox of one job.
 *
 * Locking: `lock` guards stage, abandon, stop and failure, and `changed`
 * announces the first three; job, batch, positions and report belong to the
 * side whose turn it is by stage.  The stage and the two times are atomic as
 * well, so that the consumer's thread can look at them for every message
 * without the lock, and so is abandon, which the loader looks at.
 */
#include "writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backoff.h"
#include "clock.h"
#include "loader.h"
#include "log.h"

/* Made partitions that vanish at once this often: something else is wrong. */
#define MENDS_MAX 3

typedef enum WriterStage
{
	STAGE_IDLE,					/* the consumer's: no job */
	STAGE_WORKING,				/* the writer's */
	STAGE_FINISHED				/* the consumer's: a report waits */
} WriterStage;

struct Writer
{
	pthread_t	thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	atomic_int	stage;			/* WriterStage */
	atomic_bool abandon;		/* the job in hand */
	bool		stop;			/* the thread */
	WriterJob	job;
	Batch	   *batch;			/* WRITER_COMMIT */
	WriterPositions *positions; /* WRITER_POSITIONS */
	WriterReport report;
	char		failure[400];	/* of the latest attempt that failed */
	Metrics    *metrics;
	bool		was_connected;	/* the thread's */
	Loader	   *loader;			/* the thread's */
	Backoff		backoff;		/* the thread's */
	atomic_int_fast64_t started_ms; /* the job in hand, monotonic */
	atomic_int_fast64_t failing_ms; /* since when, 0 for not; monotonic */
};

static void give(Writer *writer, WriterJob job);
static void *writer_main(void *argument);
static bool await_job(Writer *writer);
static WriterResult work(Writer *writer);
static Outcome attempt(Writer *writer);
static Outcome reconnect(Writer *writer, bool *settled);
static void note_connection(Writer *writer);
static Outcome do_job(Writer *writer);
static WriterResult settle(Writer *writer, Outcome outcome);
static void note_failure(Writer *writer, Outcome outcome);
static void note_success(Writer *writer);
static bool pause_before_retry(Writer *writer);
static bool wait_until(Writer *writer, int64_t deadline_ms);

Writer *
writer_start(const char *conninfo, const char *currency, Metrics *metrics,
			 char *errstr, size_t errstr_size)
{
	Writer	   *writer = calloc(1, sizeof(*writer));

	if (writer == NULL ||
		(writer->loader = loader_new(conninfo, currency)) == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		free(writer);
		return NULL;
	}
	writer->metrics = metrics;
	pthread_mutex_init(&writer->lock, NULL);
	clock_init_condition(&writer->changed);
	backoff_init(&writer->backoff, (uint64_t) clock_real_ms() ^
				 ((uint64_t) getpid() << 32));
	if (pthread_create(&writer->thread, NULL, writer_main, writer) != 0)
	{
		snprintf(errstr, errstr_size, "could not start the writer's thread");
		loader_free(writer->loader);
		free(writer);
		return NULL;
	}
	return writer;
}

bool
writer_is_idle(const Writer *writer)
{
	return atomic_load(&writer->stage) == STAGE_IDLE;
}

void
writer_connect(Writer *writer)
{
	give(writer, WRITER_CONNECT);
}

void
writer_commit(Writer *writer, Batch *batch)
{
	writer->batch = batch;
	give(writer, WRITER_COMMIT);
}

void
writer_positions(Writer *writer, WriterPositions *positions)
{
	writer->positions = positions;
	give(writer, WRITER_POSITIONS);
}

void
writer_check(Writer *writer)
{
	give(writer, WRITER_CHECK);
}

bool
writer_take(Writer *writer, WriterReport *report)
{
	if (atomic_load(&writer->stage) != STAGE_FINISHED)
		return false;
	*report = writer->report;
	atomic_store(&writer->stage, STAGE_IDLE);
	return true;
}

bool
writer_wait(Writer *writer, int64_t timeout_ms)
{
	int64_t		deadline_ms = clock_monotonic_ms() + timeout_ms;
	bool		finished;

	pthread_mutex_lock(&writer->lock);
	while (atomic_load(&writer->stage) == STAGE_WORKING &&
		   wait_until(writer, deadline_ms))
		;
	finished = atomic_load(&writer->stage) == STAGE_FINISHED;
	pthread_mutex_unlock(&writer->lock);
	return finished;
}

void
writer_abandon(Writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	if (atomic_load(&writer->stage) == STAGE_WORKING)
	{
		writer->abandon = true;
		pthread_cond_broadcast(&writer->changed);
	}
	pthread_mutex_unlock(&writer->lock);
}

int64_t
writer_failing_ms(const Writer *writer)
{
	int64_t		since_ms = atomic_load(&writer->failing_ms);

	return since_ms == 0 ? 0 : clock_monotonic_ms() - since_ms;
}

void
writer_failure(Writer *writer, char *text, size_t size)
{
	pthread_mutex_lock(&writer->lock);
	snprintf(text, size, "%s", writer->failure);
	pthread_mutex_unlock(&writer->lock);
}

int64_t
writer_busy_ms(const Writer *writer)
{
	if (atomic_load(&writer->stage) != STAGE_WORKING)
		return 0;
	return clock_monotonic_ms() - atomic_load(&writer->started_ms);
}

bool
writer_stop(Writer *writer, int64_t timeout_ms)
{
	struct timespec deadline =
		clock_deadline(clock_monotonic_ms() + timeout_ms);

	pthread_mutex_lock(&writer->lock);
	writer->stop = true;
	writer->abandon = true;
	pthread_cond_broadcast(&writer->changed);
	pthread_mutex_unlock(&writer->lock);

	if (pthread_clockjoin_np(writer->thread, NULL, CLOCK_MONOTONIC,
							 &deadline) != 0)
		return false;
	loader_free(writer->loader);
	pthread_cond_destroy(&writer->changed);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
	return true;
}

static void
give(Writer *writer, WriterJob job)
{
	pthread_mutex_lock(&writer->lock);
	writer->job = job;
	writer->abandon = false;
	atomic_store(&writer->started_ms, clock_monotonic_ms());
	atomic_store(&writer->stage, STAGE_WORKING);
	pthread_cond_broadcast(&writer->changed);
	pthread_mutex_unlock(&writer->lock);
}

static void *
writer_main(void *argument)
{
	Writer	   *writer = argument;

	while (await_job(writer))
	{
		memset(&writer->report, 0, sizeof(writer->report));
		writer->report.job = writer->job;
		writer->report.result = work(writer);
		writer->report.done_ms = clock_real_ms();
		writer->report.taken_ms = clock_monotonic_ms() -
			atomic_load(&writer->started_ms);
		atomic_store(&writer->failing_ms, 0);

		pthread_mutex_lock(&writer->lock);
		atomic_store(&writer->stage, STAGE_FINISHED);
		pthread_cond_broadcast(&writer->changed);
		pthread_mutex_unlock(&writer->lock);
	}
	return NULL;
}

/* False when the thread is to end. */
static bool
await_job(Writer *writer)
{
	bool		has_job;

	pthread_mutex_lock(&writer->lock);
	while (!writer->stop && atomic_load(&writer->stage) != STAGE_WORKING)
		pthread_cond_wait(&writer->changed, &writer->lock);
	has_job = !writer->stop;
	pthread_mutex_unlock(&writer->lock);
	return has_job;
}

/* Attempts without end, until there is a result. */
static WriterResult
work(Writer *writer)
{
	int			mends = 0;

	for (;;)
	{
		Outcome		outcome = attempt(writer);

		if (outcome == OUTCOME_MEND)
			loader_forget_days(writer->loader);
		if (outcome == OUTCOME_MEND && ++mends <= MENDS_MAX)
			continue;
		if (outcome != OUTCOME_MEND && outcome != OUTCOME_RETRY &&
			outcome != OUTCOME_LOST)
			return settle(writer, outcome);
		note_failure(writer, outcome);
		if (!pause_before_retry(writer))
			return WRITER_ABANDONED;
	}
}

static Outcome
attempt(Writer *writer)
{
	bool		settled = false;

	if (!loader_is_connected(writer->loader))
	{
		Outcome		outcome = reconnect(writer, &settled);

		if (outcome != OUTCOME_DONE || settled)
			return outcome;
	}
	return do_job(writer);
}

/*
 * Nothing is known after a reconnect: the batch in hand may have been
 * committed, though its answer was lost, and the server may be another one
 * that has forgotten earlier batches.
 */
static Outcome
reconnect(Writer *writer, bool *settled)
{
	LoaderStanding standing = LOADER_NOT_COMMITTED;
	Outcome		outcome = loader_connect(writer->loader);

	if (outcome == OUTCOME_DONE)
		note_connection(writer);
	if (outcome == OUTCOME_DONE && writer->job == WRITER_COMMIT)
		outcome = loader_check(writer->loader, writer->batch, &standing);
	if (outcome != OUTCOME_DONE)
	{
		/* or the next attempt would find a connection, and not look */
		loader_disconnect(writer->loader);
		return outcome;
	}
	if (standing == LOADER_NOT_COMMITTED)
		return OUTCOME_DONE;
	*settled = true;
	return standing == LOADER_COMMITTED ? OUTCOME_DONE : OUTCOME_CONFLICT;
}

static void
note_connection(Writer *writer)
{
	log_write(LOG_LEVEL_INFO, "connected to the database", NULL);
	if (writer->was_connected)
		metrics_add(writer->metrics, METRIC_DB_RECONNECTS, 0, 0, 1);
	writer->was_connected = true;
}

static Outcome
do_job(Writer *writer)
{
	WriterPositions *positions = writer->positions;
	Outcome		outcome = OUTCOME_DONE;

	switch (writer->job)
	{
		case WRITER_CONNECT:
			return OUTCOME_DONE;
		case WRITER_COMMIT:
			return loader_commit(writer->loader, writer->batch,
								 &writer->abandon);
		case WRITER_POSITIONS:
			if (positions->add.count > 0)
				outcome = loader_add_positions(writer->loader,
											   &positions->add);
			if (outcome != OUTCOME_DONE)
				return outcome;
			outcome = loader_read_positions(writer->loader, positions->topics,
											positions->topic_count,
											&positions->found);
			offset_list_clear(&positions->dead_letters);
			if (outcome != OUTCOME_DONE || positions->window == 0)
				return outcome;
			return loader_read_dead_letters(writer->loader, positions->topics,
											positions->topic_count,
											positions->window,
											positions->allowed,
											&positions->dead_letters);
		case WRITER_CHECK:
			return loader_ping(writer->loader);
	}
	return OUTCOME_FATAL;
}

/* Fill the report of a job that needs no further attempt. */
static WriterResult
settle(Writer *writer, Outcome outcome)
{
	const DatabaseError *error = loader_error(writer->loader);
	WriterReport *report = &writer->report;

	snprintf(report->currency, sizeof(report->currency), "%s",
			 loader_currency(writer->loader));
	report->older_reasons = loader_has_older_reasons(writer->loader);
	if (outcome != OUTCOME_FATAL)
		note_success(writer);
	if (outcome == OUTCOME_DONE)
		return WRITER_DONE;
	memcpy(report->text, error->text, sizeof(report->text));
	return outcome == OUTCOME_CONFLICT ? WRITER_CONFLICT : WRITER_FATAL;
}

static void
note_failure(Writer *writer, Outcome outcome)
{
	const DatabaseError *error = loader_error(writer->loader);
	int64_t		now_ms = clock_monotonic_ms();

	pthread_mutex_lock(&writer->lock);
	memcpy(writer->failure, error->text, sizeof(writer->failure));
	pthread_mutex_unlock(&writer->lock);
	if (atomic_load(&writer->failing_ms) == 0)
		atomic_store(&writer->failing_ms, now_ms);
	metrics_add(writer->metrics, METRIC_RETRIES,
				metrics_sqlstate_class(error->sqlstate), 0, 1);
	if (backoff_is_news(&writer->backoff, error->text, now_ms))
		log_write(LOG_LEVEL_WARNING,
				  outcome == OUTCOME_LOST ? "no database connection, retrying" :
				  "database transaction failed, retrying",
				  "sqlstate=%s text=%s attempts=%lld",
				  error->sqlstate[0] != '\0' ? error->sqlstate : "none",
				  log_quote(error->text, (char[512]) {0}, 512),
				  (long long) writer->backoff.attempts + 1);
}

static void
note_success(Writer *writer)
{
	if (writer->backoff.attempts > 0)
		log_write(LOG_LEVEL_INFO, "database works again", "attempts=%lld",
				  (long long) writer->backoff.attempts + 1);
	backoff_reset(&writer->backoff);
}

/* False when the job is to be given up. */
static bool
pause_before_retry(Writer *writer)
{
	int64_t		deadline_ms = clock_monotonic_ms() +
		backoff_next(&writer->backoff);
	bool		go_on;

	pthread_mutex_lock(&writer->lock);
	while (!writer->abandon && wait_until(writer, deadline_ms))
		;
	go_on = !writer->abandon;
	pthread_mutex_unlock(&writer->lock);
	return go_on;
}

/* Wait for a change; false when the deadline has passed. */
static bool
wait_until(Writer *writer, int64_t deadline_ms)
{
	struct timespec deadline = clock_deadline(deadline_ms);

	return pthread_cond_timedwait(&writer->changed, &writer->lock,
								  &deadline) == 0;
}
