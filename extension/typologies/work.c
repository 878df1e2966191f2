/*
 * Bounds the work of a search; see work.h.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "work.h"

/* Steps between two looks for a cancel request. */
#define STEPS_AT_ONCE 1024

void
work_step(Work *work)
{
	if (++work->done % STEPS_AT_ONCE == 0)
		CHECK_FOR_INTERRUPTS();
	if (work->done > work->limit)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("search takes more than %lld steps",
						(long long) work->limit),
				 errhint("Narrow the period, the window or the tolerance, or raise \"work\".")));
}
