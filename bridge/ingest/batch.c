/*
 * Fills a batch.  A message is added whole or not at all: what its fields
 * wrote before the buffer was full is taken back, and progress moves last.
 */
#include "batch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "time_spec.h"
#include "topic_list.h"

/* Columns by number, and how many there are. */
enum
{
#define X(column, type) TRANSACTION_##column,
	FINTRANS_TRANSACTION_COLUMNS(X)
#undef X
	TRANSACTION_COLUMNS
};

enum
{
#define X(column, type) DEAD_LETTER_##column,
	FINTRANS_DEAD_LETTER_COLUMNS(X)
#undef X
	DEAD_LETTER_COLUMNS
};

/*
 * More than any row takes: its texts, and less than 128 bytes for the lengths
 * and the other fields.
 */
#define ROW_MAX_BYTES \
	(TOPIC_MAX_BYTES + 2 * FINTRANS_ACCOUNT_MAX_BYTES + \
	 FINTRANS_REFERENCE_MAX_BYTES + 128)

/* More than the payload of any row takes. */
#define PAYLOAD_MAX_BYTES (RECORD_MAX_BYTES + 16)

/* The same for a dead letter, but for its payload. */
#define DEAD_LETTER_MAX_BYTES (TOPIC_MAX_BYTES + RECORD_DETAIL_BYTES + 256)

/* Dead letters are few as a rule: their buffer begins small. */
#define DEAD_LETTERS_FIRST_BYTES ((size_t) 1 << 20)

static bool allocate(CopyBuffer *buffer, size_t size);
static void empty(Batch *batch);
static bool reserve_slots(Batch *batch, size_t slots);
static bool reserve_dead_letter(Batch *batch, size_t bytes);
static bool note_day(Batch *batch, const EventTime *time);
static bool put_row(CopyBuffer *rows, const BatchProgress *progress,
					const BatchMessage *message, const Record *record);
static bool put_dead_letter(CopyBuffer *dead_letters,
							const BatchProgress *progress,
							const BatchMessage *message,
							const DeadLetter *letter);
static bool put_payload(CopyBuffer *payloads, const BatchMessage *message);
static bool put_text(CopyBuffer *buffer, const char *text);
static void advance(Batch *batch, BatchProgress *progress,
					const BatchMessage *message);
static BatchProgress *read_row(const BatchSieve *sieve,
							   BatchMessage *message, EventTime *time,
							   size_t *row_end, size_t *payload_end);
static BatchProgress *find_progress(const Batch *batch,
									const CopyField *topic,
									int32_t partition);
static void skip_row(const CopyBuffer *buffer, size_t *at, int16_t fields);
static void move_down(CopyBuffer *buffer, size_t *to, size_t *from,
					  size_t end);

bool
batch_init(Batch *batch, int64_t max_messages, size_t max_bytes)
{
	size_t		first = max_bytes < DEAD_LETTERS_FIRST_BYTES ?
		max_bytes : DEAD_LETTERS_FIRST_BYTES;

	memset(batch, 0, sizeof(*batch));
	batch->max_messages = max_messages;
	batch->max_bytes = max_bytes;
	/*
	 * A row or dead letter that fits max_bytes leaves room for the trailer.
	 * Rows and payloads share max_bytes, and memory that is not written to is
	 * not taken from the system.
	 */
	batch->times = calloc((size_t) max_messages, sizeof(*batch->times));
	if (batch->times == NULL ||
		!allocate(&batch->rows, max_bytes + ROW_MAX_BYTES) ||
		!allocate(&batch->payloads, max_bytes + PAYLOAD_MAX_BYTES) ||
		!allocate(&batch->dead_letters, first + DEAD_LETTER_MAX_BYTES))
	{
		batch_free(batch);
		return false;
	}
	empty(batch);
	return true;
}

void
batch_free(Batch *batch)
{
	free(batch->rows.data);
	free(batch->payloads.data);
	free(batch->dead_letters.data);
	free(batch->progress);
	free(batch->times);
	memset(batch, 0, sizeof(*batch));
}

bool
batch_start(Batch *batch, size_t slots)
{
	if (!reserve_slots(batch, slots))
		return false;
	empty(batch);
	batch->slots = slots;
	if (slots > 0)
		memset(batch->progress, 0, slots * sizeof(*batch->progress));
	return true;
}

void
batch_set_position(Batch *batch, size_t slot, const char *topic,
				   int32_t partition, int64_t next_offset,
				   const MessageMark *last, const char *topic_id)
{
	assert(slot < batch->slots);
	batch->progress[slot] = (BatchProgress)
	{
		.topic = topic,
		.partition = partition,
		.expected_offset = next_offset,
		.next_offset = next_offset,
		.last = *last
	};
	snprintf(batch->progress[slot].topic_id, TOPIC_ID_BYTES, "%s", topic_id);
}

