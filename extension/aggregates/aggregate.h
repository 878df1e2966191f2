/*
 * What the transition functions of all aggregates begin with.
 */
#ifndef FINTRANS_AGGREGATE_H
#define FINTRANS_AGGREGATE_H

#include "fmgr.h"

/* Argument n, an internal state; NULL if there is none yet. */
#define AGGREGATE_STATE(n) \
	(PG_ARGISNULL(n) ? NULL : (void *) PG_GETARG_POINTER(n))

/* Return a state, which may be NULL. */
#define AGGREGATE_RETURN(state) \
	do { \
		void	   *state_ = (state); \
		if (state_ == NULL) \
			PG_RETURN_NULL(); \
		PG_RETURN_POINTER(state_); \
	} while (0)

/*
 * Where the state lives.  To ask once for each state is enough: nobody else
 * has an internal one to pass.
 */
static inline MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	return context;
}

#endif							/* FINTRANS_AGGREGATE_H */
