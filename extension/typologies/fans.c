/*
 * fintrans_fan_in() and fintrans_fan_out(): many accounts pay one, or one pays
 * many.
 *
 * That alone is what shops and employers do.  Two things make it a pattern:
 * a burst, that is many counterparties with similar amounts in a short window;
 * or split payments, that is counterparties whose transfers are repeats of one
 * another, over a window as long as patience needs.  Amounts as an account
 * gets or sends them at other times, too, are no burst.  To split payments
 * belong single transfers of a like amount, too, provided that there are no
 * more of them, and that the counterparty has other transfers but none of such
 * an amount with anybody else.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "arguments.h"
#include "findings.h"
#include "repeats.h"

PG_FUNCTION_INFO_V1(fintrans_fan_in);
PG_FUNCTION_INFO_V1(fintrans_fan_out);

typedef struct FanRule
{
	int			minimum;		/* counterparties */
	int64		window;			/* microseconds */
	double		spread;			/* of amounts, as RepeatRule has it */
} FanRule;

typedef struct FanSearch
{
	bool		inward;			/* a fan-in */
	FanRule		burst;
	FanRule		split;
	RepeatRule	repeat;
	const Transfers *transfers;
	TransferIndex index;		/* by hub, counterparty, time */
	TransferIndex habits;		/* by counterparty, amount */
	Findings   *findings;
	int		   *seen;			/* by account: transfers in the window */
	int		   *seen_in_band;	/* the same for the amounts being looked at */
	bool	   *repeated;		/* by transfer: is it part of a repeat? */
	Transfer  **sparse_end;		/* of the hub's last window without a burst */
} FanSearch;

/*
 * Looks at the first transfers of those given, which lie in a window and have
 * enough counterparties; how many of all the fan they begin takes up, or 0.
 */
typedef int (*WindowCheck) (FanSearch *search, int hub, Transfer **items,
							int in_window, int count);

static inline int
hub_of(const FanSearch *search, const Transfer *transfer)
{
	return search->inward ? transfer->target : transfer->source;
}

static inline int
counterparty_of(const FanSearch *search, const Transfer *transfer)
{
	return search->inward ? transfer->source : transfer->target;
}

/* How many counterparties have come (step 1) or are left (step -1). */
static inline int
count_counterparty(const FanSearch *search, int *seen,
				   const Transfer *transfer, int step)
{
	int		   *n = &seen[counterparty_of(search, transfer)];

	*n += step;
	return step > 0 ? *n == 1 : -(*n == 0);
}

/*
 * Move a window over a hub's transfers, which are sorted by time, and check it
 * wherever it has enough counterparties; after a fan a new one begins.
 */
static void
slide(FanSearch *search, int hub, Transfer **items, int count,
	  const FanRule *rule, WindowCheck check)
{
	int			counterparties = 0;
	int			first = 0;
	int			end = 0;

	while (first < count)
	{
		int			taken = 0;

		CHECK_FOR_INTERRUPTS();
		while (end < count &&
			   items[end]->time - items[first]->time < rule->window)
			counterparties += count_counterparty(search, search->seen,
												 items[end++], 1);
		if (counterparties >= rule->minimum)
			taken = check(search, hub, items + first, end - first,
						  count - first);
		/* what is beyond the window was not counted */
		for (taken = Max(taken, 1); taken > 0; taken--, first++)
		{
			if (first < end)
				counterparties += count_counterparty(search, search->seen,
													 items[first], -1);
		}
		end = Max(end, first);
	}
}

static void
add_fan(FanSearch *search, int hub, Transfer **items, int count,
		const char *how)
{
	Finding		finding = {
		.pattern = search->inward ? "fan-in" : "fan-out",
		.accounts = palloc((2 * count + 1) * sizeof(int)),
		.naccounts = 1,
		.evidence = items,
		.count = count
	};

	finding.accounts[0] = hub;
	finding_collect_accounts(&finding);
	findings_add(search->findings, &finding,
				 search->inward ?
				 "%s was paid by %d accounts in %d transfers%s, %s, %s" :
				 "%s paid %d accounts in %d transfers%s, %s, %s",
				 findings_account(search->findings, hub),
				 finding.naccounts - 1, count, how,
				 findings_amounts(search->findings, &finding),
				 findings_span(search->findings, &finding));
	pfree(finding.accounts);
}

