/*
 * fintrans_cycles(): money that comes back to where it began.
 *
 * A depth-first search over links from every account, which visits no account
 * of a lower number: each ring is found from the lowest one only.  With equal
 * amounts hardly a link has a successor, and the search is short; the looser
 * the tolerance, the more there are, so its steps are counted and bounded.
 */
#include "postgres.h"

#include <math.h>

#include "utils/hsearch.h"

#include "arguments.h"
#include "findings.h"
#include "links.h"
#include "work.h"

PG_FUNCTION_INFO_V1(fintrans_cycles);

#define MAX_LINKS 16

typedef struct CycleRule
{
	int			minimum;		/* links */
	int			maximum;
	double		tolerance;		/* share by which amounts may differ from the
								 * first; infinite for any amounts */
	bool		ordered;
	int64		window;			/* microseconds */
	double		chance;			/* at most so many by chance */
} CycleRule;

/* What makes two rings the same. */
typedef struct RingKey
{
	int			accounts[MAX_LINKS];	/* then zeros */
	double		amount;			/* 0 if amounts may differ */
} RingKey;

typedef struct CycleSearch
{
	CycleRule	rule;
	Work		work;
	TransferIndex sent;			/* by source, amount (or not), target, time */
	AmountCounts counts;
	Findings   *findings;
	HTAB	   *known;			/* RingKeys, where a ring may come up twice */
	Link		path[MAX_LINKS];
	int			nlinks;
	TimestampTz latest_first;	/* of the links in path */
	TimestampTz earliest_last;
} CycleSearch;

static void extend_path(CycleSearch *search);

static bool
any_amounts(const CycleSearch *search)
{
	return isinf(search->rule.tolerance);
}

/* With any amounts, all transfers between two accounts are one link. */
static Link
next_link(const CycleSearch *search, int at, int end)
{
	Transfer  **items = search->sent.items + at;
	Link		link = {items, 1};

	if (!any_amounts(search))
		return link_at(items, end - at);
	while (at + link.count < end &&
		   items[link.count]->target == items[0]->target)
		link.count++;
	return link;
}

static bool
in_path(const CycleSearch *search, int account)
{
	int			i;

	for (i = 0; i < search->nlinks; i++)
	{
		if (search->path[i].items[0]->source == account)
			return true;
	}
	return false;
}

/* The second time a ring comes up it is known. */
static bool
is_known(CycleSearch *search)
{
	RingKey		key;
	bool		found;
	int			i;

	memset(&key, 0, sizeof(key));
	for (i = 0; i < search->nlinks; i++)
		key.accounts[i] = search->path[i].items[0]->source;
	if (search->rule.tolerance == 0)
		key.amount = search->path[0].items[0]->amount;
	hash_search(search->known, &key, HASH_ENTER, &found);
	return found;
}

static void
add_ring(CycleSearch *search, double chance)
{
	int			accounts[MAX_LINKS];
	Finding		finding = {
		.pattern = "ring",
		.accounts = accounts,
		.naccounts = search->nlinks
	};
	bool		in_order = links_in_order(search->path, search->nlinks, true);
	int			i;

	if (search->rule.ordered && !in_order)
		return;
	finding.evidence = links_evidence(search->path, search->nlinks,
									  &finding.count);
	for (i = 0; i < search->nlinks; i++)
		accounts[i] = search->path[i].items[0]->source;
	findings_add(search->findings, &finding,
				 "%s through %d accounts back to %s, %s, in %d transfers, %s; %s such rings are to be expected by chance",
				 findings_amounts(search->findings, &finding),
				 finding.naccounts,
				 findings_account(search->findings, accounts[0]),
				 in_order ? "in the order of time" : "not in the order of time",
				 finding.count, findings_span(search->findings, &finding),
				 links_chance_text(chance));
	pfree(finding.evidence);
}

static void
close_ring(CycleSearch *search)
{
	double		chance;

	if (search->nlinks < search->rule.minimum)
		return;
	chance = any_amounts(search) ? 0 :
		links_chance(&search->counts, search->path, search->nlinks, true,
					 search->rule.tolerance);
	if (chance <= search->rule.chance && !is_known(search))
		add_ring(search, chance);
}

