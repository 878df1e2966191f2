/*
 * A batch takes a place of a ring while it is under way, and each place has a
 * request of the client.  An answer that another attempt may change is met by
 * another attempt, after a pause, without end: the points are safe where they
 * come from, in Kafka.
 */
#include "influx_sender.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "backoff.h"
#include "clock.h"
#include "influx_answer.h"
#include "log.h"
#include "trouble.h"

/* While one batch has the database created, others wait so long. */
#define CREATING_MS 50

typedef enum TransferStage
{
	TRANSFER_FILLING,
	TRANSFER_SENDING,
	TRANSFER_CREATING,			/* the database, first */
	TRANSFER_PAUSING,			/* until again_ms */
	TRANSFER_THROUGH
} TransferStage;

typedef struct Transfer
{
	TransferStage stage;
	InfluxBatch batch;
	int64_t		again_ms;
} Transfer;

struct InfluxSender
{
	InfluxClient *client;
	InfluxStats *stats;
	Transfer	transfers[INFLUX_REQUESTS];
	size_t		oldest;			/* place */
	size_t		under_way;		/* how many are not filling */
	size_t		limit;			/* points that a server takes at a time */
	bool		created;		/* the database, since the last success */
	Backoff		backoff;
	Trouble		trouble;
};

static Transfer *place(InfluxSender *sender, size_t number);
static void launch(InfluxSender *sender, Transfer *transfer);
static void settle(InfluxSender *sender, const InfluxResult *result);
static void settle_write(InfluxSender *sender, Transfer *transfer,
						 const InfluxResult *result);
static bool create_database(InfluxSender *sender, Transfer *transfer);
static void shrink(InfluxSender *sender, Transfer *transfer,
				   const InfluxAnswer *answer);
static void give_up(InfluxSender *sender, Transfer *transfer, size_t dropped,
					const InfluxAnswer *answer);
static void pass_stretch(InfluxSender *sender, Transfer *transfer,
						 size_t dropped);
static void pause_transfer(InfluxSender *sender, Transfer *transfer,
						   const char *reason, long status);
static void note_success(InfluxSender *sender);
static int	wait_ms(InfluxSender *sender, int64_t until_ms);

InfluxSender *
influx_sender_new(InfluxClient *client, InfluxStats *stats,
				  size_t batch_points, size_t slots)
{
	InfluxSender *sender = calloc(1, sizeof(*sender));

	if (sender == NULL)
		return NULL;
	sender->client = client;
	sender->stats = stats;
	sender->limit = batch_points;
	backoff_init(&sender->backoff, (uint64_t) clock_real_ms() ^
				 ((uint64_t) getpid() << 32));
	for (size_t i = 0; i < INFLUX_REQUESTS; i++)
		if (!influx_batch_init(&sender->transfers[i].batch, batch_points,
							   slots))
		{
			influx_sender_free(sender);
			return NULL;
		}
	return sender;
}

void
influx_sender_free(InfluxSender *sender)
{
	if (sender == NULL)
		return;
	for (size_t i = 0; i < INFLUX_REQUESTS; i++)
	{
		influx_client_cancel(sender->client, i);
		influx_batch_free(&sender->transfers[i].batch);
	}
	free(sender);
}

InfluxBatch *
influx_sender_filling(InfluxSender *sender)
{
	return sender->under_way == INFLUX_REQUESTS ? NULL :
		&place(sender, sender->under_way)->batch;
}

void
influx_sender_send(InfluxSender *sender)
{
	Transfer   *transfer = place(sender, sender->under_way++);

	influx_batch_begin(&transfer->batch, sender->limit);
	launch(sender, transfer);
}

const InfluxBatch *
influx_sender_through(const InfluxSender *sender)
{
	const Transfer *oldest = &sender->transfers[sender->oldest];

	return oldest->stage == TRANSFER_THROUGH ? &oldest->batch : NULL;
}

