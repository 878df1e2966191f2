/*
 * Reads the system's clocks in milliseconds.
 */
#include "clock.h"

static int64_t
read_ms(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_monotonic_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t
clock_real_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

struct timespec
clock_deadline(int64_t monotonic_ms)
{
	return (struct timespec) {
		.tv_sec = monotonic_ms / 1000,
		.tv_nsec = monotonic_ms % 1000 * 1000000
	};
}

void
clock_init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

bool
clock_wait_for(pthread_mutex_t *lock, pthread_cond_t *changed,
			   const bool *flag, int64_t timeout_ms)
{
	struct timespec deadline =
		clock_deadline(clock_monotonic_ms() + timeout_ms);
	bool		is_set;

	pthread_mutex_lock(lock);
	while (!*flag && pthread_cond_timedwait(changed, lock, &deadline) == 0)
		;
	is_set = *flag;
	pthread_mutex_unlock(lock);
	return is_set;
}