/*
 * The similar amounts with most counterparties, among those sorted by amount;
 * the number of counterparties, and the amount in the middle.
 */
static int
densest_band(FanSearch *search, Transfer *const *items, int count,
			 double *middle)
{
	int			counterparties = 0;
	int			most = 0;
	int			first = 0;
	int			end = 0;

	*middle = 0;
	for (; first < count; first++)
	{
		while (end < count && items[end]->amount <=
			   items[first]->amount * (1 + search->burst.spread))
			counterparties += count_counterparty(search, search->seen_in_band,
												 items[end++], 1);
		if (counterparties > most)
		{
			most = counterparties;
			*middle = items[first + (end - first) / 2]->amount;
		}
		counterparties += count_counterparty(search, search->seen_in_band,
											 items[first], -1);
	}
	return most;
}

/*
 * Collect the transfers similar to the amount in the middle, those of the
 * window and those after it for as long as each one ends a window with enough
 * counterparties.  Returns how many transfers were looked at.
 */
static int
follow_burst(FanSearch *search, Transfer *const *items, int in_window,
			 int count, double middle, Transfer **members, int *nmembers)
{
	double		low = middle / (1 + search->burst.spread);
	double		high = middle * (1 + search->burst.spread);
	int			counterparties = 0;
	int			first = 0;
	int			i;

	*nmembers = 0;
	for (i = 0; i < count; i++)
	{
		if (items[i]->amount < low || items[i]->amount > high)
			continue;
		members[*nmembers] = items[i];
		counterparties += count_counterparty(search, search->seen_in_band,
											 items[i], 1);
		for (; items[i]->time - members[first]->time >= search->burst.window;
			 first++)
			counterparties += count_counterparty(search, search->seen_in_band,
												 members[first], -1);
		(*nmembers)++;
		if (i >= in_window && counterparties < search->burst.minimum)
		{
			(*nmembers)--;
			search->seen_in_band[counterparty_of(search, items[i])] = 0;
			break;
		}
	}
	for (; first < *nmembers; first++)
		search->seen_in_band[counterparty_of(search, members[first])] = 0;
	return i;
}

/* Are most of the hub's transfers of such amounts outside the burst? */
static bool
is_habitual(const FanSearch *search, int hub, double middle, int nmembers)
{
	double		low = middle / (1 + search->burst.spread);
	double		high = middle * (1 + search->burst.spread);
	int			others = -nmembers;
	int			i;

	for (i = search->index.starts[hub]; i < search->index.starts[hub + 1]; i++)
		others += search->index.items[i]->amount >= low &&
			search->index.items[i]->amount <= high;
	return others > nmembers;
}

/*
 * Where a window has no burst none of its parts has one: as it moves on, it is
 * looked at again only when it has got a transfer more.
 */
static int
check_burst(FanSearch *search, int hub, Transfer **items, int in_window,
			int count)
{
	Transfer  **members;
	int			taken = 0;
	int			nmembers;
	double		middle;

	if (items + in_window == search->sparse_end)
		return 0;
	members = palloc(count * sizeof(Transfer *));
	memcpy(members, items, in_window * sizeof(Transfer *));
	transfers_sort(members, in_window, BY_AMOUNT);
	if (densest_band(search, members, in_window, &middle) >=
		search->burst.minimum)
	{
		taken = follow_burst(search, items, in_window, count, middle,
							 members, &nmembers);
		if (!is_habitual(search, hub, middle, nmembers))
			add_fan(search, hub, members, nmembers, "");
	}
	else
		search->sparse_end = items + in_window;
	pfree(members);
	return taken;
}

