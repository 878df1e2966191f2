/*
 * A wall clock that jumps, to be preloaded into a program: CLOCK_JUMP names a
 * file that holds the seconds it is ahead, as an int64_t.
 *
 * Not libfaketime, which leaves C11's cnd_timedwait() alone, but not the clock
 * by which librdkafka sets its deadlines.  Here neither is touched, nor is the
 * monotonic clock.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead_seconds;

__attribute__((constructor)) static void
open_clock(void)
{
	int			fd = open(getenv("CLOCK_JUMP"), O_RDONLY);

	ahead_seconds = mmap(NULL, sizeof(*ahead_seconds), PROT_READ, MAP_SHARED,
						 fd, 0);
	if (ahead_seconds == MAP_FAILED)
		abort();
	close(fd);
}

int
clock_gettime(clockid_t id, struct timespec *now)
{
	int			result = (int) syscall(SYS_clock_gettime, id, now);

	/* libraries that are initialised before this one may ask */
	if (ahead_seconds != NULL &&
		(id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		now->tv_sec += *ahead_seconds;
	return result;
}

int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec real;

	(void) zone;
	clock_gettime(CLOCK_REALTIME, &real);
	now->tv_sec = real.tv_sec;
	now->tv_usec = real.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *result)
{
	struct timespec real;

	clock_gettime(CLOCK_REALTIME, &real);
	if (result != NULL)
		*result = real.tv_sec;
	return real.tv_sec;
}
