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
	UpkeepSettings settings;	/* under lock */
	Session    *session;		/* the thread's */
	pthread_t	thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool		stop;			/* under lock */
	bool		wake;			/* under lock: do not wait for the hour */
};

/* What is done each time, before now less age_ms. */
typedef struct UpkeepTask
{
	const char *call;			/* before the arguments, %s is the schema */
	const char *done;
	const char *counted;		/* what it returns the number of */
	const char *failed;
} UpkeepTask;

static const UpkeepTask drop_old = {
	"CALL %s.fintrans_drop_before", "old partitions dropped", "partitions",
	"retention failed, retrying in an hour"
};
static const UpkeepTask index_closed = {
	"CALL %s.fintrans_index_partitions", "partitions indexed", "indexes",
	"indexing partitions failed, retrying in an hour"
};

static const UpkeepTask purge_dead_letters = {
	"SELECT %s.fintrans_purge_dead_letters", "dead letters purged",
	"dead_letters", "purging dead letters failed, retrying in an hour"
};

/* Hardly any transaction comes later. */
#define CLOSED_AFTER_MS (INT64_C(60) * 60 * 1000)

static void *upkeep_main(void *argument);
static UpkeepSettings take_settings(Upkeep *upkeep);
static void do_task(Upkeep *upkeep, const UpkeepTask *task, int64_t age_ms);
static Outcome call_task(Upkeep *upkeep, const UpkeepTask *task,
						 int64_t age_ms);
static bool is_stopped(Upkeep *upkeep);

Upkeep *
upkeep_start(const char *conninfo, const UpkeepSettings *settings,
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
	upkeep->settings = *settings;
	pthread_mutex_init(&upkeep->lock, NULL);
	clock_init_condition(&upkeep->changed);
	if (pthread_create(&upkeep->thread, NULL, upkeep_main, upkeep) == 0)
		return upkeep;
	session_free(upkeep->session);
	free(upkeep);
	snprintf(errstr, errstr_size, "could not start the thread of upkeep");
	return NULL;
}

void
upkeep_set(Upkeep *upkeep, const UpkeepSettings *settings)
{
	UpkeepSettings *own = &upkeep->settings;

	pthread_mutex_lock(&upkeep->lock);
	if (own->index_partitions != settings->index_partitions ||
		own->retain_ms != settings->retain_ms ||
		own->retain_dead_letters_ms != settings->retain_dead_letters_ms)
	{
		*own = *settings;
		upkeep->wake = true;
		pthread_cond_broadcast(&upkeep->changed);
	}
	pthread_mutex_unlock(&upkeep->lock);
}

bool
upkeep_stop(Upkeep *upkeep, int64_t timeout_ms)
{
	struct timespec deadline =
		clock_deadline(clock_monotonic_ms() + timeout_ms);

	pthread_mutex_lock(&upkeep->lock);
	upkeep->stop = true;
	upkeep->wake = true;
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
		UpkeepSettings settings = take_settings(upkeep);

		if (settings.retain_ms > 0)
			do_task(upkeep, &drop_old, settings.retain_ms);
		if (settings.retain_dead_letters_ms > 0)
			do_task(upkeep, &purge_dead_letters,
					settings.retain_dead_letters_ms);
		if (settings.index_partitions)
			do_task(upkeep, &index_closed, CLOSED_AFTER_MS);
		session_disconnect(upkeep->session);
		clock_wait_for(&upkeep->lock, &upkeep->changed, &upkeep->wake,
					   PERIOD_MS);
	} while (!is_stopped(upkeep));
	return NULL;
}

static UpkeepSettings
take_settings(Upkeep *upkeep)
{
	UpkeepSettings settings;

	pthread_mutex_lock(&upkeep->lock);
	settings = upkeep->settings;
	upkeep->wake = upkeep->stop;
	pthread_mutex_unlock(&upkeep->lock);
	return settings;
}

static void
do_task(Upkeep *upkeep, const UpkeepTask *task, int64_t age_ms)
{
	const char *count;

	if (call_task(upkeep, task, age_ms) != OUTCOME_DONE)
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
call_task(Upkeep *upkeep, const UpkeepTask *task, int64_t age_ms)
{
	Outcome		outcome = session_connect(upkeep->session);
	char		age[32];
	const char *parameters[] = {age};
	char		call[256];
	char		sql[SESSION_SQL_BYTES];

	if (outcome != OUTCOME_DONE)
		return outcome;
	snprintf(age, sizeof(age), "%" PRId64 " ms", age_ms);
	snprintf(call, sizeof(call), task->call, session_schema(upkeep->session));
	snprintf(sql, sizeof(sql), "%s(now() - $1::interval)", call);
	return session_run(upkeep->session, sql, parameters, 1);
}

static bool
is_stopped(Upkeep *upkeep)
{
	bool		stop;

	pthread_mutex_lock(&upkeep->lock);
	stop = upkeep->stop;
	pthread_mutex_unlock(&upkeep->lock);
	return stop;
}
