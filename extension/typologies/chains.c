/*
 * fintrans_chains(): the same amount handed on through accounts, or links of a
 * ring of which some are missing.
 *
 * Two links belong together if the account between them got such an amount
 * from one account only and sent it to one only, neither far apart in time.
 * So every link has at most one before and one after it: chains cannot branch,
 * and finding all of them takes a few look-ups a link.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "arguments.h"
#include "findings.h"
#include "links.h"

PG_FUNCTION_INFO_V1(fintrans_chains);

#define NO_LINK (-1)

typedef struct ChainRule
{
	int			minimum;		/* links */
	int64		window;			/* microseconds between neighbours */
	double		loss;			/* share of the amount lost at each account */
	bool		ordered;		/* chains only, not broken rings */
	double		chance;			/* at most so many by chance */
} ChainRule;

typedef struct ChainSearch
{
	ChainRule	rule;
	TransferIndex sent;			/* by source, amount, target, time */
	TransferIndex received;		/* by target, amount, source, time */
	AmountCounts counts;
	Findings   *findings;
	/* where in sent the next link begins, by where a link begins */
	int		   *next;
	bool	   *follows;		/* is a link the next one of another? */
	Link	   *path;
	int			path_size;
} ChainSearch;

static Link
link_in(const TransferIndex *index, int at, int end)
{
	return link_at(index->items + at, end - at);
}

static bool
near_in_time(const ChainSearch *search, const Link *a, const Link *b)
{
	return link_first_time(a) - link_last_time(b) < search->rule.window &&
		link_first_time(b) - link_last_time(a) < search->rule.window;
}

/* Where in sent the only link begins that may go on from this one. */
static int
only_successor(const ChainSearch *search, const Link *link)
{
	const Transfer *transfer = link->items[0];
	int			end = search->sent.starts[transfer->target + 1];
	int			found = NO_LINK;
	int			at =
		transfers_find_amount(search->sent.items,
							  search->sent.starts[transfer->target], end,
							  transfer->amount * (1 - search->rule.loss));

	while (at < end && search->sent.items[at]->amount <= transfer->amount)
	{
		Link		candidate = link_in(&search->sent, at, end);

		if (candidate.items[0]->target != transfer->source &&
			near_in_time(search, link, &candidate))
		{
			if (found != NO_LINK && search->sent.items[found]->target !=
				candidate.items[0]->target)
				return NO_LINK;
			found = at;
		}
		at += candidate.count;
	}
	return found;
}

/* Did the link's source get what it sent from one account only? */
static bool
has_only_predecessor(const ChainSearch *search, const Link *link)
{
	const Transfer *transfer = link->items[0];
	int			end = search->received.starts[transfer->source + 1];
	int			source = -1;
	int			at =
		transfers_find_amount(search->received.items,
							  search->received.starts[transfer->source], end,
							  transfer->amount);

	while (at < end && search->received.items[at]->amount *
		   (1 - search->rule.loss) <= transfer->amount)
	{
		Link		candidate = link_in(&search->received, at, end);
		int			found = candidate.items[0]->source;

		if (found != transfer->target &&
			near_in_time(search, link, &candidate))
		{
			if (source != -1 && source != found)
				return false;
			source = found;
		}
		at += candidate.count;
	}
	return source != -1;
}

static void
connect_links(ChainSearch *search, int count)
{
	int			at = 0;

	while (at < count)
	{
		Link		link = link_in(&search->sent, at, count);
		int			next = only_successor(search, &link);

		CHECK_FOR_INTERRUPTS();
		if (next != NO_LINK && !search->follows[next])
		{
			Link		successor = link_in(&search->sent, next, count);

			if (!has_only_predecessor(search, &successor))
				next = NO_LINK;
			else
				search->follows[next] = true;
		}
		else
			next = NO_LINK;
		search->next[at] = next;
		at += link.count;
	}
}

static void
add_chain(ChainSearch *search, int nlinks, double chance)
{
	bool		in_order = links_in_order(search->path, nlinks, false);
	Finding		finding = {
		.pattern = in_order ? "chain" : "broken ring",
		.accounts = palloc((nlinks + 1) * sizeof(int)),
		.naccounts = nlinks + 1
	};
	int			i;

	if (search->rule.ordered && !in_order)
		return;
	finding.evidence = links_evidence(search->path, nlinks, &finding.count);
	finding.accounts[0] = search->path[0].items[0]->source;
	for (i = 0; i < nlinks; i++)
		finding.accounts[i + 1] = search->path[i].items[0]->target;
	findings_add(search->findings, &finding,
				 "%s handed on by %d account%s from %s to %s%s, in %d transfers, %s; %s such chains are to be expected by chance",
				 findings_amounts(search->findings, &finding), nlinks - 1,
				 nlinks == 2 ? "" : "s",
				 findings_account(search->findings, finding.accounts[0]),
				 findings_account(search->findings, finding.accounts[nlinks]),
				 in_order ? "" : ", but not in the order of time",
				 finding.count, findings_span(search->findings, &finding),
				 links_chance_text(chance));
	pfree(finding.accounts);
	pfree(finding.evidence);
}

/* Follow the links from one that follows none. */
static void
follow_chain(ChainSearch *search, int at, int count)
{
	int			nlinks = 0;
	double		chance;

	for (; at != NO_LINK; at = search->next[at])
	{
		if (nlinks == search->path_size)
		{
			search->path_size *= 2;
			search->path = repalloc(search->path,
									search->path_size * sizeof(Link));
		}
		search->path[nlinks++] = link_in(&search->sent, at, count);
	}
	if (nlinks < search->rule.minimum)
		return;
	chance = links_chance(&search->counts, search->path, nlinks, false,
						  search->rule.loss);
	if (chance <= search->rule.chance)
		add_chain(search, nlinks, chance);
}

static void
search_chains(ChainSearch *search, int count)
{
	int			at = 0;

	search->next = MemoryContextAllocHuge(CurrentMemoryContext,
										  (count + 1) * sizeof(int));
	search->follows = palloc0(count + 1);
	search->path_size = 16;
	search->path = palloc(search->path_size * sizeof(Link));
	connect_links(search, count);
	while (at < count)
	{
		Link		link = link_in(&search->sent, at, count);

		CHECK_FOR_INTERRUPTS();
		if (!search->follows[at])
			follow_chain(search, at, count);
		at += link.count;
	}
}

/* (minimum, within, loss, ordered, chance, since, before) */
Datum
fintrans_chains(PG_FUNCTION_ARGS)
{
	ChainSearch search = {
		.rule = {
			.minimum = argument_count(fcinfo, 0, "minimum", 2, 1000000),
			.window = argument_duration(fcinfo, 1, "within"),
			.loss = argument_share(fcinfo, 2, "loss", 0.5),
			.ordered = argument_flag(fcinfo, 3, "ordered"),
			.chance = argument_number(fcinfo, 4, "chance", 0, 1e300)
		}
	};
	Transfers  *transfers = transfers_load(fcinfo);

	search.findings = findings_begin(fcinfo, transfers);
	search.counts = amount_counts(transfers);
	search.sent = transfers_index(transfers, BY_SOURCE_AMOUNT_TARGET_TIME);
	search.received = transfers_index(transfers, BY_TARGET_AMOUNT_SOURCE_TIME);
	search_chains(&search, transfers->count);
	return (Datum) 0;
}
