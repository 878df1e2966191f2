/*
 * A failure is logged and tried again within the hour: that rows stay longer,
 * or are found more slowly, harms nobody.  Several bridges may do this at
 * once; they share the work.
 */
#include "upkeep.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "session.h"

#define PERIOD_MS (INT64_C(60) * 60 * 1000)

struct Upkeep
{
	bool		index_partitions;
	int64_t		retain_ms;		/* 0 keeps all */
	Session    *session;		/* the thread's */
	pthread_t	thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool		stop;			/* under lock */
};

/* What is done each time, before now less age_ms. */
typedef struct UpkeepTask
{
	const char *procedure;
	const char *done;
	const char *counted;		/* what the procedure returns the number of */
	const char *failed;
} UpkeepTask;

static const UpkeepTask drop_old = {
	"fintrans_drop_before", "old partitions dropped", "partitions",
	"retention failed, retrying in an hour"
};
static const UpkeepTask index_closed = {
	"fintrans_index_partitions", "partitions indexed", "indexes",
	"indexing partitions failed, retrying in an hour"
};

/* Hardly any transaction comes later. */
#define CLOSED_AFTER_MS (INT64_C(60) * 60 * 1000)

static void *upkeep_main(void *argument);
static void do_task(Upkeep *upkeep, const UpkeepTask *task, int64_t age_ms);
static Outcome call_procedure(Upkeep *upkeep, const UpkeepTask *task,
							  int64_t age_ms);

Upkeep *
upkeep_start(const char *conninfo, bool index_partitions, int64_t retain_ms,
			 char *errstr, size_t errstr_size)
{
	Upkeep	   *upkeep = calloc(1, sizeof(*upkeep));

	if (upkeep != NULL)
		upkeep->session = session_new(conninfo, NULL);
	if (upkeep == NULL || upkeep->session == NULL)
	{
		free(upkeep);
		snprintf(errstr, errstr_size, "out of memory");
		return NULL;
	}
	upkeep->index_partitions = index_partitions;
	upkeep->retain_ms = retain_ms;
	pthread_mutex_init(&upkeep->lock, NULL);
	clock_init_condition(&upkeep->changed);
	if (pthread_create(&upkeep->thread, NULL, upkeep_main, upkeep) == 0)
		return upkeep;
	session_free(upkeep->session);
	free(upkeep);
	snprintf(errstr, errstr_size, "could not start the thread of upkeep");
	return NULL;
}

bool
upkeep_stop(Upkeep *upkeep, int64_t timeout_ms)
{
	struct timespec deadline =
		clock_deadline(clock_monotonic_ms() + timeout_ms);

	pthread_mutex_lock(&upkeep->lock);
	upkeep->stop = true;
	pthread_cond_broadcast(&upkeep->changed);
	pthread_mutex_unlock(&upkeep->lock);
	if (pthread_clockjoin_np(upkeep->thread, NULL, CLOCK_MONOTONIC,
							 &deadline) != 0)
		return false;
	session_free(upkeep->session);
	pthread_cond_destroy(&upkeep->changed);
	pthread_mutex_destroy(&upkeep->lock);
	free(upkeep);
	return true;
}

static void *
upkeep_main(void *argument)
{
	Upkeep	   *upkeep = argument;

	do
	{
		if (upkeep->retain_ms > 0)
			do_task(upkeep, &drop_old, upkeep->retain_ms);
		if (upkeep->index_partitions)
			do_task(upkeep, &index_closed, CLOSED_AFTER_MS);
		session_disconnect(upkeep->session);
	} while (!clock_wait_for(&upkeep->lock, &upkeep->changed, &upkeep->stop,
							 PERIOD_MS));
	return NULL;
}

static void
do_task(Upkeep *upkeep, const UpkeepTask *task, int64_t age_ms)
{
	const char *count;

	if (call_procedure(upkeep, task, age_ms) != OUTCOME_DONE)
	{
		log_write(LOG_LEVEL_WARNING, task->failed, "text=%s",
				  log_quote(session_error(upkeep->session)->text,
							(char[512]) {0}, 512));
		return;
	}
	count = database_value(session_database(upkeep->session), 0, 0);
	if (strcmp(count, "0") != 0)
		log_write(LOG_LEVEL_INFO, task->done, "%s=%s", task->counted, count);
}

static Outcome
call_procedure(Upkeep *upkeep, const UpkeepTask *task, int64_t age_ms)
{
	Outcome		outcome = session_connect(upkeep->session);
	char		age[32];
	const char *parameters[] = {age};
	char		sql[SESSION_SQL_BYTES];

	if (outcome != OUTCOME_DONE)
		return outcome;
	snprintf(age, sizeof(age), "%" PRId64 " ms", age_ms);
	snprintf(sql, sizeof(sql), "CALL %s.%s(now() - $1::interval)",
			 session_schema(upkeep->session), task->procedure);
	return session_run(upkeep->session, sql, parameters, 1);
}
