/*
 * Page by page, in the order of the primary key.  A page is replayed in one
 * database transaction, by fintrans_replay_dead_letters(), which takes all of
 * it or nothing; when the database refuses it, it is halved until the letters
 * at fault are alone.
 */
#include "dead_letters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array_text.h"
#include "clock.h"
#include "intake.h"
#include "session.h"

#define DAY_US (INT64_C(24) * 60 * 60 * 1000 * 1000)

/* Letters that are held at a time. */
#define PAGE_LETTERS 500

/* One per column of a replayed transaction. */
enum
{
	ARRAY_TOPIC,
	ARRAY_PARTITION,
	ARRAY_OFFSET,
	ARRAY_SOURCE,
	ARRAY_TARGET,
	ARRAY_AMOUNT,
	ARRAY_REFERENCE,
	ARRAY_DAY,					/* of the event time, since 1970 */
	ARRAY_TIME,					/* microseconds of that day */
	ARRAYS
};

/* Columns of a page. */
enum
{
	COLUMN_TOPIC,
	COLUMN_PARTITION,
	COLUMN_OFFSET,
	COLUMN_PAYLOAD,				/* in hex; NULL for none, or when too long */
	COLUMN_BYTES,				/* NULL for none */
	COLUMN_TIME					/* ms; NULL for none */
};

typedef struct Letter
{
	char		topic[TOPIC_MAX_BYTES + 1];
	int32_t		partition;
	BatchMessage message;		/* its payload is the letter's own */
} Letter;

/* One run. */
typedef struct Run
{
	const DeadLettersSettings *settings;
	Session    *session;
	Intake		intake;
	TopicList	topics;
	Letter		letters[PAGE_LETTERS];
	size_t		count;
	ArrayText	arrays[ARRAYS];
	int64_t		replayed;		/* or would be */
	int64_t		gone;			/* replayed or purged by somebody else */
	int64_t		left[FINTRANS_VERDICTS];
} Run;

static bool open_run(Run *run, char *errstr, size_t errstr_size);
static void close_run(Run *run);
static bool prepare(Run *run, char *errstr, size_t errstr_size);
static bool read_page(Run *run, bool *more, char *errstr, size_t errstr_size);
static bool keep_letter(Run *run, int row);
static void *decode_hex(const char *hex, size_t bytes);
static void empty_page(Run *run);
static bool work_off(Run *run, char *errstr, size_t errstr_size);
static bool replay(Run *run, const size_t *chosen, size_t count,
				   char *errstr, size_t errstr_size);
static Outcome call_replay(Run *run, const size_t *chosen, size_t count);
static void add_to_arrays(Run *run, const Letter *letter);
static void add_bytes(ArrayText *array, const char *text, size_t bytes);
static void add_time(ArrayText *day, ArrayText *time_of_day,
					 const EventTime *time);
static void add_amount(ArrayText *array, const RecordAmount *amount);
static bool is_letters_fault(const DatabaseError *error);
static RecordVerdict judge(const Run *run, const Letter *letter,
						   Record *record);
static void print_result(const Run *run);
static bool fail(Run *run, char *errstr, size_t errstr_size);

bool
dead_letters_run(const DeadLettersSettings *settings, char *errstr,
				 size_t errstr_size)
{
	Run		   *run = calloc(1, sizeof(*run));
	bool		more = true;
	bool		succeeded;

	if (run == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		return false;
	}
	run->settings = settings;
	succeeded = open_run(run, errstr, errstr_size);
	while (succeeded && more && !*settings->stop)
		succeeded = read_page(run, &more, errstr, errstr_size) &&
			work_off(run, errstr, errstr_size);
	/* of a run that failed only what stays */
	if (succeeded || (settings->replay && run->replayed > 0))
		print_result(run);
	close_run(run);
	return succeeded;
}

