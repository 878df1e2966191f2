/*
 * What becomes of one message: a row, or a dead letter with its reason.  Pure.
 */
#ifndef FINTRANS_INTAKE_H
#define FINTRANS_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "breaker.h"
#include "codec.h"

/* What is accepted at the moment. */
typedef struct Intake
{
	Codec	   *codec;			/* the caller's */
	bool		older_reasons;	/* write those of 0.1.0 */
	int64_t		time_from_ms;	/* event times since 1970, included */
	int64_t		time_to_ms;		/* included */
	Breaker    *breaker;		/* of the batch's slots; NULL for none */
} Intake;

/*
 * What is a message?  detail says why it is refused; the record's time is valid
 * all the same.
 */
extern RecordVerdict intake_judge(const Intake *intake,
								  const BatchMessage *message, Record *record,
								  const RecordDetail *detail);

/*
 * Add a message to a batch's slot, as what it is.  BATCH_TRIPPED when it is
 * refused and the breaker says that it is one too many; verdict tells why.
 */
extern BatchResult intake_add(const Intake *intake, Batch *batch, size_t slot,
							  const BatchMessage *message,
							  RecordVerdict *verdict);

#endif							/* FINTRANS_INTAKE_H */
