/*
 * The two clocks: monotonic for intervals, real time for what is compared
 * with event times.
 */
#ifndef FINTRANS_CLOCK_H
#define FINTRANS_CLOCK_H

#include <stdint.h>

/* Milliseconds since some fixed moment; never goes back. */
extern int64_t clock_monotonic_ms(void);

/* Milliseconds since 1970, UTC. */
extern int64_t clock_real_ms(void);

#endif							/* FINTRANS_CLOCK_H */