void
influx_sender_retire(InfluxSender *sender)
{
	Transfer   *transfer = &sender->transfers[sender->oldest];

	influx_batch_start(&transfer->batch);
	transfer->stage = TRANSFER_FILLING;
	sender->oldest = (sender->oldest + 1) % INFLUX_REQUESTS;
	sender->under_way--;
}

void
influx_sender_step(InfluxSender *sender, int64_t until_ms)
{
	int64_t		now_ms = clock_monotonic_ms();
	InfluxResult result;

	for (size_t i = 0; i < sender->under_way; i++)
	{
		Transfer   *transfer = place(sender, i);

		if (transfer->stage == TRANSFER_PAUSING &&
			now_ms >= transfer->again_ms)
			launch(sender, transfer);
	}
	if (influx_client_wait(sender->client, wait_ms(sender, until_ms),
						   &result))
		settle(sender, &result);
}

int64_t
influx_sender_points(const InfluxSender *sender)
{
	int64_t		points = 0;

	for (size_t i = 0; i < INFLUX_REQUESTS; i++)
		points += (int64_t) sender->transfers[i].batch.count;
	return points;
}

void
influx_stats_count(InfluxStats *stats, InfluxPointResult result,
				   int64_t points)
{
	if (points > 0)
		atomic_fetch_add(&stats->points[result], points);
}

/* The number counts from the oldest. */
static Transfer *
place(InfluxSender *sender, size_t number)
{
	return &sender->transfers[(sender->oldest + number) % INFLUX_REQUESTS];
}

static void
launch(InfluxSender *sender, Transfer *transfer)
{
	size_t		number = (size_t) (transfer - sender->transfers);
	const char *text;
	size_t		bytes;

	if (!influx_batch_stretch(&transfer->batch, &text, &bytes))
		transfer->stage = TRANSFER_THROUGH;
	else if (influx_client_write(sender->client, number, text, bytes))
		transfer->stage = TRANSFER_SENDING;
	else
		pause_transfer(sender, transfer, "out of memory", 0);
}

static void
settle(InfluxSender *sender, const InfluxResult *result)
{
	Transfer   *transfer = &sender->transfers[result->request];

	if (transfer->stage == TRANSFER_CREATING)
	{
		if (result->status < 200 || result->status >= 300)
		{
			pause_transfer(sender, transfer, "could not create the database",
						   result->status);
			return;
		}
		log_write(LOG_LEVEL_INFO, "database created in InfluxDB", NULL);
		launch(sender, transfer);
	}
	else if (result->status == 0)
		pause_transfer(sender, transfer, result->text, 0);
	else
		settle_write(sender, transfer, result);
}

static void
settle_write(InfluxSender *sender, Transfer *transfer, const InfluxResult *result)
{
	size_t		points = influx_batch_stretch_points(&transfer->batch);
	InfluxAnswer answer = influx_answer_judge(result->status, result->text,
											  points);

	switch (answer.verdict)
	{
		case INFLUX_STORED:
			pass_stretch(sender, transfer, 0);
			return;
		case INFLUX_STORED_PARTLY:
			give_up(sender, transfer, answer.dropped, &answer);
			return;
		case INFLUX_REFUSED:
			if (influx_batch_refuse(&transfer->batch))
				launch(sender, transfer);
			else
				give_up(sender, transfer,
						influx_batch_stretch_points(&transfer->batch),
						&answer);
			return;
		case INFLUX_TOO_LARGE:
			shrink(sender, transfer, &answer);
			return;
		case INFLUX_NO_DATABASE:
			if (create_database(sender, transfer))
				return;
			break;
		case INFLUX_RETRY:
			if (result->status == 401 || result->status == 403)
				influx_client_renew(sender->client);
			break;
	}
	pause_transfer(sender, transfer, answer.reason, result->status);
}

/*
 * Once: another 404 must have another reason, unless it was answered before,
 * to another batch.
 */
