/*
 * A failure is logged, told to the monitor, and tried again: soon when the
 * database was away, else in an hour, since that rows stay longer, or
 * are found more slowly, harms nobody.  Several bridges may do this at once;
 * they share the work.
 */
#include "upkeep.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "log.h"
#include "session.h"

#define PERIOD_MS (INT64_C(60) * 60 * 1000)
#define RETRY_MS 30000

struct Upkeep
{
	UpkeepSettings settings;	/* under lock */
	Monitor    *monitor;
	Session    *session;		/* the thread's, and so is the next */
	Backoff		failures[TASK_COUNT];	/* what was told last of each */
	pthread_t	thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool		stop;			/* under lock */
	bool		wake;			/* under lock: do not wait for the hour */
};

/* What is done each time, before now less age_ms. */
typedef struct UpkeepTask
{
	MetricsTask id;
	const char *call;			/* before the arguments, %s is the schema */
	const char *older_call;		/* of the extension 0.1.0 */
	const char *done;
	const char *counted;		/* what it returns the number of */
	const char *failed;
} UpkeepTask;

static const UpkeepTask drop_old = {
	TASK_RETENTION, "CALL %s.fintrans_drop_before",
	"CALL %s.fintrans_drop_before", "old partitions dropped",
	"partitions", "retention failed, retrying"
};
static const UpkeepTask index_closed = {
	TASK_INDEXES, "CALL %s.fintrans_index_partitions",
	"CALL %s.fintrans_index_partitions", "partitions indexed",
	"indexes", "indexing partitions failed, retrying"
};
static const UpkeepTask purge_dead_letters = {
	TASK_DEAD_LETTERS, "CALL %s.fintrans_purge_before",
	"SELECT %s.fintrans_purge_dead_letters",
	"dead letters purged", "dead_letters",
	"purging dead letters failed, retrying"
};

/* Hardly any transaction comes later. */
#define CLOSED_AFTER_MS (INT64_C(60) * 60 * 1000)

static void *upkeep_main(void *argument);
static UpkeepSettings take_settings(Upkeep *upkeep);
static int64_t do_round(Upkeep *upkeep, const UpkeepSettings *settings);
static int64_t do_task(Upkeep *upkeep, const UpkeepTask *task, bool is_wanted,
					   int64_t age_ms);
static int64_t note_failure(Upkeep *upkeep, const UpkeepTask *task,
							Outcome outcome);
static Outcome call_task(Upkeep *upkeep, const UpkeepTask *task,
						 int64_t age_ms);
static bool is_stopped(Upkeep *upkeep);

Upkeep *
upkeep_start(const char *conninfo, const UpkeepSettings *settings,
			 Monitor *monitor, char *errstr, size_t errstr_size)
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
	upkeep->monitor = monitor;
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
		int64_t		wait_ms = do_round(upkeep, &settings);

		session_disconnect(upkeep->session);
		clock_wait_for(&upkeep->lock, &upkeep->changed, &upkeep->wake,
					   wait_ms);
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

/* When the next one is due. */
static int64_t
do_round(Upkeep *upkeep, const UpkeepSettings *settings)
{
	const struct
	{
		const UpkeepTask *task;
		bool		is_wanted;
		int64_t		age_ms;
	}			tasks[] = {
		{&drop_old, settings->retain_ms > 0, settings->retain_ms},
		{&purge_dead_letters, settings->retain_dead_letters_ms > 0,
		settings->retain_dead_letters_ms},
		{&index_closed, settings->index_partitions, CLOSED_AFTER_MS}
	};
	int64_t		wait_ms = PERIOD_MS;

	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++)
	{
		int64_t		ms = do_task(upkeep, tasks[i].task, tasks[i].is_wanted,
								 tasks[i].age_ms);

		if (ms < wait_ms)
			wait_ms = ms;
		/* nor would the others find it there */
		if (ms == RETRY_MS)
			break;
	}
	return wait_ms;
}

/* In how many milliseconds it is to be done again. */
static int64_t
do_task(Upkeep *upkeep, const UpkeepTask *task, bool is_wanted,
		int64_t age_ms)
{
	Outcome		outcome = OUTCOME_DONE;
	const char *count;

	if (is_wanted)
		outcome = call_task(upkeep, task, age_ms);
	if (outcome != OUTCOME_DONE)
		return note_failure(upkeep, task, outcome);
	monitor_note_upkeep(upkeep->monitor, task->id, NULL);
	backoff_reset(&upkeep->failures[task->id]);
	if (!is_wanted)
		return PERIOD_MS;
	count = database_value(session_database(upkeep->session), 0, 0);
	if (strcmp(count, "0") != 0)
		log_write(LOG_LEVEL_INFO, task->done, "%s=%s", task->counted, count);
	return PERIOD_MS;
}

/*
 * Not at once when the database is there and says no: an attempt at a partition
 * that somebody reads holds loading up.
 */
static int64_t
note_failure(Upkeep *upkeep, const UpkeepTask *task, Outcome outcome)
{
	const char *text = session_error(upkeep->session)->text;
	int64_t		wait_ms = outcome == OUTCOME_LOST ? RETRY_MS : PERIOD_MS;
	char		told[600];

	monitor_note_upkeep(upkeep->monitor, task->id, text);
	snprintf(told, sizeof(told), "%s: %s", task->failed, text);
	if (backoff_is_news(&upkeep->failures[task->id], told, clock_monotonic_ms()))
		log_write(LOG_LEVEL_WARNING, task->failed,
				  "again_in_s=%" PRId64 " text=%s", wait_ms / 1000,
				  log_quote(text, (char[512]) {0}, 512));
	return wait_ms;
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
	snprintf(call, sizeof(call), session_has_older_reasons(upkeep->session) ?
			 task->older_call : task->call, session_schema(upkeep->session));
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
