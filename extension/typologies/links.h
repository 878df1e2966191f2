/*
 * Links: all transfers of one amount between one pair of accounts, and how
 * likely it is that several of them follow one another by chance.
 */
#ifndef FINTRANS_LINKS_H
#define FINTRANS_LINKS_H

#include "transfers.h"

typedef struct Link
{
	Transfer  **items;			/* sorted by time */
	int			count;
} Link;

/* How often each amount occurs. */
typedef struct AmountCounts
{
	double	   *amounts;		/* sorted */
	int			count;
	int			naccounts;
} AmountCounts;

/* The link that items[0] begins, of at most count transfers. */
extern Link link_at(Transfer **items, int count);

static inline TimestampTz
link_first_time(const Link *link)
{
	return link->items[0]->time;
}

static inline TimestampTz
link_last_time(const Link *link)
{
	return link->items[link->count - 1]->time;
}

/*
 * Can a transfer of each link be chosen such that none is earlier than the one
 * before it?  If the links are a ring, beginning anywhere.
 */
extern bool links_in_order(const Link *links, int nlinks, bool ring);

extern AmountCounts amount_counts(const Transfers *transfers);

/*
 * How many paths, or rings, of these links or more transfers are to be
 * expected by chance among all transactions: see links.c.  Amounts alike
 * within the tolerance, a share of the amount, count as one.
 */
extern double links_chance(const AmountCounts *counts, const Link *links,
						   int nlinks, bool ring, double tolerance);

/* For a reason: "0.0031". */
extern const char *links_chance_text(double chance);

/* All transfers of the links, one after the other; their number. */
extern Transfer **links_evidence(const Link *links, int nlinks, int *count);

#endif							/* FINTRANS_LINKS_H */
