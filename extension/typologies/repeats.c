/*
 * fintrans_repeated_transfers(), and the repeats that fans are made of.
 *
 * A window begins with a transfer.  Within it amounts are sorted and cut where
 * the next one is no longer similar to the smallest; each piece long enough is
 * a repeat.  If there is none, the window moves on by one transfer, and it
 * cannot hold many then: amounts that are all dissimilar grow by the spread.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "arguments.h"
#include "findings.h"
#include "repeats.h"

PG_FUNCTION_INFO_V1(fintrans_repeated_transfers);

int
repeats_window(Transfer *const *items, int count, int64 window)
{
	int			n = 1;

	while (n < count && items[n]->time - items[0]->time < window)
		n++;
	return n;
}

/* The repeats of one window, sorted by amount here. */
static int
cut_window(Transfer **items, int count, const RepeatRule *rule,
		   Repeat *repeats)
{
	int			nrepeats = 0;
	int			first = 0;
	int			i;

	transfers_sort(items, count, BY_AMOUNT);
	for (i = 1; i <= count; i++)
	{
		if (i < count &&
			items[i]->amount <= items[first]->amount * (1 + rule->spread))
			continue;
		if (i - first >= rule->minimum)
		{
			Repeat	   *repeat = &repeats[nrepeats++];

			repeat->items = items + first;
			repeat->count = i - first;
			repeat->low = items[first]->amount;
			repeat->high = items[i - 1]->amount;
		}
		first = i;
	}
	for (i = 0; i < nrepeats; i++)
		transfers_sort(repeats[i].items, repeats[i].count, BY_TIME);
	return nrepeats;
}

int
repeats_find(Transfer **items, int count, const RepeatRule *rule,
			 Repeat *repeats)
{
	int			nrepeats = 0;
	int			i = 0;

	while (count - i >= rule->minimum)
	{
		int			n = repeats_window(items + i, count - i, rule->window);
		int			found = 0;

		CHECK_FOR_INTERRUPTS();
		if (n >= rule->minimum)
		{
			found = cut_window(items + i, n, rule, repeats + nrepeats);
			if (found == 0)
				transfers_sort(items + i, n, BY_TIME);
		}
		nrepeats += found;
		i += found > 0 ? n : 1;
	}
	return nrepeats;
}

static void
add_repeat(Findings *findings, const Repeat *repeat)
{
	int			accounts[2] = {
		repeat->items[0]->source, repeat->items[0]->target
	};
	Finding		finding = {
		"repeated transfers", accounts, 2, repeat->items, repeat->count
	};

	findings_add(findings, &finding, "%s paid %s %d times, %s, %s",
				 findings_account(findings, accounts[0]),
				 findings_account(findings, accounts[1]),
				 repeat->count, findings_amounts(findings, &finding),
				 findings_span(findings, &finding));
}

/* (minimum, within, spread, since, before) */
Datum
fintrans_repeated_transfers(PG_FUNCTION_ARGS)
{
	RepeatRule	rule = {
		.minimum = argument_count(fcinfo, 0, "minimum", 2, 1000000),
		.window = argument_duration(fcinfo, 1, "within"),
		.spread = argument_share(fcinfo, 2, "spread", 1000)
	};
	Transfers  *transfers = transfers_load(fcinfo);
	TransferIndex index = transfers_index(transfers, BY_SOURCE_TARGET_TIME);
	Findings   *findings = findings_begin(fcinfo, transfers);
	int			first = 0;

	while (first < transfers->count)
	{
		Transfer  **items = index.items + first;
		int			n = 1;

		while (first + n < transfers->count &&
			   items[n]->source == items[0]->source &&
			   items[n]->target == items[0]->target)
			n++;
		if (n >= rule.minimum)
		{
			Repeat	   *repeats = palloc((n / 2) * sizeof(Repeat));
			int			found = repeats_find(items, n, &rule, repeats);
			int			i;

			for (i = 0; i < found; i++)
				add_repeat(findings, &repeats[i]);
			pfree(repeats);
		}
		first += n;
	}
	return (Datum) 0;
}
