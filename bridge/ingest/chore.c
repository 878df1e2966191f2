/*
 * Locking: `lock` guards stop, which `changed` announces.
 */
#include "chore.h"

#include <pthread.h>
#include <stdlib.h>

#include "clock.h"

struct Chore
{
	ChoreSpec	spec;
	pthread_t	thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool		stop;
};

static void *chore_main(void *argument);

Chore *
chore_start(const ChoreSpec *spec)
{
	Chore	   *chore = calloc(1, sizeof(*chore));

	if (chore == NULL)
		return NULL;
	chore->spec = *spec;
	pthread_mutex_init(&chore->lock, NULL);
	clock_init_condition(&chore->changed);
	if (pthread_create(&chore->thread, NULL, chore_main, chore) == 0)
		return chore;
	free(chore);
	return NULL;
}

bool
chore_stop(Chore *chore, int64_t timeout_ms)
{
	struct timespec deadline =
		clock_deadline(clock_monotonic_ms() + timeout_ms);

	pthread_mutex_lock(&chore->lock);
	chore->stop = true;
	pthread_cond_broadcast(&chore->changed);
	pthread_mutex_unlock(&chore->lock);
	if (pthread_clockjoin_np(chore->thread, NULL, CLOCK_MONOTONIC,
							 &deadline) != 0)
		return false;
	pthread_cond_destroy(&chore->changed);
	pthread_mutex_destroy(&chore->lock);
	free(chore);
	return true;
}

static void *
chore_main(void *argument)
{
	Chore	   *chore = argument;
	const ChoreSpec *spec = &chore->spec;

	do
		spec->work(spec->context);
	while (!clock_wait_for(&chore->lock, &chore->changed, &chore->stop,
						   spec->period_ms));
	if (spec->at_end != NULL)
		spec->at_end(spec->context);
	return NULL;
}
