/*
 * fintrans_scatter_gather(): one account pays several, and each of them hands
 * the amount on to one and the same.
 *
 * For each account all two-step routes of an amount are collected and sorted
 * by where they end; the window then slides over those with the same end.  An
 * amount that the account in between sends to others as well is what it always
 * pays, and was not handed on.
 */
#include "postgres.h"

#include <math.h>

#include "arguments.h"
#include "findings.h"
#include "work.h"

PG_FUNCTION_INFO_V1(fintrans_scatter_gather);

typedef struct ScatterRule
{
	int			minimum;		/* accounts in between */
	int64		window;			/* microseconds, from first to last */
	double		loss;			/* share of an amount lost in between */
} ScatterRule;

typedef struct Route
{
	Transfer   *scatter;
	Transfer   *gather;
} Route;

typedef struct ScatterSearch
{
	ScatterRule rule;
	Work		work;
	TransferIndex sent;			/* by source, amount */
	Findings   *findings;
	Route	   *routes;
	int			count;
	int			size;
	int		   *seen;			/* by account: routes in the window */
} ScatterSearch;

static void
keep_route(ScatterSearch *search, Transfer *scatter, Transfer *gather)
{
	if (search->count == search->size)
	{
		search->size *= 2;
		search->routes = repalloc_huge(search->routes,
									   search->size * sizeof(Route));
	}
	search->routes[search->count++] = (Route) {scatter, gather};
}

/* Does the source of a transfer send just that amount to others, too? */
static bool
is_habitual(const ScatterSearch *search, const Transfer *transfer)
{
	int			end = search->sent.starts[transfer->source + 1];
	int			at =
		transfers_find_amount(search->sent.items,
							  search->sent.starts[transfer->source], end,
							  transfer->amount);
	int			last =
		transfers_find_amount(search->sent.items, at, end,
							  nextafter(transfer->amount, INFINITY)) - 1;

	/* those of one amount are sorted by target */
	return search->sent.items[at]->target !=
		search->sent.items[last]->target;
}

/* All routes of what an account sent. */
static void
collect_routes(ScatterSearch *search, int account)
{
	int			i;

	search->count = 0;
	for (i = search->sent.starts[account];
		 i < search->sent.starts[account + 1]; i++)
	{
		Transfer   *scatter = search->sent.items[i];
		int			end = search->sent.starts[scatter->target + 1];
		int			at =
			transfers_find_amount(search->sent.items,
								  search->sent.starts[scatter->target], end,
								  scatter->amount * (1 - search->rule.loss));

		work_step(&search->work);
		for (; at < end && search->sent.items[at]->amount <= scatter->amount;
			 at++)
		{
			Transfer   *gather = search->sent.items[at];

			work_step(&search->work);
			if (gather->target != account && gather->time >= scatter->time &&
				gather->time - scatter->time < search->rule.window &&
				!is_habitual(search, gather))
				keep_route(search, scatter, gather);
		}
	}
}

/* By end, then time. */
static int
compare_routes(const void *a, const void *b)
{
	const Route *left = a;
	const Route *right = b;

	if (left->gather->target != right->gather->target)
		return left->gather->target < right->gather->target ? -1 : 1;
	if (left->scatter->time != right->scatter->time)
		return left->scatter->time < right->scatter->time ? -1 : 1;
	if (left->scatter != right->scatter)
		return left->scatter < right->scatter ? -1 : 1;
	return (left->gather > right->gather) - (left->gather < right->gather);
}

/* One route through each account; their number is that of the accounts. */
static void
add_scatter(ScatterSearch *search, const Route *routes, int count,
			int accounts)
{
	Finding		finding = {
		.pattern = "scatter-gather",
		.accounts = palloc((4 * accounts + 2) * sizeof(int)),
		.naccounts = 2,
		.evidence = palloc(2 * accounts * sizeof(Transfer *))
	};
	int			n = 0;
	int			i;

	for (i = 0; i < count; i++)
	{
		int			between = routes[i].scatter->target;

		if (search->seen[between] == 0 ||
			routes[i].gather->time - routes[0].scatter->time >=
			search->rule.window)
			continue;
		search->seen[between] = 0;
		finding.evidence[n] = routes[i].scatter;
		finding.evidence[accounts + n++] = routes[i].gather;
	}
	finding.count = 2 * n;
	finding.accounts[0] = routes[0].scatter->source;
	finding.accounts[1] = routes[0].gather->target;
	finding_collect_accounts(&finding);
	findings_add(search->findings, &finding,
				 "%s paid %d accounts, and each of them handed it on to %s, %s, %s",
				 findings_account(search->findings, finding.accounts[0]), n,
				 findings_account(search->findings, finding.accounts[1]),
				 findings_amounts(search->findings, &finding),
				 findings_span(search->findings, &finding));
	pfree(finding.accounts);
	pfree(finding.evidence);
}

/*
 * The routes with one end that lie within the window their first one begins;
 * returns how many to move on by.
 */
static int
check_window(ScatterSearch *search, const Route *routes, int count)
{
	TimestampTz begin = routes[0].scatter->time;
	int			accounts = 0;
	int			end = 0;
	int			i;

	for (; end < count &&
		 routes[end].scatter->time - begin < search->rule.window; end++)
	{
		work_step(&search->work);
		if (routes[end].gather->time - begin < search->rule.window)
			accounts += search->seen[routes[end].scatter->target]++ == 0;
	}
	if (accounts >= search->rule.minimum)
	{
		add_scatter(search, routes, end, accounts);
		return end;
	}
	for (i = 0; i < end; i++)
		search->seen[routes[i].scatter->target] = 0;
	return 1;
}

static void
search_account(ScatterSearch *search, int account)
{
	int			first = 0;

	collect_routes(search, account);
	if (search->count < search->rule.minimum)
		return;
	qsort(search->routes, search->count, sizeof(Route), compare_routes);
	while (first < search->count)
	{
		Route	   *routes = search->routes + first;
		int			n = 1;
		int			i = 0;

		while (first + n < search->count &&
			   routes[n].gather->target == routes[0].gather->target)
			n++;
		while (n - i >= search->rule.minimum)
			i += check_window(search, routes + i, n - i);
		first += n;
	}
}

/* (minimum, within, loss, work, since, before) */
Datum
fintrans_scatter_gather(PG_FUNCTION_ARGS)
{
	ScatterSearch search = {
		.rule = {
			.minimum = argument_count(fcinfo, 0, "minimum", 2, 1000000),
			.window = argument_duration(fcinfo, 1, "within"),
			.loss = argument_share(fcinfo, 2, "loss", 0.5)
		},
		.work = {argument_count(fcinfo, 3, "work", 1, PG_INT64_MAX), 0},
		.size = 1024
	};
	Transfers  *transfers = transfers_load(fcinfo);
	int			account;

	search.findings = findings_begin(fcinfo, transfers);
	search.sent = transfers_index(transfers, BY_SOURCE_AMOUNT_TARGET_TIME);
	search.routes = palloc(search.size * sizeof(Route));
	search.seen = palloc0((transfers->naccounts + 1) * sizeof(int));
	for (account = 0; account < transfers->naccounts; account++)
		search_account(&search, account);
	return (Datum) 0;
}