/*
 * How many counterparties have repeats among the transfers, and how many have
 * single ones only.  Fills split with the repeats.
 */
static int
count_split(FanSearch *search, Transfer *const *items, int count,
			Transfer **split, int *nsplit, int *singles)
{
	int			counterparties = 0;
	int			all = 0;
	int			i;

	*nsplit = 0;
	for (i = 0; i < count; i++)
	{
		all += count_counterparty(search, search->seen_in_band, items[i], 1);
		if (search->repeated[items[i] - search->transfers->items])
			split[(*nsplit)++] = items[i];
	}
	for (i = 0; i < count; i++)
		search->seen_in_band[counterparty_of(search, items[i])] = 0;
	for (i = 0; i < *nsplit; i++)
		counterparties += count_counterparty(search, search->seen_in_band,
											 split[i], 1);
	for (i = 0; i < *nsplit; i++)
		search->seen_in_band[counterparty_of(search, split[i])] = 0;
	*singles = all - counterparties;
	return counterparties;
}

/* A fan of split payments, without the single ones if those are too many. */
static int
check_split(FanSearch *search, int hub, Transfer **items, int in_window,
			int count)
{
	Transfer  **split = palloc(in_window * sizeof(Transfer *));
	int			nsplit;
	int			singles;
	int			counterparties = count_split(search, items, in_window, split,
											 &nsplit, &singles);
	int			taken = in_window;

	Assert(in_window <= count);
	if (singles <= counterparties)
		add_fan(search, hub, items, in_window, ", some of them repeated");
	else if (counterparties >= search->split.minimum)
		add_fan(search, hub, split, nsplit, ", all of them repeated");
	else
		taken = 0;
	pfree(split);
	return taken;
}

/*
 * Has the counterparty transfers of other amounts, but none between low and
 * high with anybody but the hub?
 */
static bool
out_of_habit(const FanSearch *search, const Transfer *transfer, double low,
			 double high)
{
	int			account = counterparty_of(search, transfer);
	int			start = search->habits.starts[account];
	int			end = search->habits.starts[account + 1];
	int			first = transfers_find_amount(search->habits.items, start, end,
											  low);
	int			i = first;

	for (; i < end && search->habits.items[i]->amount <= high; i++)
	{
		if (hub_of(search, search->habits.items[i]) !=
			hub_of(search, transfer))
			return false;
	}
	return i - first < end - start;
}

/* The fans made of repeats with similar amounts, and of what goes along. */
static void
find_split(FanSearch *search, int hub, Transfer **items, int count,
		   const Repeat *repeats, int nrepeats)
{
	double		low = repeats[0].low;
	double		high = repeats[nrepeats - 1].high;
	Transfer  **members = palloc(count * sizeof(Transfer *));
	int			nmembers = 0;
	double		widest_low;
	double		widest_high;
	int			i;

	for (i = 0; i < nrepeats; i++)
	{
		memcpy(members + nmembers, repeats[i].items,
			   repeats[i].count * sizeof(Transfer *));
		nmembers += repeats[i].count;
		low = Min(low, repeats[i].low);
	}
	/* as far as single transfers may be from the others */
	widest_low = high / (1 + search->split.spread);
	widest_high = low * (1 + search->split.spread);
	for (i = 0; i < count; i++)
	{
		if (!search->repeated[items[i] - search->transfers->items] &&
			items[i]->amount >= widest_low &&
			items[i]->amount <= widest_high &&
			out_of_habit(search, items[i], widest_low, widest_high))
			members[nmembers++] = items[i];
	}
	transfers_sort(members, nmembers, BY_TIME);
	slide(search, hub, members, nmembers, &search->split, check_split);
	pfree(members);
}

static int
compare_repeats(const void *a, const void *b)
{
	double		left = ((const Repeat *) a)->high;
	double		right = ((const Repeat *) b)->high;

	return (left > right) - (left < right);
}