static bool
open_run(Run *run, char *errstr, size_t errstr_size)
{
	const TimeRange *range = &run->settings->time_range;
	int64_t		now_ms = clock_real_ms();

	run->intake.time_from_ms = time_spec_resolve(&range->from, now_ms);
	run->intake.time_to_ms = time_spec_resolve(&range->to, now_ms);
	if (!topic_list_read(&run->topics, run->settings->topics, errstr,
						 errstr_size))
		return false;
	/* without a currency: it is not to be claimed here */
	run->session = session_new(run->settings->database, NULL);
	if (run->session == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		return false;
	}
	return prepare(run, errstr, errstr_size);
}

static void
close_run(Run *run)
{
	empty_page(run);
	for (int i = 0; i < ARRAYS; i++)
		array_text_free(&run->arrays[i]);
	topic_list_free(&run->topics);
	session_free(run->session);
	free(run);
}

static bool
prepare(Run *run, char *errstr, size_t errstr_size)
{
	const char *wanted = run->settings->currency;
	const char *currency;

	run->intake.codec = run->settings->codec;
	if (session_connect(run->session) != OUTCOME_DONE)
		return fail(run, errstr, errstr_size);
	currency = session_currency(run->session);
	if (wanted != NULL && strcmp(wanted, currency) != 0)
	{
		snprintf(errstr, errstr_size, "the installation's currency is %s, not"
				 " %s", *currency != '\0' ? currency : "not set", wanted);
		return false;
	}
	return codec_set_currency(run->intake.codec,
							  *currency != '\0' ? currency : NULL, errstr,
							  errstr_size);
}

/* The letters after those of the page before. */
static bool
read_page(Run *run, bool *more, char *errstr, size_t errstr_size)
{
	const Letter *last = run->count > 0 ? &run->letters[run->count - 1] : NULL;
	char		partition[16] = "-1";
	char		offset[24] = "-1";
	const char *parameters[] = {
		NULL, last != NULL ? last->topic : "", partition, offset
	};
	ArrayText  *topics = &run->arrays[ARRAY_TOPIC];
	char		sql[SESSION_SQL_BYTES];

	if (last != NULL)
	{
		snprintf(partition, sizeof(partition), "%" PRId32, last->partition);
		snprintf(offset, sizeof(offset), "%" PRId64, last->message.offset);
	}
	array_text_reset(topics);
	for (size_t i = 0; i < run->topics.count; i++)
		array_text_add_text(topics, run->topics.names[i]);
	parameters[0] = array_text_finish(topics);
	snprintf(sql, sizeof(sql),
			 "SELECT topic, kafka_partition, kafka_offset,"
			 " CASE WHEN octet_length(payload) <= %d"
			 " THEN encode(payload, 'hex') END, octet_length(payload),"
			 " (extract(epoch FROM event_time) * 1000)::int8"
			 " FROM %s.fintrans_dead_letters WHERE topic = ANY ($1::text[])"
			 " AND (topic, kafka_partition, kafka_offset)"
			 " > ($2, $3::int4, $4::int8)"
			 " ORDER BY topic, kafka_partition, kafka_offset LIMIT %d",
			 RECORD_MAX_BYTES, session_schema(run->session), PAGE_LETTERS);
	if (parameters[0] == NULL ||
		session_run(run->session, sql, parameters, 4) != OUTCOME_DONE)
		return fail(run, errstr, errstr_size);
	empty_page(run);
	for (int row = 0; row < database_rows(session_database(run->session));
		 row++)
		if (!keep_letter(run, row))
		{
			snprintf(errstr, errstr_size, "out of memory");
			return false;
		}
	*more = run->count == PAGE_LETTERS;
	return true;
}

/* False when memory is short. */
static bool
keep_letter(Run *run, int row)
{
	const Database *database = session_database(run->session);
	Letter	   *letter = &run->letters[run->count];
	const char *hex = database_value(database, row, COLUMN_PAYLOAD);
	const char *bytes = database_value(database, row, COLUMN_BYTES);
	const char *ms = database_value(database, row, COLUMN_TIME);

	memset(letter, 0, sizeof(*letter));
	snprintf(letter->topic, sizeof(letter->topic), "%s",
			 database_value(database, row, COLUMN_TOPIC));
	letter->partition =
		(int32_t) strtol(database_value(database, row, COLUMN_PARTITION),
						 NULL, 10);
	letter->message.offset =
		strtoll(database_value(database, row, COLUMN_OFFSET), NULL, 10);
	letter->message.has_event_time = ms != NULL;
	if (ms != NULL)
		letter->message.event_time_ms = strtoll(ms, NULL, 10);
	if (bytes != NULL)
		letter->message.payload_bytes = (size_t) strtoull(bytes, NULL, 10);
	if (hex != NULL)
		letter->message.payload = decode_hex(hex,
											 letter->message.payload_bytes);
	if (hex != NULL && letter->message.payload == NULL)
		return false;
	run->count++;
	return true;
}

