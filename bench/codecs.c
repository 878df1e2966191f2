/*
 * For bench/codecs.sh: how many messages a second become rows in COPY's binary
 * form, which is all that the bridge does with one but for fetching and
 * sending it.
 *
 *	codecs rows SHAPE ROWS DIRECTORY
 *		Writes the rows to DIRECTORY/0, 1 ... and prints thousands of messages
 *		a second, the number of files and the sum of the amounts, which is
 *		added up where they are made.
 *	codecs bytes SHAPE BYTES
 *		Prints nanoseconds per byte of a message so long that is built to be
 *		slow.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "batch.h"
#include "intake.h"

/* Different messages, which are taken again and again. */
#define MESSAGES 10000
#define MESSAGE_BYTES 400

#define BATCH_ROWS 100000
#define BATCH_BYTES ((size_t) 64 << 20)

#define HOSTILE_ROUNDS 256

/* What the format and its messages are. */
typedef struct Shape
{
	const char *name;
	CodecSettings settings;
	const char *pattern;		/* of source, target, whole and hundredths of
								 * the amount, and number, in this order */
	bool		is_bank;		/* accounts are IBANs, amounts have decimals */
} Shape;

typedef struct Hostile
{
	const char *name;
	const char *format;
	const char *head;
	const char *piece;			/* again and again */
	const char *tail;
} Hostile;

#define BANK_FIELDS \
	"source=payload.debtor.account,target=payload.creditor.account," \
	"amount=payload.amount.value,reference=id,time=bookedAt"

static const Shape shapes[] = {
	{"text", {.format = "text"}, "%s %s %u", false},
	{"json", {.format = "json"},
		"{\"source\":\"%s\",\"target\":\"%s\",\"amount\":%u}", false},
	{"csv", {.format = "csv"}, "%s,%s,%u", false},
	{"bank.text", {.format = "text"}, "%s %s %u.%02u", true},
	{"bank.json", {.format = "json",.fields = BANK_FIELDS},
		"{\"payload\":{\"debtor\":{\"account\":\"%s\",\"name\":\"A. Person\"},"
		"\"creditor\":{\"account\":\"%s\",\"name\":\"Some Company\"},"
		"\"amount\":{\"value\":%u.%02u,\"currency\":\"EUR\"}},"
		"\"id\":\"2026-11-27/%06u\",\"bookedAt\":\"2026-11-27T08:15:30.123Z\"}",
	true},
	{"bank.csv", {.format = "csv",.csv_header = "from,to,amount,id,at",
			.fields = "source=from,target=to,amount=amount,reference=id,time=at"},
		"\"%s\",\"%s\",%u.%02u,2026-11-27/%06u,2026-11-27T08:15:30.123Z", true}
};

static const Hostile hostiles[] = {
	{"escapes", "json", "{\"x\":\"", "\\n", "\"}"},
	{"pairs", "json", "{\"x\":\"", "\\ud83d\\udcb0", "\"}"},
	{"texts", "json", "{\"x\":[\"\\n\"", ",\"\\n\"", "]}"},
	{"members", "json", "{\"x\":1", ",\"amount.\":1", "}"},
	{"objects", "json", "{\"x\":[{}", ",{\"a\":{}}", "]}"},
	{"digits", "json", "{\"amount\":1", "1", "}"},
	{"columns", "csv", "a", ",a", ""},
	{"quotes", "csv", "\"", "\"\"", "\""},
	{"records", "csv", "a", "\na", ""}
};

static char payloads[MESSAGES][MESSAGE_BYTES];
static size_t lengths[MESSAGES];

static void
fail(const char *reason)
{
	fprintf(stderr, "codecs: %s\n", reason);
	exit(1);
}