bool
batch_continue(Batch *batch, Batch *previous)
{
	batch_seal(previous);
	if (!batch_start(batch, previous->slots))
		return false;
	for (size_t slot = 0; slot < previous->slots; slot++)
		batch_set_position(batch, slot, previous->progress[slot].topic,
						   previous->progress[slot].partition,
						   previous->progress[slot].next_offset,
						   &previous->progress[slot].last,
						   previous->progress[slot].topic_id);
	return true;
}

void
batch_seal(Batch *batch)
{
	for (size_t slot = 0; slot < batch->slots; slot++)
	{
		BatchProgress *progress = &batch->progress[slot];

		if (progress->unsealed_bytes == 0)
			continue;
		progress->last.checksum =
			message_mark_checksum(batch->payloads.data + progress->unsealed_at,
								  progress->unsealed_bytes);
		progress->unsealed_bytes = 0;
	}
}

BatchResult
batch_add_row(Batch *batch, size_t slot, const BatchMessage *message,
			  const Record *record)
{
	BatchProgress *progress = &batch->progress[slot];
	size_t		used = batch->rows.used;
	size_t		payloads_used = batch->payloads.used;

	if (message->offset < progress->next_offset)
		return BATCH_STALE;
	if (batch_is_full(batch) || !note_day(batch, &record->time))
		return BATCH_FULL;
	if (!put_row(&batch->rows, progress, message, record) ||
		!put_payload(&batch->payloads, message))
	{
		batch->rows.used = used;
		batch->payloads.used = payloads_used;
		return BATCH_FULL;
	}
	batch->row_count++;
	advance(batch, progress, message);
	progress->last = message_mark_begin(message);
	progress->unsealed_bytes = message->payload_bytes;
	progress->unsealed_at = batch->payloads.used - message->payload_bytes;
	progress->stored++;
	return BATCH_ADDED;
}

BatchResult
batch_add_dead_letter(Batch *batch, size_t slot, const BatchMessage *message,
					  const DeadLetter *letter)
{
	BatchProgress *progress = &batch->progress[slot];
	size_t		used = batch->dead_letters.used;

	if (message->offset < progress->next_offset)
		return BATCH_STALE;
	/* a payload larger than the bound gets a batch's dead letters alone */
	if (batch_is_full(batch) ||
		(batch->dead_letter_count > 0 &&
		 used + message->payload_bytes > batch->max_bytes))
		return BATCH_FULL;
	if (!reserve_dead_letter(batch, message->payload_bytes) ||
		!put_dead_letter(&batch->dead_letters, progress, message, letter))
	{
		batch->dead_letters.used = used;
		return BATCH_NO_MEMORY;
	}
	batch->dead_letter_count++;
	advance(batch, progress, message);
	progress->last = message_mark_of(message);
	progress->unsealed_bytes = 0;
	progress->dead_lettered++;
	progress->refused[letter->verdict]++;
	return BATCH_ADDED;
}

BatchResult
batch_skip_to(Batch *batch, size_t slot, int64_t offset)
{
	BatchProgress *progress = &batch->progress[slot];

	if (offset <= progress->next_offset)
		return BATCH_STALE;
	progress->skipped += offset - progress->next_offset;
	progress->next_offset = offset;
	return BATCH_ADDED;
}

bool
batch_is_empty(const Batch *batch)
{
	if (batch_messages(batch) > 0)
		return false;
	for (size_t slot = 0; slot < batch->slots; slot++)
		if (batch->progress[slot].next_offset !=
			batch->progress[slot].expected_offset)
			return false;
	return true;
}

int64_t
batch_messages(const Batch *batch)
{
	return batch->messages;
}

bool
batch_is_full(const Batch *batch)
{
	return batch_messages(batch) >= batch->max_messages ||
		batch->rows.used + batch->payloads.used >= batch->max_bytes ||
		batch->dead_letters.used >= batch->max_bytes;
}

void
batch_sieve_begin(BatchSieve *sieve, Batch *batch)
{
	/* payloads are about to move */
	batch_seal(batch);
	*sieve = (BatchSieve)
	{
		.batch = batch,
		.left = batch->row_count,
		.row_at = COPY_HEADER_BYTES,
		.rows_kept = COPY_HEADER_BYTES
	};
}

int64_t
batch_sieve_peek(const BatchSieve *sieve, int64_t max, CopyBuffer *rows)
{
	const CopyBuffer *all = &sieve->batch->rows;
	int64_t		count = sieve->left < max ? sieve->left : max;
	size_t		end = sieve->row_at;

	for (int64_t i = 0; i < count; i++)
		skip_row(all, &end, TRANSACTION_COLUMNS);
	*rows = (CopyBuffer)
	{
		all->data + sieve->row_at, end - sieve->row_at, end - sieve->row_at
	};
	return count;
}