/* As the server writes it: pairs of lower-case digits.  NULL without memory. */
static void *
decode_hex(const char *hex, size_t bytes)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char *decoded = malloc(bytes + 1);

	for (size_t i = 0; decoded != NULL && i < bytes; i++)
		decoded[i] = (unsigned char)
			((strchr(digits, hex[2 * i]) - digits) * 16 +
			 (strchr(digits, hex[2 * i + 1]) - digits));
	return decoded;
}

static void
empty_page(Run *run)
{
	for (size_t i = 0; i < run->count; i++)
		free((void *) run->letters[i].message.payload);
	run->count = 0;
}

/* Letters that still cannot be read are counted, and stay. */
static bool
work_off(Run *run, char *errstr, size_t errstr_size)
{
	size_t		chosen[PAGE_LETTERS];
	size_t		count = 0;

	for (size_t i = 0; i < run->count; i++)
	{
		Record		record;
		RecordVerdict verdict = judge(run, &run->letters[i], &record);

		if (verdict == FINTRANS_ACCEPTED)
			chosen[count++] = i;
		else
			run->left[verdict]++;
	}
	if (run->settings->replay && count > 0)
		return replay(run, chosen, count, errstr, errstr_size);
	run->replayed += (int64_t) count;
	return true;
}

static bool
replay(Run *run, const size_t *chosen, size_t count, char *errstr,
	   size_t errstr_size)
{
	size_t		half = count / 2;

	if (call_replay(run, chosen, count) == OUTCOME_DONE)
	{
		run->replayed += (int64_t) count;
		return true;
	}
	if (!is_letters_fault(session_error(run->session)))
		return fail(run, errstr, errstr_size);
	if (count > 1)
		return replay(run, chosen, half, errstr, errstr_size) &&
			replay(run, chosen + half, count - half, errstr, errstr_size);
	/* no_data_found: it is not there any more */
	if (strcmp(session_error(run->session)->sqlstate, "P0002") == 0)
		run->gone++;
	else
		run->left[FINTRANS_REJECT_REFUSED]++;
	return true;
}

static Outcome
call_replay(Run *run, const size_t *chosen, size_t count)
{
	const char *parameters[ARRAYS];
	char		sql[SESSION_SQL_BYTES];

	for (int i = 0; i < ARRAYS; i++)
		array_text_reset(&run->arrays[i]);
	for (size_t i = 0; i < count; i++)
		add_to_arrays(run, &run->letters[chosen[i]]);
	for (int i = 0; i < ARRAYS; i++)
	{
		parameters[i] = array_text_finish(&run->arrays[i]);
		if (parameters[i] == NULL)
			return session_fail(run->session, OUTCOME_FATAL, "out of memory");
	}
	snprintf(sql, sizeof(sql),
			 "SELECT %1$s.fintrans_replay_dead_letters(array_agg("
			 "ROW('epoch'::timestamptz + l.day * interval '24 hours'"
			 " + l.time * interval '1 microsecond',"
			 " l.topic, l.source, l.target, l.amount, l.reference,"
			 " l.kafka_partition, l.kafka_offset)"
			 "::%1$s.fintrans_transactions))"
			 " FROM unnest($1::text[], $2::int4[], $3::int8[], $4::text[],"
			 " $5::text[], $6::numeric[], $7::text[], $8::int4[], $9::int8[])"
			 " AS l (topic, kafka_partition, kafka_offset, source, target,"
			 " amount, reference, day, time)",
			 session_schema(run->session));
	return session_run(run->session, sql, parameters, ARRAYS);
}