static double
seconds(clockid_t of)
{
	struct timespec now;

	clock_gettime(of, &now);
	return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static Codec *
open_codec(const CodecSettings *settings)
{
	char		errstr[256];
	Codec	   *codec = codec_open(settings, errstr, sizeof(errstr));

	if (codec == NULL)
		fail(errstr);
	return codec;
}

/* Their sum, in hundredths, when each is taken once. */
static uint64_t
make_messages(const Shape *shape)
{
	uint64_t	sum = 0;

	srand48(6);
	for (unsigned i = 0; i < MESSAGES; i++)
	{
		char		source[40];
		char		target[40];
		unsigned	whole = (unsigned) (lrand48() % 10000);
		unsigned	hundredths = shape->is_bank ?
			(unsigned) (lrand48() % 100) : 0;
		const char *form = shape->is_bank ? "DE8937040044%010ld" : "%ld";

		snprintf(source, sizeof(source), form, lrand48() % 1000);
		snprintf(target, sizeof(target), form, lrand48() % 1000);
		lengths[i] = (size_t) snprintf(payloads[i], MESSAGE_BYTES,
									   shape->pattern, source, target, whole,
									   hundredths, i);
		sum += 100 * (uint64_t) whole + hundredths;
	}
	return sum;
}

static void
write_batch(Batch *batch, const char *directory, int number)
{
	char		path[1000];
	FILE	   *file;

	snprintf(path, sizeof(path), "%s/%d", directory, number);
	file = fopen(path, "w");
	if (!copy_put_trailer(&batch->rows) || file == NULL ||
		fwrite(batch->rows.data, 1, batch->rows.used, file) !=
		batch->rows.used || fclose(file) != 0)
		fail("could not write a file of rows");
}

/* Seconds it takes to add so many messages to an empty batch. */
static double
fill(const Intake *intake, Batch *batch, int64_t rows)
{
	RecordVerdict verdict;
	BatchMessage message = {
		.has_event_time = true,.event_time_ms = INT64_C(1795766400000)
	};
	double		start;

	if (!batch_start(batch, 1))
		fail("out of memory");
	batch_set_position(batch, 0, "London", 0, 0, &(MessageMark) {0}, "");
	start = seconds(CLOCK_MONOTONIC);
	for (; message.offset < rows; message.offset++)
	{
		message.payload = payloads[message.offset % MESSAGES];
		message.payload_bytes = lengths[message.offset % MESSAGES];
		if (intake_add(intake, batch, 0, &message, &verdict) != BATCH_ADDED)
			fail("a batch is full");
	}
	if (batch->row_count != rows)
		fail("a message has become no row");
	return seconds(CLOCK_MONOTONIC) - start;
}

static void
measure_rows(const char *name, int64_t rows, const char *directory)
{
	size_t		i = 0;
	Intake		intake = {.time_from_ms = INT64_MIN,.time_to_ms = INT64_MAX};
	Batch		batch;
	uint64_t	sum;
	double		took = 0;
	int			files = (int) (rows / BATCH_ROWS);

	while (i < sizeof(shapes) / sizeof(shapes[0]) &&
		   strcmp(shapes[i].name, name) != 0)
		i++;
	if (i == sizeof(shapes) / sizeof(shapes[0]) || rows % BATCH_ROWS != 0 ||
		!batch_init(&batch, BATCH_ROWS, BATCH_BYTES))
		fail("no such shape, or rows are no multiple of 100000");
	intake.codec = open_codec(&shapes[i].settings);
	sum = make_messages(&shapes[i]) * (uint64_t) (rows / MESSAGES);
	/* once before, so that memory is there */
	fill(&intake, &batch, BATCH_ROWS);
	for (int file = 0; file < files; file++)
	{
		took += fill(&intake, &batch, BATCH_ROWS);
		write_batch(&batch, directory, file);
	}
	printf("%.1f %d %" PRIu64 ".%02" PRIu64 "\n", (double) rows / took / 1000,
		   files, sum / 100, sum % 100);
	codec_close(intake.codec);
	batch_free(&batch);
}

static size_t
append(char *text, size_t at, const char *piece)
{
	memcpy(text + at, piece, strlen(piece));
	return at + strlen(piece);
}

static void
measure_bytes(const char *name, size_t bytes)
{
	static char payload[RECORD_MAX_BYTES];
	char		text[RECORD_DETAIL_BYTES];
	const RecordDetail detail = {text, sizeof(text)};
	const Hostile *hostile = hostiles;
	size_t		at;
	Codec	   *codec;
	Record		record;
	double		start;

	while (strcmp(hostile->name, name) != 0)
		if (++hostile == hostiles + sizeof(hostiles) / sizeof(hostiles[0]))
			fail("no such shape");
	if (bytes > sizeof(payload))
		fail("too many bytes");
	codec = open_codec(&(CodecSettings) {.format = hostile->format});
	at = append(payload, 0, hostile->head);
	while (at + strlen(hostile->piece) + strlen(hostile->tail) <= bytes)
		at = append(payload, at, hostile->piece);
	at = append(payload, at, hostile->tail);
	start = seconds(CLOCK_THREAD_CPUTIME_ID);
	for (int i = 0; i < HOSTILE_ROUNDS; i++)
		codec_decode(codec, payload, at, &record, &detail);
	printf("%.3f\n", (seconds(CLOCK_THREAD_CPUTIME_ID) - start) /
		   HOSTILE_ROUNDS / (double) at * 1e9);
	codec_close(codec);
}

int
main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "rows") == 0)
		measure_rows(argv[2], strtoll(argv[3], NULL, 10), argv[4]);
	else if (argc == 4 && strcmp(argv[1], "bytes") == 0)
		measure_bytes(argv[2], strtoul(argv[3], NULL, 10));
	else
		fail("usage: codecs rows SHAPE ROWS DIRECTORY | bytes SHAPE BYTES");
	return 0;
}