static bool
create_database(InfluxSender *sender, Transfer *transfer)
{
	size_t		number = (size_t) (transfer - sender->transfers);

	for (size_t i = 0; i < INFLUX_REQUESTS; i++)
		if (sender->transfers[i].stage == TRANSFER_CREATING)
		{
			transfer->stage = TRANSFER_PAUSING;
			transfer->again_ms = clock_monotonic_ms() + CREATING_MS;
			return true;
		}
	if (sender->created || !influx_client_can_create(sender->client) ||
		!influx_client_create(sender->client, number))
		return false;
	sender->created = true;
	transfer->stage = TRANSFER_CREATING;
	return true;
}

/* Later batches are sent in pieces of this size at once. */
static void
shrink(InfluxSender *sender, Transfer *transfer, const InfluxAnswer *answer)
{
	if (!influx_batch_halve(&transfer->batch))
	{
		give_up(sender, transfer, 1, answer);
		return;
	}
	sender->limit = influx_batch_stretch_points(&transfer->batch);
	launch(sender, transfer);
}

static void
give_up(InfluxSender *sender, Transfer *transfer, size_t dropped,
		const InfluxAnswer *answer)
{
	int64_t		suppressed;

	/* texts are constants: their address tells them apart */
	if (dropped > 0 &&
		trouble_is_due(&sender->trouble, (int) (intptr_t) answer->reason,
					   clock_monotonic_ms(), &suppressed))
		log_write(LOG_LEVEL_WARNING, "InfluxDB refused points",
				  "points=%zu reason=%s suppressed=%" PRId64, dropped,
				  log_quote(answer->reason, (char[128]) {0}, 128),
				  suppressed);
	pass_stretch(sender, transfer, dropped);
}

static void
pass_stretch(InfluxSender *sender, Transfer *transfer, size_t dropped)
{
	size_t		points = influx_batch_stretch_points(&transfer->batch);

	influx_stats_count(sender->stats, INFLUX_RESULT_STORED, (int64_t) (points - dropped));
	influx_stats_count(sender->stats, INFLUX_RESULT_REFUSED, (int64_t) dropped);
	note_success(sender);
	influx_batch_pass(&transfer->batch, sender->limit);
	launch(sender, transfer);
}

/* reason and status are told again once a minute. */
static void
pause_transfer(InfluxSender *sender, Transfer *transfer, const char *reason,
			   long status)
{
	int64_t		now_ms = clock_monotonic_ms();

	transfer->stage = TRANSFER_PAUSING;
	transfer->again_ms = now_ms + backoff_next(&sender->backoff);
	atomic_fetch_add(&sender->stats->retries, 1);
	if (atomic_load(&sender->stats->failing_ms) == 0)
		atomic_store(&sender->stats->failing_ms, now_ms);
	if (backoff_is_news(&sender->backoff, reason, now_ms))
		log_write(LOG_LEVEL_WARNING, "InfluxDB takes no points, retrying",
				  "status=%ld reason=%s lag=%" PRIdFAST64, status,
				  log_quote(reason, (char[256]) {0}, 256),
				  atomic_load(&sender->stats->lag));
}

static void
note_success(InfluxSender *sender)
{
	int64_t		since_ms = atomic_load(&sender->stats->failing_ms);

	sender->created = false;
	if (since_ms == 0)
		return;
	log_write(LOG_LEVEL_INFO, "InfluxDB takes points again",
			  "seconds=%" PRId64, (clock_monotonic_ms() - since_ms) / 1000);
	atomic_store(&sender->stats->failing_ms, 0);
	backoff_reset(&sender->backoff);
}

/* No longer than until a pause is over. */
static int
wait_ms(InfluxSender *sender, int64_t until_ms)
{
	int64_t		now_ms = clock_monotonic_ms();

	for (size_t i = 0; i < sender->under_way; i++)
	{
		const Transfer *transfer = place(sender, i);

		if (transfer->stage == TRANSFER_PAUSING &&
			transfer->again_ms < until_ms)
			until_ms = transfer->again_ms;
	}
	return until_ms > now_ms ? (int) (until_ms - now_ms) : 0;
}