void
batch_sieve_keep(BatchSieve *sieve, int64_t rows)
{
	Batch	   *batch = sieve->batch;
	size_t		row_end = sieve->row_at;
	size_t		payload_end = sieve->payload_at;

	assert(rows >= 0 && rows <= sieve->left);
	for (int64_t i = 0; i < rows; i++)
	{
		skip_row(&batch->rows, &row_end, TRANSACTION_COLUMNS);
		skip_row(&batch->payloads, &payload_end, 1);
	}
	move_down(&batch->rows, &sieve->rows_kept, &sieve->row_at, row_end);
	move_down(&batch->payloads, &sieve->payloads_kept, &sieve->payload_at,
			  payload_end);
	sieve->kept += rows;
	sieve->left -= rows;
	if (rows > 0)
		sieve->refused_run = 0;
}

bool
batch_sieve_refuse(BatchSieve *sieve, const char *detail)
{
	Batch	   *batch = sieve->batch;
	size_t		used = batch->dead_letters.used;
	size_t		row_end;
	size_t		payload_end;
	BatchMessage message;
	DeadLetter	letter = {
		FINTRANS_REJECT_REFUSED, record_reason(FINTRANS_REJECT_REFUSED), detail,
		{0}
	};
	BatchProgress *progress = read_row(sieve, &message, &letter.time, &row_end,
									   &payload_end);

	if (!reserve_dead_letter(batch, message.payload_bytes) ||
		!put_dead_letter(&batch->dead_letters, progress, &message, &letter))
	{
		batch->dead_letters.used = used;
		return false;
	}
	sieve->row_at = row_end;
	sieve->payload_at = payload_end;
	sieve->left--;
	batch->row_count--;
	batch->dead_letter_count++;
	sieve->refused_run++;
	progress->stored--;
	progress->dead_lettered++;
	progress->refused[FINTRANS_REJECT_REFUSED]++;
	return true;
}

void
batch_sieve_end(BatchSieve *sieve)
{
	batch_sieve_keep(sieve, sieve->left);
	sieve->batch->rows.used = sieve->rows_kept;
	sieve->batch->payloads.used = sieve->payloads_kept;
	sieve->batch->refused_run = sieve->refused_run;
}

static bool
allocate(CopyBuffer *buffer, size_t size)
{
	buffer->data = malloc(size);
	buffer->size = buffer->data != NULL ? size : 0;
	buffer->used = 0;
	return buffer->data != NULL;
}

/* Both buffers begin with COPY's header; they always have room for it. */
static void
empty(Batch *batch)
{
	batch->rows.used = 0;
	batch->payloads.used = 0;
	batch->dead_letters.used = 0;
	copy_put_header(&batch->rows);
	copy_put_header(&batch->dead_letters);
	batch->row_count = 0;
	batch->dead_letter_count = 0;
	batch->messages = 0;
	batch->refused_run = 0;
	batch->day_count = 0;
	batch->last_day = 0;
	batch->opened_ms = 0;
}

static bool
reserve_slots(Batch *batch, size_t slots)
{
	BatchProgress *larger;

	if (slots <= batch->slots_allocated)
		return true;
	larger = realloc(batch->progress, slots * sizeof(*larger));
	if (larger == NULL)
		return false;
	batch->progress = larger;
	batch->slots_allocated = slots;
	return true;
}

/*
 * Room for one more dead letter.  The buffer doubles up to the batch's bound;
 * beyond it go only a single payload that is larger than the bound itself, and
 * rows that were refused.  That memory is given back with the next small one.
 */
static bool
reserve_dead_letter(Batch *batch, size_t bytes)
{
	CopyBuffer *buffer = &batch->dead_letters;
	size_t		needed = buffer->used + bytes + DEAD_LETTER_MAX_BYTES;
	size_t		most = batch->max_bytes + DEAD_LETTER_MAX_BYTES;
	size_t		size = buffer->size;
	uint8_t    *data;

	while (size < needed && size < most)
		size = size * 2 < most ? size * 2 : most;
	if (size > most && needed <= most)
		size = most;
	if (size < needed)
		size = needed + most;
	if (size == buffer->size)
		return true;
	data = realloc(buffer->data, size);
	if (data == NULL)
		return false;
	buffer->data = data;
	buffer->size = size;
	return true;
}

/* False when the batch would have too many days. */
static bool
note_day(Batch *batch, const EventTime *time)
{
	int32_t		day = time_spec_day(event_time_ms(time));

	if (batch->day_count > 0 && batch->days[batch->last_day] == day)
		return true;
	for (size_t i = 0; i < batch->day_count; i++)
	{
		if (batch->days[i] == day)
		{
			batch->last_day = i;
			return true;
		}
	}
	if (batch->day_count == BATCH_MAX_DAYS)
		return false;
	batch->last_day = batch->day_count;
	batch->days[batch->day_count++] = day;
	return true;
}

