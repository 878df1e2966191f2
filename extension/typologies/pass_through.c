/*
 * fintrans_pass_through(): what came into an account left it again soon.
 *
 * An episode begins with a transfer into the account and ends with one out of
 * it.  In between nearly as much has left as came in, and at no time more.  An
 * amount that the account sends at other times as well is what it always
 * sends, and has nothing to do with what came in.
 */
#include "postgres.h"

#include "arguments.h"
#include "findings.h"
#include "work.h"

PG_FUNCTION_INFO_V1(fintrans_pass_through);

/* Sums of compared amounts are off by less than this share. */
#define ROUNDING 1e-9

typedef struct PassRule
{
	int			minimum;		/* transfers in */
	int64		window;			/* microseconds */
	double		share;			/* of what came in, that has to leave */
} PassRule;

/* What an account received and sent, each sorted by time. */
typedef struct Flows
{
	Transfer  **in;
	Transfer  **out;
	int			nin;
	int			nout;
	Transfer  **all_out;		/* what it sent in the whole period */
	int			all_nout;
} Flows;

/* How far the longest episode goes that begins with a certain transfer in. */
typedef struct Episode
{
	int			nin;			/* 0 if there is none */
	int			nout;
} Episode;

static Episode
find_episode(const Flows *flows, const PassRule *rule, Work *work)
{
	Episode		episode = {0, 0};
	TimestampTz begin = flows->in[0]->time;
	double		came = 0;
	double		left = 0;
	int			i = 0;
	int			j;

	for (j = 0; j < flows->nout; j++)
	{
		TimestampTz now = flows->out[j]->time;

		if (now - begin >= rule->window)
			break;
		for (; i < flows->nin && flows->in[i]->time <= now; i++)
		{
			work_step(work);
			came += flows->in[i]->amount;
		}
		work_step(work);
		left += flows->out[j]->amount;
		if (left > came * (1 + ROUNDING))
			break;
		if (i >= rule->minimum && left >= came * rule->share * (1 - ROUNDING))
			episode = (Episode) {i, j + 1};
	}
	return episode;
}

/* Is one of the amounts sent in the episode also sent outside of it? */
static bool
is_habitual(const Flows *flows, const Episode *episode, Work *work)
{
	Transfer  **end = flows->out + episode->nout;
	int			i;
	int			j;

	for (i = 0; i < flows->all_nout; i++)
	{
		Transfer  **other = flows->all_out + i;

		if (other >= flows->out && other < end)
			continue;
		for (j = 0; j < episode->nout; j++)
		{
			work_step(work);
			if (flows->out[j]->amount == (*other)->amount)
				return true;
		}
	}
	return false;
}

static void
add_episode(Findings *findings, const Flows *flows, const Episode *episode)
{
	int			count = episode->nin + episode->nout;
	Transfer  **evidence = palloc(count * sizeof(Transfer *));
	Finding		finding = {
		.pattern = "pass-through",
		.accounts = palloc((2 * count + 1) * sizeof(int)),
		.naccounts = 1,
		.evidence = evidence,
		.count = count
	};

	memcpy(evidence, flows->in, episode->nin * sizeof(Transfer *));
	memcpy(evidence + episode->nin, flows->out,
		   episode->nout * sizeof(Transfer *));
	finding.accounts[0] = flows->in[0]->target;
	finding_collect_accounts(&finding);
	findings_add(findings, &finding,
				 "what %s received in %d transfers left it again in %d, %s",
				 findings_account(findings, finding.accounts[0]),
				 episode->nin, episode->nout,
				 findings_span(findings, &finding));
	pfree(finding.accounts);
	pfree(evidence);
}

/* Move on by so many transfers in, and past what left before the next one. */
static void
advance(Flows *flows, int nin, int nout)
{
	flows->in += nin;
	flows->nin -= nin;
	flows->out += nout;
	flows->nout -= nout;
	while (flows->nin > 0 && flows->nout > 0 &&
		   flows->out[0]->time < flows->in[0]->time)
	{
		flows->out++;
		flows->nout--;
	}
}

/* (minimum, within, share, work, since, before) */
Datum
fintrans_pass_through(PG_FUNCTION_ARGS)
{
	PassRule	rule = {
		.minimum = argument_count(fcinfo, 0, "minimum", 1, 1000000),
		.window = argument_duration(fcinfo, 1, "within"),
		.share = argument_number(fcinfo, 2, "share", 0.01, 1)
	};
	Work		work = {argument_count(fcinfo, 3, "work", 1, PG_INT64_MAX), 0};
	Transfers  *transfers = transfers_load(fcinfo);
	TransferIndex received = transfers_index(transfers, BY_TARGET_TIME);
	TransferIndex sent = transfers_index(transfers, BY_SOURCE_TIME);
	Findings   *findings = findings_begin(fcinfo, transfers);
	int			account;

	for (account = 0; account < transfers->naccounts; account++)
	{
		int			in = received.starts[account];
		int			out = sent.starts[account];
		Flows		flows = {
			.in = received.items + in,
			.nin = received.starts[account + 1] - in,
			.out = sent.items + out,
			.nout = sent.starts[account + 1] - out,
			.all_out = sent.items + out,
			.all_nout = sent.starts[account + 1] - out
		};

		advance(&flows, 0, 0);
		while (flows.nin >= rule.minimum && flows.nout > 0)
		{
			Episode		episode = find_episode(&flows, &rule, &work);

			if (episode.nin > 0 && is_habitual(&flows, &episode, &work))
				episode.nin = episode.nout = 0;
			if (episode.nin > 0)
				add_episode(findings, &flows, &episode);
			advance(&flows, Max(episode.nin, 1), episode.nout);
		}
	}
	return (Datum) 0;
}