/* Go along a link, if that may still become a ring, and come back. */
static void
try_link(CycleSearch *search, Link link)
{
	TimestampTz latest_first = search->latest_first;
	TimestampTz earliest_last = search->earliest_last;
	int			root = search->nlinks == 0 ? link.items[0]->source :
		search->path[0].items[0]->source;
	int			target = link.items[0]->target;

	work_step(&search->work);
	search->latest_first = Max(latest_first, link_first_time(&link));
	search->earliest_last = Min(earliest_last, link_last_time(&link));
	if (target >= root &&
		search->latest_first - search->earliest_last < search->rule.window)
	{
		search->path[search->nlinks] = link;
		if (target == root)
		{
			search->nlinks++;
			close_ring(search);
			search->nlinks--;
		}
		else if (search->nlinks + 1 < search->rule.maximum &&
				 !in_path(search, target))
		{
			search->nlinks++;
			extend_path(search);
			search->nlinks--;
		}
	}
	search->latest_first = latest_first;
	search->earliest_last = earliest_last;
}

static void
extend_path(CycleSearch *search)
{
	double		amount = search->path[0].items[0]->amount;
	double		low = amount * (1 - search->rule.tolerance);
	double		high = amount * (1 + search->rule.tolerance);
	int			account = search->path[search->nlinks - 1].items[0]->target;
	int			end = search->sent.starts[account + 1];
	int			at = search->sent.starts[account];

	if (!any_amounts(search))
		at = transfers_find_amount(search->sent.items, at, end, low);
	while (at < end &&
		   (any_amounts(search) || search->sent.items[at]->amount <= high))
	{
		Link		link = next_link(search, at, end);

		try_link(search, link);
		at += link.count;
	}
}

static void
search_account(CycleSearch *search, int account)
{
	int			at = search->sent.starts[account];
	int			end = search->sent.starts[account + 1];

	while (at < end)
	{
		Link		link = next_link(search, at, end);

		search->latest_first = DT_NOBEGIN;
		search->earliest_last = DT_NOEND;
		try_link(search, link);
		at += link.count;
	}
}

static HTAB *
ring_table(void)
{
	HASHCTL		control = {
		.keysize = sizeof(RingKey),
		.entrysize = sizeof(RingKey),
		.hcxt = CurrentMemoryContext
	};

	return hash_create("fintrans rings", 1024, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* A tolerance of NULL is none at all: any amounts. */
static CycleRule
read_rule(FunctionCallInfo fcinfo)
{
	CycleRule	rule = {
		.minimum = argument_count(fcinfo, 0, "minimum", 3, MAX_LINKS),
		.maximum = argument_count(fcinfo, 1, "maximum", 3, MAX_LINKS),
		.tolerance = PG_ARGISNULL(2) ? INFINITY :
		argument_share(fcinfo, 2, "tolerance", 0.5),
		.ordered = argument_flag(fcinfo, 3, "ordered"),
		.window = argument_duration(fcinfo, 4, "within"),
		.chance = argument_number(fcinfo, 5, "chance", 0, 1e300)
	};

	if (rule.minimum > rule.maximum)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"minimum\" must not exceed argument \"maximum\"")));
	return rule;
}

/*
 * (minimum, maximum, tolerance, ordered, within, chance, work, since, before)
 */
Datum
fintrans_cycles(PG_FUNCTION_ARGS)
{
	CycleSearch search = {
		.rule = read_rule(fcinfo),
		.work = {argument_count(fcinfo, 6, "work", 1, PG_INT64_MAX), 0},
		.known = ring_table()
	};
	Transfers  *transfers = transfers_load(fcinfo);
	int			account;

	search.findings = findings_begin(fcinfo, transfers);
	if (!any_amounts(&search))
		search.counts = amount_counts(transfers);
	search.sent = transfers_index(transfers, any_amounts(&search) ?
								  BY_SOURCE_TARGET_TIME :
								  BY_SOURCE_AMOUNT_TARGET_TIME);
	for (account = 0; account < transfers->naccounts; account++)
		search_account(&search, account);
	return (Datum) 0;
}