static bool
put_row(CopyBuffer *rows, const BatchProgress *progress,
		const BatchMessage *message, const Record *record)
{
	return copy_put_row(rows, TRANSACTION_COLUMNS) &&
		copy_put_timestamptz(rows, record->time.us) &&
		put_text(rows, progress->topic) &&
		copy_put_bytes(rows, record->source_account, record->source_bytes) &&
		copy_put_bytes(rows, record->target_account, record->target_bytes) &&
		copy_put_numeric(rows, &record->amount) &&
		(record->reference != NULL ?
		 copy_put_bytes(rows, record->reference, record->reference_bytes) :
		 copy_put_null(rows)) &&
		copy_put_int4(rows, progress->partition) &&
		copy_put_int8(rows, message->offset);
}

static bool
put_dead_letter(CopyBuffer *dead_letters, const BatchProgress *progress,
				const BatchMessage *message, const DeadLetter *letter)
{
	const EventTime *time = &letter->time;

	return copy_put_row(dead_letters, DEAD_LETTER_COLUMNS) &&
		put_text(dead_letters, progress->topic) &&
		copy_put_int4(dead_letters, progress->partition) &&
		copy_put_int8(dead_letters, message->offset) &&
		(message->payload != NULL ?
		 copy_put_bytes(dead_letters, message->payload,
						message->payload_bytes) :
		 copy_put_null(dead_letters)) &&
		put_text(dead_letters, letter->reason) &&
		(letter->detail != NULL ? put_text(dead_letters, letter->detail) :
		 copy_put_null(dead_letters)) &&
		(time->is_set && copy_is_timestamp(time->us) ?
		 copy_put_timestamptz(dead_letters, time->us) :
		 copy_put_null(dead_letters));
}

static bool
put_payload(CopyBuffer *payloads, const BatchMessage *message)
{
	return copy_put_row(payloads, 1) &&
		copy_put_bytes(payloads, message->payload, message->payload_bytes);
}

static bool
put_text(CopyBuffer *buffer, const char *text)
{
	return copy_put_bytes(buffer, text, strlen(text));
}

static void
advance(Batch *batch, BatchProgress *progress, const BatchMessage *message)
{
	batch->times[batch->messages++] = message->has_event_time ?
		message->event_time_ms : BATCH_NO_TIME;
	progress->skipped += message->offset - progress->next_offset;
	progress->next_offset = message->offset + 1;
}

/* The next row as the message it was made from, and where both end. */
static BatchProgress *
read_row(const BatchSieve *sieve, BatchMessage *message, EventTime *time,
		 size_t *row_end, size_t *payload_end)
{
	const Batch *batch = sieve->batch;
	CopyField	fields[TRANSACTION_COLUMNS];
	CopyField	payload;
	BatchProgress *progress;
	int32_t		partition = 0;
	bool		is_read;

	*row_end = sieve->row_at;
	*payload_end = sieve->payload_at;
	*message = (BatchMessage) {0};
	*time = (EventTime) {.is_set = true};
	is_read = copy_next_row(&batch->rows, row_end, fields,
							TRANSACTION_COLUMNS) &&
		copy_next_row(&batch->payloads, payload_end, &payload, 1) &&
		copy_get_timestamptz(&fields[TRANSACTION_event_time],
							 &time->us) &&
		copy_get_int4(&fields[TRANSACTION_kafka_partition], &partition) &&
		copy_get_int8(&fields[TRANSACTION_kafka_offset], &message->offset);
	progress = find_progress(batch, &fields[TRANSACTION_city], partition);
	/* they are as this file wrote them */
	assert(is_read && progress != NULL);
	(void) is_read;
	message->payload = payload.data;
	message->payload_bytes = payload.length;
	return progress;
}

static BatchProgress *
find_progress(const Batch *batch, const CopyField *topic, int32_t partition)
{
	for (size_t slot = 0; slot < batch->slots; slot++)
	{
		BatchProgress *progress = &batch->progress[slot];

		if (progress->partition == partition && progress->topic != NULL &&
			strlen(progress->topic) == topic->length &&
			memcmp(progress->topic, topic->data, topic->length) == 0)
			return progress;
	}
	return NULL;
}

static void
skip_row(const CopyBuffer *buffer, size_t *at, int16_t fields)
{
	CopyField	row[TRANSACTION_COLUMNS];
	bool		is_read = copy_next_row(buffer, at, row, fields);

	assert(is_read);
	(void) is_read;
}

/* Move what lies from *from up to end to *to, and both behind it. */
static void
move_down(CopyBuffer *buffer, size_t *to, size_t *from, size_t end)
{
	size_t		bytes = end - *from;

	memmove(buffer->data + *to, buffer->data + *from, bytes);
	*to += bytes;
	*from = end;
}
