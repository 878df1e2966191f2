/*
 * A failure is logged and tried again within the hour: that rows stay longer
 * harms nobody.  Several bridges may do this at once; they share the work.
 */
#include "retention.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "session.h"

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define RETRY_MS (INT64_C(60) * 60 * 1000)

struct Retention
{
	int64_t		retain_ms;
	Session    *session;		/* the thread's */
	pthread_t	thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool		stop;			/* under lock */
};

static void *retention_main(void *argument);
static bool drop_old(Retention *retention);
static Outcome call_drop_before(Retention *retention);
static bool wait_stop(Retention *retention, int64_t timeout_ms);

Retention *
retention_start(const char *conninfo, int64_t retain_ms, char *errstr,
				size_t errstr_size)
{
	Retention  *retention = calloc(1, sizeof(*retention));

	if (retention != NULL)
		retention->session = session_new(conninfo, NULL);
	if (retention == NULL || retention->session == NULL)
	{
		free(retention);
		snprintf(errstr, errstr_size, "out of memory");
		return NULL;
	}
	retention->retain_ms = retain_ms;
	pthread_mutex_init(&retention->lock, NULL);
	clock_init_condition(&retention->changed);
	if (pthread_create(&retention->thread, NULL, retention_main,
					   retention) == 0)
		return retention;
	session_free(retention->session);
	free(retention);
	snprintf(errstr, errstr_size, "could not start the thread of retention");
	return NULL;
}

bool
retention_stop(Retention *retention, int64_t timeout_ms)
{
	struct timespec deadline =
		clock_deadline(clock_monotonic_ms() + timeout_ms);

	pthread_mutex_lock(&retention->lock);
	retention->stop = true;
	pthread_cond_broadcast(&retention->changed);
	pthread_mutex_unlock(&retention->lock);
	if (pthread_clockjoin_np(retention->thread, NULL, CLOCK_MONOTONIC,
							 &deadline) != 0)
		return false;
	session_free(retention->session);
	pthread_cond_destroy(&retention->changed);
	pthread_mutex_destroy(&retention->lock);
	free(retention);
	return true;
}

static void *
retention_main(void *argument)
{
	Retention  *retention = argument;

	while (!wait_stop(retention, drop_old(retention) ? DAY_MS : RETRY_MS))
		;
	return NULL;
}

static bool
drop_old(Retention *retention)
{
	Outcome		outcome = call_drop_before(retention);

	if (outcome == OUTCOME_DONE)
		log_write(LOG_LEVEL_INFO, "old partitions dropped", "partitions=%s",
				  database_value(session_database(retention->session), 0, 0));
	else
		log_write(LOG_LEVEL_WARNING, "retention failed, retrying in an hour",
				  "text=%s",
				  log_quote(session_error(retention->session)->text,
							(char[512]) {0}, 512));
	session_disconnect(retention->session);
	return outcome == OUTCOME_DONE;
}

static Outcome
call_drop_before(Retention *retention)
{
	Outcome		outcome = session_connect(retention->session);
	char		retain[32];
	const char *parameters[] = {retain};
	char		sql[SESSION_SQL_BYTES];

	if (outcome != OUTCOME_DONE)
		return outcome;
	snprintf(retain, sizeof(retain), "%" PRId64 " ms", retention->retain_ms);
	snprintf(sql, sizeof(sql),
			 "CALL %s.fintrans_drop_before(now() - $1::interval)",
			 session_schema(retention->session));
	return session_run(retention->session, sql, parameters, 1);
}

/* True when the thread is to end, false when the time is over. */
static bool
wait_stop(Retention *retention, int64_t timeout_ms)
{
	struct timespec deadline =
		clock_deadline(clock_monotonic_ms() + timeout_ms);
	bool		stop;

	pthread_mutex_lock(&retention->lock);
	while (!retention->stop &&
		   pthread_cond_timedwait(&retention->changed, &retention->lock,
								  &deadline) == 0)
		;
	stop = retention->stop;
	pthread_mutex_unlock(&retention->lock);
	return stop;
}