/* It has been judged, and accepted. */
static void
add_to_arrays(Run *run, const Letter *letter)
{
	ArrayText  *arrays = run->arrays;
	Record		record;

	if (judge(run, letter, &record) != FINTRANS_ACCEPTED)
		return;
	array_text_add_text(&arrays[ARRAY_TOPIC], letter->topic);
	array_text_add_integer(&arrays[ARRAY_PARTITION], letter->partition);
	array_text_add_integer(&arrays[ARRAY_OFFSET], letter->message.offset);
	add_bytes(&arrays[ARRAY_SOURCE], record.source_account,
			  record.source_bytes);
	add_bytes(&arrays[ARRAY_TARGET], record.target_account,
			  record.target_bytes);
	add_amount(&arrays[ARRAY_AMOUNT], &record.amount);
	if (record.reference != NULL)
		add_bytes(&arrays[ARRAY_REFERENCE], record.reference,
				  record.reference_bytes);
	else
		array_text_add_null(&arrays[ARRAY_REFERENCE]);
	add_time(&arrays[ARRAY_DAY], &arrays[ARRAY_TIME], &record.time);
}

/*
 * An interval is multiplied in floating point, in which the microseconds of a
 * day are exact, but not those since 1970.
 */
static void
add_time(ArrayText *day, ArrayText *time_of_day, const EventTime *time)
{
	int32_t		number = time_spec_day(event_time_ms(time));

	array_text_add_integer(day, number);
	array_text_add_integer(time_of_day, time->us - number * DAY_US);
}

/* Of an account or a reference. */
static void
add_bytes(ArrayText *array, const char *text, size_t bytes)
{
	char		copy[FINTRANS_ACCOUNT_MAX_BYTES + FINTRANS_REFERENCE_MAX_BYTES];

	memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	array_text_add_text(array, copy);
}

static void
add_amount(ArrayText *array, const RecordAmount *amount)
{
	char		text[FINTRANS_AMOUNT_INTEGER_DIGITS +
					 FINTRANS_AMOUNT_DECIMALS + 4];

	snprintf(text, sizeof(text), "0%.*s%s%.*s", amount->integer_digits,
			 amount->integer_digits > 0 ? amount->integer : "",
			 amount->decimal_digits > 0 ? "." : "", amount->decimal_digits,
			 amount->decimal_digits > 0 ? amount->decimals : "");
	array_text_add_text(array, text);
}

/*
 * Data that a constraint or a type refuses, or a letter that is not there; not
 * a server that is not as it should be.
 */
static bool
is_letters_fault(const DatabaseError *error)
{
	return strncmp(error->sqlstate, "22", 2) == 0 ||
		strcmp(error->sqlstate, "23514") == 0 ||
		strcmp(error->sqlstate, "P0002") == 0;
}

static RecordVerdict
judge(const Run *run, const Letter *letter, Record *record)
{
	const BatchMessage *message = &letter->message;
	char		text[RECORD_DETAIL_BYTES];
	const RecordDetail detail = {text, sizeof(text)};

	/* then it was not read from the table */
	if (message->payload_bytes > RECORD_MAX_BYTES)
		return FINTRANS_REJECT_TOO_LONG;
	return intake_judge(&run->intake, message, record, &detail);
}

static void
print_result(const Run *run)
{
	printf("%-16s %12" PRId64 "\n",
		   run->settings->replay ? "replayed" : "can be replayed",
		   run->replayed);
	if (run->gone > 0)
		printf("%-16s %12" PRId64 "\n", "gone meanwhile", run->gone);
	for (int i = FINTRANS_ACCEPTED + 1; i < FINTRANS_VERDICTS; i++)
		if (run->left[i] > 0)
			printf("%-16s %12" PRId64 "\n",
				   record_reason((RecordVerdict) i), run->left[i]);
	fflush(stdout);
}

/* Always false. */
static bool
fail(Run *run, char *errstr, size_t errstr_size)
{
	snprintf(errstr, errstr_size, "%s", session_error(run->session)->text);
	return false;
}
