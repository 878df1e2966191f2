/*
 * What chains and rings are made of.
 *
 * The same amount twice in a row means nothing if everybody pays it.  Let an
 * amount be transferred n times in a period with N transfers among A accounts.
 * If it were sent from and to accounts at random, n/A such transfers would
 * leave each account, so that of N/n amounts that are as frequent, each n
 * times, there would be N * (n/A)^(k-1) paths of k links, and a ring for every
 * A*k paths.  A link repeated r times more has (n/A^2)^r of that.  n counts
 * the transfers outside the path itself, and half a one more, since what was
 * never seen is not impossible.
 */
#include "postgres.h"

#include <math.h>

#include "links.h"

Link
link_at(Transfer **items, int count)
{
	Link		link = {items, 1};

	while (link.count < count &&
		   items[link.count]->source == items[0]->source &&
		   items[link.count]->target == items[0]->target &&
		   items[link.count]->amount == items[0]->amount)
		link.count++;
	return link;
}

static bool
path_in_order(const Link *links, int nlinks, int begin, bool ring)
{
	TimestampTz now = link_first_time(&links[begin]);
	int			i;

	for (i = 1; i < nlinks; i++)
	{
		const Link *link = &links[(begin + i) % nlinks];
		int			j = 0;

		while (j < link->count && link->items[j]->time < now)
			j++;
		if (j == link->count)
			return false;
		now = link->items[j]->time;
	}
	return true;
}

bool
links_in_order(const Link *links, int nlinks, bool ring)
{
	int			begin;

	for (begin = 0; begin < (ring ? nlinks : 1); begin++)
	{
		if (path_in_order(links, nlinks, begin, ring))
			return true;
	}
	return false;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return (left > right) - (left < right);
}

AmountCounts
amount_counts(const Transfers *transfers)
{
	AmountCounts counts = {
		.amounts = MemoryContextAllocHuge(CurrentMemoryContext,
										  (transfers->count + 1) *
										  sizeof(double)),
		.count = transfers->count,
		.naccounts = transfers->naccounts
	};
	int			i;

	for (i = 0; i < transfers->count; i++)
		counts.amounts[i] = transfers->items[i].amount;
	qsort(counts.amounts, counts.count, sizeof(double), compare_doubles);
	return counts;
}

/* How many amounts are below the one given, or not above it. */
static int
count_below(const AmountCounts *counts, double amount, bool or_equal)
{
	int			from = 0;
	int			to = counts->count;

	while (from < to)
	{
		int			middle = from + (to - from) / 2;

		if (counts->amounts[middle] < amount ||
			(or_equal && counts->amounts[middle] == amount))
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

double
links_chance(const AmountCounts *counts, const Link *links, int nlinks,
			 bool ring, double tolerance)
{
	double		amount = links[0].items[0]->amount;
	double		accounts = counts->naccounts;
	double		others = count_below(counts, amount * (1 + tolerance), true) -
		count_below(counts, amount * (1 - tolerance), false);
	double		chance = counts->count;
	int			repeats = 0;
	int			i;

	for (i = 0; i < nlinks; i++)
		repeats += links[i].count - 1;
	others = Max(others - nlinks - repeats, 0) + 0.5;
	chance *= pow(others / accounts, nlinks - 1);
	chance *= pow(others / accounts / accounts, repeats);
	return ring ? chance / accounts / nlinks : chance;
}

const char *
links_chance_text(double chance)
{
	return chance < 1e-6 ? "less than 0.000001" : psprintf("%.2g", chance);
}

Transfer **
links_evidence(const Link *links, int nlinks, int *count)
{
	Transfer  **evidence;
	int			i;

	*count = 0;
	for (i = 0; i < nlinks; i++)
		*count += links[i].count;
	evidence = palloc(*count * sizeof(Transfer *));
	*count = 0;
	for (i = 0; i < nlinks; i++)
	{
		memcpy(evidence + *count, links[i].items,
			   links[i].count * sizeof(Transfer *));
		*count += links[i].count;
	}
	return evidence;
}
