/*
 * The two clocks: monotonic for intervals, real time for what is compared
 * with event times.
 */
#ifndef FINTRANS_CLOCK_H
#define FINTRANS_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Milliseconds since some fixed moment; never goes back. */
extern int64_t clock_monotonic_ms(void);

/* Milliseconds since 1970, UTC. */
extern int64_t clock_real_ms(void);

/* A moment of clock_monotonic_ms() as threads wait for it. */
extern struct timespec clock_deadline(int64_t monotonic_ms);

/* A condition variable whose deadlines are of that clock. */
extern void clock_init_condition(pthread_cond_t *condition);

/*
 * Wait at most timeout_ms for *flag, which lock guards and changed announces,
 * to be set; returns it.
 */
extern bool clock_wait_for(pthread_mutex_t *lock, pthread_cond_t *changed,
						   const bool *flag, int64_t timeout_ms);

#endif							/* FINTRANS_CLOCK_H */
