/*
 * What the typologies return: one row of type fintrans_finding per pattern
 * found, with its evidence and a reason in words.
 */
#ifndef FINTRANS_FINDINGS_H
#define FINTRANS_FINDINGS_H

#include "transfers.h"

/* A pattern that was found, while it is put together. */
typedef struct Finding
{
	const char *pattern;
	int		   *accounts;		/* the one it is about first, if any */
	int			naccounts;
	Transfer  **evidence;		/* in the order to be shown */
	int			count;
} Finding;

typedef struct Findings Findings;

/* The function's result, in the current context. */
extern Findings *findings_begin(FunctionCallInfo fcinfo,
								const Transfers *transfers);

/*
 * Add a row.  The reason is made of what the format says; the texts given may
 * come from the functions below.
 */
extern void findings_add(Findings *findings, const Finding *finding,
						 const char *format,...) pg_attribute_printf(3, 4);

/*
 * Collect the accounts of the evidence behind those the finding already has,
 * each once; accounts must have room for two per transfer more.
 */
extern void finding_collect_accounts(Finding *finding);

/* Texts for a reason; they last until the next findings_add(). */
extern const char *findings_account(Findings *findings, int account);
/* "12.50 each" or "12.00 to 13.50 each" */
extern const char *findings_amounts(Findings *findings,
									const Finding *finding);
/* From the first to the last of the evidence: "at one time", "within 2 days". */
extern const char *findings_span(Findings *findings, const Finding *finding);
/* A duration in microseconds: "2 days". */
extern const char *findings_duration(Findings *findings, int64 duration);

#endif							/* FINTRANS_FINDINGS_H */
