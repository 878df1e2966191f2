/*
 * A thread that does the same work again and again, until it is told to end.
 */
#ifndef FINTRANS_CHORE_H
#define FINTRANS_CHORE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Chore Chore;

typedef struct ChoreSpec
{
	void		(*work) (void *context);
	void		(*at_end) (void *context);	/* once more then; NULL for none */
	void	   *context;
	int64_t		period_ms;		/* from the end of work to the next one */
} ChoreSpec;

/* Work is done at once, then each period.  NULL when there is no thread. */
extern Chore *chore_start(const ChoreSpec *spec);

/*
 * End the thread and free it, waiting at most timeout_ms.  False when it is
 * still at work: then nothing is freed, and the process should end.
 */
extern bool chore_stop(Chore *chore, int64_t timeout_ms);

#endif							/* FINTRANS_CHORE_H */
