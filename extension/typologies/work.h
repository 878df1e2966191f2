/*
 * A bound on the work of a search, so that it ends with a clear refusal
 * instead of running for hours.
 */
#ifndef FINTRANS_WORK_H
#define FINTRANS_WORK_H

typedef struct Work
{
	int64		limit;			/* steps */
	int64		done;
} Work;

/* One step more; an error beyond the limit. */
extern void work_step(Work *work);

#endif							/* FINTRANS_WORK_H */
