/*
 * fintrans_structuring(): an account keeps its payments just below a limit
 * above which they would be reported.
 *
 * Where most payments of that size are made one by one, it is only the size
 * that the account's payments have.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "arguments.h"
#include "findings.h"

PG_FUNCTION_INFO_V1(fintrans_structuring);

static void add_structuring(Findings *findings, Transfer **items, int count);

/* Move those within low <= amount < limit to the front; their number. */
static int
keep_just_below(Transfer **items, int count, double low, double limit)
{
	int			kept = 0;
	int			i;

	for (i = 0; i < count; i++)
	{
		if (items[i]->amount >= low && items[i]->amount < limit)
			items[kept++] = items[i];
	}
	return kept;
}

/*
 * How many transfers from the first on are structured: each is one of at least
 * "minimum" within a window.  0 if the first window has fewer.
 */
static int
structured(Transfer *const *items, int count, int minimum, int64 window)
{
	int			n = minimum - 1;

	while (n < count &&
		   items[n]->time - items[n - minimum + 1]->time < window)
		n++;
	return n < minimum ? 0 : n;
}

/*
 * How many of the transfers are structured.  Adds the findings, if there is
 * somewhere to add them.
 */
static int
find_runs(Transfer **items, int count, int minimum, int64 window,
		  Findings *findings)
{
	int			found = 0;
	int			i = 0;

	while (count - i >= minimum)
	{
		int			n = structured(items + i, count - i, minimum, window);

		if (n > 0 && findings != NULL)
			add_structuring(findings, items + i, n);
		found += n;
		i += Max(n, 1);
	}
	return found;
}

static void
add_structuring(Findings *findings, Transfer **items, int count)
{
	Finding		finding = {
		.pattern = "structuring",
		.accounts = palloc((2 * count + 1) * sizeof(int)),
		.naccounts = 1,
		.evidence = items,
		.count = count
	};

	finding.accounts[0] = items[0]->source;
	finding_collect_accounts(&finding);
	findings_add(findings, &finding,
				 "%s paid %d times just below the limit, %s, %s",
				 findings_account(findings, finding.accounts[0]), count,
				 findings_amounts(findings, &finding),
				 findings_span(findings, &finding));
	pfree(finding.accounts);
}

/* (limit_amount, band, minimum, within, since, before) */
Datum
fintrans_structuring(PG_FUNCTION_ARGS)
{
	double		limit = argument_number(fcinfo, 0, "limit_amount", 1e-18, 1e15);
	double		band = argument_share(fcinfo, 1, "band", 1);
	int			minimum = argument_count(fcinfo, 2, "minimum", 2, 1000000);
	int64		window = argument_duration(fcinfo, 3, "within");
	Transfers  *transfers = transfers_load(fcinfo);
	TransferIndex index = transfers_index(transfers, BY_SOURCE_TIME);
	Findings   *findings = findings_begin(fcinfo, transfers);
	int			account;

	for (account = 0; account < transfers->naccounts; account++)
	{
		Transfer  **items = index.items + index.starts[account];
		int			count =
			keep_just_below(items, index.starts[account + 1] -
							index.starts[account], limit * (1 - band), limit);

		CHECK_FOR_INTERRUPTS();
		if (2 * find_runs(items, count, minimum, window, NULL) >= count)
			find_runs(items, count, minimum, window, findings);
	}
	return (Datum) 0;
}