/* The repeats of a hub with each of its counterparties. */
static int
hub_repeats(FanSearch *search, Transfer **items, int count, Repeat *repeats)
{
	int			nrepeats = 0;
	int			first = 0;

	while (first < count)
	{
		int			n = 1;

		while (first + n < count &&
			   counterparty_of(search, items[first + n]) ==
			   counterparty_of(search, items[first]))
			n++;
		nrepeats += repeats_find(items + first, n, &search->repeat,
								 repeats + nrepeats);
		first += n;
	}
	return nrepeats;
}

/* Those whose amounts are similar enough make a fan together. */
static void
search_split(FanSearch *search, int hub, Transfer **items, int count)
{
	Repeat	   *repeats = palloc((count / 2 + 1) * sizeof(Repeat));
	int			nrepeats = hub_repeats(search, items, count, repeats);
	int			first = 0;
	int			i;
	int			j;

	for (i = 0; i < nrepeats; i++)
	{
		for (j = 0; j < repeats[i].count; j++)
			search->repeated[repeats[i].items[j] -
							 search->transfers->items] = true;
	}
	qsort(repeats, nrepeats, sizeof(Repeat), compare_repeats);
	while (first < nrepeats)
	{
		double		low = repeats[first].low;
		int			end = first + 1;

		for (; end < nrepeats; end++)
		{
			low = Min(low, repeats[end].low);
			if (repeats[end].high > low * (1 + search->split.spread))
				break;
		}
		find_split(search, hub, items, count, repeats + first, end - first);
		first = end;
	}
	pfree(repeats);
}

static void
search_hub(FanSearch *search, int hub)
{
	Transfer  **items = search->index.items + search->index.starts[hub];
	int			count = search->index.starts[hub + 1] -
		search->index.starts[hub];
	Transfer  **by_time;

	if (count < search->split.minimum)
		return;
	by_time = palloc(count * sizeof(Transfer *));
	memcpy(by_time, items, count * sizeof(Transfer *));
	transfers_sort(by_time, count, BY_TIME);
	search->sparse_end = NULL;
	slide(search, hub, by_time, count, &search->burst, check_burst);
	pfree(by_time);
	search_split(search, hub, items, count);
}

/*
 * (burst_accounts, burst_window, burst_spread, split_accounts, split_window,
 * split_spread, since, before)
 */
static Datum
find_fans(FunctionCallInfo fcinfo, bool inward)
{
	FanSearch	search = {
		.inward = inward,
		.burst = {
			argument_count(fcinfo, 0, "burst_accounts", 2, 1000000),
			argument_duration(fcinfo, 1, "burst_window"),
			argument_share(fcinfo, 2, "burst_spread", 1000)
		},
		.split = {
			argument_count(fcinfo, 3, "split_accounts", 2, 1000000),
			argument_duration(fcinfo, 4, "split_window"),
			argument_share(fcinfo, 5, "split_spread", 1000)
		}
	};
	int			hub;

	search.repeat = (RepeatRule) {
		2, search.burst.window, search.split.spread
	};
	search.transfers = transfers_load(fcinfo);
	search.findings = findings_begin(fcinfo, search.transfers);
	search.index = transfers_index(search.transfers, inward ?
								   BY_TARGET_SOURCE_TIME :
								   BY_SOURCE_TARGET_TIME);
	search.habits = transfers_index(search.transfers, inward ?
									BY_SOURCE_AMOUNT_TARGET_TIME :
									BY_TARGET_AMOUNT_SOURCE_TIME);
	search.seen = palloc0((search.transfers->naccounts + 1) * sizeof(int));
	search.seen_in_band = palloc0((search.transfers->naccounts + 1) *
								  sizeof(int));
	search.repeated = palloc0(search.transfers->count + 1);
	for (hub = 0; hub < search.transfers->naccounts; hub++)
		search_hub(&search, hub);
	return (Datum) 0;
}

Datum
fintrans_fan_in(PG_FUNCTION_ARGS)
{
	return find_fans(fcinfo, true);
}

Datum
fintrans_fan_out(PG_FUNCTION_ARGS)
{
	return find_fans(fcinfo, false);
}
