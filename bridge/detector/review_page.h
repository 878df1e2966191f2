/*
 * What a reviewer is shown of an alert: why it was raised, what was decided
 * about its subject before, and its transactions, in the width of the
 * terminal.  Whatever comes from the database is made harmless first.
 */
#ifndef FINTRANS_REVIEW_PAGE_H
#define FINTRANS_REVIEW_PAGE_H

#include <stddef.h>
#include <stdio.h>

#include "docket.h"

/* The alert at hand; returns how many lines it takes. */
extern size_t review_page_case(const Docket *docket, FILE *out);

/* What docket_decisions() has read; returns how many lines it takes. */
extern size_t review_page_decisions(const Docket *docket, FILE *out);

/*
 * What docket_evidence() has read, of which so many were shown before, in
 * columns that fit into this width.  Returns how many are shown by now.
 */
extern int64_t review_page_evidence(const Docket *docket, int64_t shown,
									size_t width, FILE *out);

#endif							/* FINTRANS_REVIEW_PAGE_H */
