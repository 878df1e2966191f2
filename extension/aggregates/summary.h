/*
 * The type fintrans_summary: what is to be known of a set of amounts.
 */
#ifndef FINTRANS_SUMMARY_H
#define FINTRANS_SUMMARY_H

#include "utils/numeric.h"

typedef enum SummaryPart
{
	SUMMARY_TOTAL,
	SUMMARY_SQUARES,			/* the sum of the amounts' squares */
	SUMMARY_MINIMUM,
	SUMMARY_MAXIMUM,
	SUMMARY_PARTS
} SummaryPart;

/* A value of the type, taken apart. */
typedef struct Summary
{
	int64		count;			/* of amounts that are not NULL; at least 1 */
	Numeric		parts[SUMMARY_PARTS];	/* by SummaryPart */
} Summary;

/* The parts point into value, or a copy of it in the current context. */
extern void summary_load(Summary *summary, Datum value);

/* The stored form, in the current context. */
extern Datum summary_store(const Summary *summary);

#endif							/* FINTRANS_SUMMARY_H */
