/*
 * Exactly once is decided here.  The first statement of a batch moves the
 * positions of all its partitions by compare-and-set, locking their rows in
 * (topic, partition) order: a writer whose picture is stale changes fewer
 * rows than it should, rolls back, and has written nothing.  Rows and dead
 * letters follow in the same database transaction, with one COPY of rows
 * only, since two statements that touch totals could deadlock with another
 * writer's.
 */
#include "loader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array_text.h"
#include "clock.h"
#include "day_set.h"
#include "holder.h"
#include "log.h"
#include "refusals.h"
#include "time_spec.h"
#include "trouble.h"

/* Partitions are made this many days ahead. */
#define DAYS_AHEAD 3

/* Arrays of the compare-and-set: two keys, eight columns. */
#define MOVE_ARRAYS 11

/* Its name, prepared. */
#define MOVE_STATEMENT "move"

/* One plan for each prepared statement, whatever its parameters. */
#define GENERIC_PLANS "SET plan_cache_mode = force_generic_plan"

/* What ends a statement that has waited for a lock for too long. */
#define LOCK_TIMEOUT "55P03"

/* A day as a timestamptz, and as the suffix of its partition. */
#define DAY_TEXT_BYTES 48
#define LEAF_NAME_BYTES 64

/* The COPY that takes a batch's rows. */
typedef struct RowCopy
{
	char		relation[LEAF_NAME_BYTES];	/* unqualified */
	char		sql[SESSION_SQL_BYTES];
} RowCopy;

struct Loader
{
	Session    *session;
	DaySet		days;			/* whose partitions exist */
	int32_t		ahead_day;		/* day on which days ahead were made */
	bool		move_is_prepared;	/* in this session */
	int64_t		refused_run;	/* of the rows stored so far */
	ArrayText	arrays[MOVE_ARRAYS];
	Holder		holder;
	Trouble		refusals;		/* told lately */
	int64_t		refused;		/* rows, since then */
};

static Outcome store(Loader *loader, const Batch *batch);
static void ask_holder(Loader *loader, const Batch *batch);
static Outcome sift(Loader *loader, Batch *batch, const atomic_bool *abandon);
static void report_refusals(Loader *loader);
static Outcome ensure_days_ahead(Loader *loader);
static Outcome ensure_days_of(Loader *loader, const Batch *batch);
static int	compare_days(const void *left, const void *right);
static Outcome ensure_days(Loader *loader, const int32_t *days,
						   size_t count);
static void list_ranges(Loader *loader, const int32_t *days, size_t count);
static void write_day(int32_t day, char *text, size_t size);
static Outcome prepare_move(Loader *loader);
static Outcome move_positions(Loader *loader, const Batch *batch);
static int64_t list_moves(Loader *loader, const Batch *batch);
static void list_mark(ArrayText *arrays, const MessageMark *mark);
static Outcome finish_arrays(Loader *loader, size_t count,
							 const char **parameters);
static void write_copy(const Loader *loader, const Batch *batch,
					   RowCopy *copy);
static Outcome copy_rows(Loader *loader, const Batch *batch);
static Outcome copy_dead_letters(Loader *loader, const Batch *batch);
static Outcome commit(Loader *loader);
static void roll_back(Loader *loader);
static Outcome finish_topics(Loader *loader, const char *const *topics,
							 size_t topic_count, const char **parameters);
static Outcome query_positions(Loader *loader,
							   const char *const *topics,
							   size_t topic_count);
static bool keep_dead_letters(Loader *loader, const char *const *topics,
							  size_t topic_count, OffsetList *dead_letters);
static bool keep_positions(Loader *loader, const char *const *topics,
						   size_t topic_count, OffsetList *positions);
static const char *own_topic(const Loader *loader, int row,
							 const char *const *topics, size_t topic_count);
static MessageMark get_mark(const Database *database, int row);

Loader *
loader_new(const char *conninfo, const char *currency)
{
	Loader	   *loader = calloc(1, sizeof(*loader));

	if (loader == NULL)
		return NULL;
	loader->session = session_new(conninfo, currency);
	if (loader->session == NULL)
	{
		free(loader);
		return NULL;
	}
	return loader;
}

void
loader_free(Loader *loader)
{
	if (loader == NULL)
		return;
	for (size_t i = 0; i < MOVE_ARRAYS; i++)
		array_text_free(&loader->arrays[i]);
	session_free(loader->session);
	free(loader);
}

Outcome
loader_connect(Loader *loader)
{
	Outcome		outcome;

	loader_forget_days(loader);
	loader->move_is_prepared = false;
	if ((outcome = session_connect(loader->session)) != OUTCOME_DONE ||
		(outcome = session_run(loader->session, GENERIC_PLANS, NULL,
							   0)) != OUTCOME_DONE ||
		(outcome = ensure_days_ahead(loader)) != OUTCOME_DONE)
		return outcome;
	return refusals_read_run(loader->session, &loader->refused_run);
}

void
loader_disconnect(Loader *loader)
{
	session_disconnect(loader->session);
}

bool
loader_is_connected(const Loader *loader)
{
	return session_is_connected(loader->session);
}

const char *
loader_currency(const Loader *loader)
{
	return session_currency(loader->session);
}

bool
loader_has_older_reasons(const Loader *loader)
{
	return session_has_older_reasons(loader->session);
}

Outcome
loader_commit(Loader *loader, Batch *batch, const atomic_bool *abandon)
{
	Outcome		outcome;

	/* partitions first: attaching one must not wait for our own locks */
	if ((outcome = ensure_days_ahead(loader)) != OUTCOME_DONE ||
		(outcome = ensure_days_of(loader, batch)) != OUTCOME_DONE)
		return outcome;
	/* each round takes a row out of the batch at least */
	while ((outcome = store(loader, batch)) == OUTCOME_REFUSED)
		if ((outcome = sift(loader, batch, abandon)) != OUTCOME_DONE)
			return outcome;
	if (outcome == OUTCOME_DONE)
		loader->refused_run = refusals_run(loader->refused_run,
										   batch->refused_run,
										   batch->row_count);
	return outcome;
}

Outcome
loader_ping(Loader *loader)
{
	Outcome		outcome = session_run(loader->session,
									  "SHOW transaction_read_only", NULL, 0);
	const char *answer;

	if (outcome != OUTCOME_DONE)
		return outcome;
	answer = database_value(session_database(loader->session), 0, 0);
	if (strcmp(answer, "off") == 0)
		return OUTCOME_DONE;
	/* another one of the connection string may take them */
	session_fail(loader->session, OUTCOME_LOST,
				 "the server takes no writes: it is read-only");
	session_disconnect(loader->session);
	return OUTCOME_LOST;
}

/*
 * The positions of the batch's partitions are read in one statement, so they
 * are of one moment.
 */
Outcome
loader_check(Loader *loader, const Batch *batch, LoaderStanding *standing)
{
	const char **topics = malloc((batch->slots + 1) * sizeof(*topics));
	OffsetList	positions = {0};
	Outcome		outcome;
	size_t		count = 0;
	bool		at_start = true;
	bool		at_end = true;

	if (topics == NULL)
		return session_fail(loader->session, OUTCOME_FATAL, "out of memory");
	for (size_t slot = 0; slot < batch->slots; slot++)
		if (batch->progress[slot].topic != NULL)
			topics[count++] = batch->progress[slot].topic;
	outcome = loader_read_positions(loader, topics, count, &positions);
	for (size_t slot = 0; slot < batch->slots; slot++)
	{
		const BatchProgress *progress = &batch->progress[slot];
		const OffsetItem *item;

		if (outcome != OUTCOME_DONE ||
			progress->next_offset == progress->expected_offset)
			continue;
		item = offset_list_find(&positions, progress->topic,
								progress->partition);
		at_start = at_start && item != NULL &&
			item->offset == progress->expected_offset;
		at_end = at_end && item != NULL &&
			item->offset == progress->next_offset;
	}
	*standing = at_start ? LOADER_NOT_COMMITTED :
		at_end ? LOADER_COMMITTED : LOADER_OVERTAKEN;
	offset_list_free(&positions);
	free(topics);
	return outcome;
}

Outcome
loader_read_positions(Loader *loader, const char *const *topics,
					  size_t topic_count, OffsetList *positions)
{
	Outcome		outcome = query_positions(loader, topics, topic_count);

	if (outcome == OUTCOME_DONE &&
		!keep_positions(loader, topics, topic_count, positions))
		return session_fail(loader->session, OUTCOME_FATAL, "out of memory");
	return outcome;
}

/*
 * By offset, downwards: so the primary key is read, and a table that is large
 * though hardly anything in it is recent costs nothing.
 */
Outcome
loader_read_dead_letters(Loader *loader, const char *const *topics,
						 size_t topic_count, int64_t window, int64_t allowed,
						 OffsetList *dead_letters)
{
	const char *parameters[1];
	Outcome		outcome;
	char		sql[SESSION_SQL_BYTES];

	outcome = finish_topics(loader, topics, topic_count, parameters);
	if (outcome != OUTCOME_DONE)
		return outcome;
	snprintf(sql, sizeof(sql),
			 "SELECT o.topic, o.kafka_partition, l.kafka_offset"
			 " FROM %1$s.fintrans_offsets o CROSS JOIN LATERAL ("
			 " SELECT d.kafka_offset FROM %1$s.fintrans_dead_letters d"
			 " WHERE d.topic = o.topic"
			 " AND d.kafka_partition = o.kafka_partition"
			 " AND d.kafka_offset > o.next_offset - %2$" PRId64
			 " AND d.kafka_offset < o.next_offset"
			 " AND d.reason <> 'refused'"
			 " ORDER BY d.kafka_offset DESC LIMIT %3$" PRId64 ") l"
			 " WHERE o.topic = ANY ($1::text[]) ORDER BY 1, 2, 3",
			 session_schema(loader->session), window, allowed);
	outcome = session_run(loader->session, sql, parameters, 1);
	if (outcome == OUTCOME_DONE &&
		!keep_dead_letters(loader, topics, topic_count, dead_letters))
		return session_fail(loader->session, OUTCOME_FATAL, "out of memory");
	return outcome;
}

Outcome
loader_add_positions(Loader *loader, const OffsetList *positions)
{
	const char *parameters[3];
	Outcome		outcome;
	char		sql[SESSION_SQL_BYTES];

	for (size_t i = 0; i < 3; i++)
		array_text_reset(&loader->arrays[i]);
	for (size_t i = 0; i < positions->count; i++)
	{
		array_text_add_text(&loader->arrays[0], positions->items[i].topic);
		array_text_add_integer(&loader->arrays[1],
							   positions->items[i].partition);
		array_text_add_integer(&loader->arrays[2],
							   positions->items[i].offset);
	}
	if ((outcome = finish_arrays(loader, 3, parameters)) != OUTCOME_DONE)
		return outcome;
	snprintf(sql, sizeof(sql),
			 "INSERT INTO %s.fintrans_offsets"
			 " (topic, kafka_partition, first_offset, next_offset)"
			 " SELECT topic, kafka_partition, next_offset, next_offset"
			 " FROM unnest($1::text[], $2::int4[], $3::int8[])"
			 " AS start (topic, kafka_partition, next_offset)"
			 " ON CONFLICT (topic, kafka_partition) DO NOTHING",
			 session_schema(loader->session));
	return session_run(loader->session, sql, parameters, 3);
}

void
loader_forget_days(Loader *loader)
{
	day_set_clear(&loader->days);
	loader->ahead_day = INT32_MIN;
}

const DatabaseError *
loader_error(const Loader *loader)
{
	return session_error(loader->session);
}

static Outcome
store(Loader *loader, const Batch *batch)
{
	Outcome		outcome;

	if ((outcome = session_run(loader->session, "BEGIN", NULL, 0)) == OUTCOME_DONE &&
		(outcome = move_positions(loader, batch)) == OUTCOME_DONE &&
		(outcome = copy_rows(loader, batch)) == OUTCOME_DONE &&
		(outcome = copy_dead_letters(loader, batch)) == OUTCOME_DONE)
		return commit(loader);
	roll_back(loader);
	if (outcome == OUTCOME_RETRY && loader_is_connected(loader) &&
		strcmp(loader_error(loader)->sqlstate, LOCK_TIMEOUT) == 0)
		ask_holder(loader, batch);
	return outcome;
}

/* The positions could not be locked: does a frozen bridge hold them? */
static void
ask_holder(Loader *loader, const Batch *batch)
{
	const char *topics;
	const char *partitions;

	list_moves(loader, batch);
	topics = array_text_finish(&loader->arrays[0]);
	partitions = array_text_finish(&loader->arrays[1]);
	if (topics != NULL && partitions != NULL)
		holder_end_frozen(&loader->holder, loader->session, topics,
						  partitions);
}

static Outcome
sift(Loader *loader, Batch *batch, const atomic_bool *abandon)
{
	int64_t		before = batch->dead_letter_count;
	RowCopy		copy;
	Outcome		outcome;

	write_copy(loader, batch, &copy);
	outcome = refusals_sift(loader->session, copy.sql, copy.relation, batch,
							loader->refused_run, abandon);
	loader->refused += batch->dead_letter_count - before;
	if (outcome == OUTCOME_DONE)
		report_refusals(loader);
	return outcome;
}

/* There may be some in every batch. */
static void
report_refusals(Loader *loader)
{
	int64_t		suppressed;

	if (!trouble_is_due(&loader->refusals, OUTCOME_REFUSED,
						clock_monotonic_ms(), &suppressed))
		return;
	log_write(LOG_LEVEL_WARNING, "rows refused by the database",
			  "refused=%" PRId64 " suppressed=%" PRId64, loader->refused,
			  suppressed);
	loader->refused = 0;
}

/* At connect, and when a new day has begun. */
static Outcome
ensure_days_ahead(Loader *loader)
{
	int32_t		today = time_spec_day(clock_real_ms());
	int32_t		days[DAYS_AHEAD + 1];
	Outcome		outcome;

	if (loader->ahead_day == today)
		return OUTCOME_DONE;
	for (int32_t i = 0; i <= DAYS_AHEAD; i++)
		days[i] = today + i;
	outcome = ensure_days(loader, days, DAYS_AHEAD + 1);
	if (outcome == OUTCOME_DONE)
		loader->ahead_day = today;
	return outcome;
}

static Outcome
ensure_days_of(Loader *loader, const Batch *batch)
{
	int32_t		days[BATCH_MAX_DAYS];
	size_t		count = 0;

	for (size_t i = 0; i < batch->day_count; i++)
		if (!day_set_has(&loader->days, batch->days[i]))
			days[count++] = batch->days[i];
	if (count == 0)
		return OUTCOME_DONE;
	qsort(days, count, sizeof(*days), compare_days);
	return ensure_days(loader, days, count);
}

static int
compare_days(const void *left, const void *right)
{
	int32_t		a = *(const int32_t *) left;
	int32_t		b = *(const int32_t *) right;

	return (a > b) - (a < b);
}

/* The days ascend; one statement makes the partitions of all of them. */
static Outcome
ensure_days(Loader *loader, const int32_t *days, size_t count)
{
	const char *parameters[2];
	Outcome		outcome;
	char		sql[SESSION_SQL_BYTES];

	list_ranges(loader, days, count);
	if ((outcome = finish_arrays(loader, 2, parameters)) != OUTCOME_DONE)
		return outcome;
	snprintf(sql, sizeof(sql),
			 "SELECT %s.fintrans_ensure_partitions(first_day, last_day)"
			 " FROM unnest($1::timestamptz[], $2::timestamptz[])"
			 " AS missing (first_day, last_day)",
			 session_schema(loader->session));
	outcome = session_run(loader->session, sql, parameters, 2);
	if (outcome != OUTCOME_DONE)
		return outcome;
	for (size_t i = 0; i < count; i++)
		day_set_add(&loader->days, days[i]);
	return OUTCOME_DONE;
}

/* First and last days of the ranges without a gap. */
static void
list_ranges(Loader *loader, const int32_t *days, size_t count)
{
	char		text[DAY_TEXT_BYTES];

	for (size_t i = 0; i < 2; i++)
		array_text_reset(&loader->arrays[i]);
	for (size_t i = 0; i < count; i++)
	{
		write_day(days[i], text, sizeof(text));
		if (i == 0 || days[i] != days[i - 1] + 1)
			array_text_add_text(&loader->arrays[0], text);
		if (i + 1 == count || days[i] != days[i + 1] - 1)
			array_text_add_text(&loader->arrays[1], text);
	}
}

static void
write_day(int32_t day, char *text, size_t size)
{
	int			year,
				month,
				day_of_month;

	time_spec_civil(day, &year, &month, &day_of_month);
	snprintf(text, size, "%04d-%02d-%02d 00:00:00+00", year, month,
			 day_of_month);
}

/*
 * The rows are locked in (topic, partition) order, as by every other writer.
 * A row that another writer holds is waited for, and then compared in its new
 * version.  Prepared, and planned once: to parse and plan it takes longer than
 * to run it, which is what a batch of few rows would be waiting for.  Not before
 * there is a batch: parsing waits for whoever has locked the table.
 */
static Outcome
prepare_move(Loader *loader)
{
	char		sql[SESSION_SQL_BYTES];
	Outcome		outcome;

	if (loader->move_is_prepared)
		return OUTCOME_DONE;
	snprintf(sql, sizeof(sql),
			 "WITH move AS MATERIALIZED ("
			 " SELECT * FROM unnest($1::text[], $2::int4[], $3::int8[],"
			 " $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[],"
			 " $9::int8[], $10::int4[], $11::text[])"
			 " AS m (topic, kafka_partition, expected_offset, next_offset,"
			 " stored, dead_lettered, skipped, last_offset,"
			 " last_event_time_ms, last_checksum, topic_id)"
			 "), held AS MATERIALIZED ("
			 " SELECT o.topic, o.kafka_partition"
			 " FROM %1$s.fintrans_offsets o"
			 " JOIN move m ON m.topic = o.topic"
			 " AND m.kafka_partition = o.kafka_partition"
			 " WHERE o.next_offset = m.expected_offset"
			 " ORDER BY o.topic, o.kafka_partition"
			 " FOR UPDATE OF o"
			 ") UPDATE %1$s.fintrans_offsets o"
			 " SET next_offset = m.next_offset,"
			 " stored = o.stored + m.stored,"
			 " dead_lettered = o.dead_lettered + m.dead_lettered,"
			 " skipped = o.skipped + m.skipped,"
			 " last_offset = m.last_offset,"
			 " last_event_time_ms = m.last_event_time_ms,"
			 " last_checksum = m.last_checksum,%2$s"
			 " updated_at = now()"
			 " FROM move m JOIN held h ON h.topic = m.topic"
			 " AND h.kafka_partition = m.kafka_partition"
			 " WHERE o.topic = m.topic"
			 " AND o.kafka_partition = m.kafka_partition"
			 " AND o.next_offset = m.expected_offset",
			 session_schema(loader->session),
			 session_has_topic_ids(loader->session) ?
			 " topic_id = m.topic_id," : "");
	outcome = session_prepare(loader->session, MOVE_STATEMENT, sql);
	loader->move_is_prepared = outcome == OUTCOME_DONE;
	return outcome;
}

static Outcome
move_positions(Loader *loader, const Batch *batch)
{
	const char *parameters[MOVE_ARRAYS];
	int64_t		moves = list_moves(loader, batch);
	int64_t		moved;
	Outcome		outcome = finish_arrays(loader, MOVE_ARRAYS, parameters);

	if (outcome != OUTCOME_DONE ||
		(outcome = prepare_move(loader)) != OUTCOME_DONE)
		return outcome;
	outcome = session_run_prepared(loader->session, MOVE_STATEMENT,
								   parameters, MOVE_ARRAYS);
	if (outcome != OUTCOME_DONE)
		return outcome;
	moved = database_affected(session_database(loader->session));
	if (moved == moves)
		return OUTCOME_DONE;
	return session_fail(loader->session, OUTCOME_CONFLICT,
						"%" PRId64 " of %" PRId64
						" positions are where the batch begins",
						moved, moves);
}

/* Only partitions that the batch moves; their number is returned. */
static int64_t
list_moves(Loader *loader, const Batch *batch)
{
	ArrayText  *arrays = loader->arrays;
	int64_t		moves = 0;

	for (size_t i = 0; i < MOVE_ARRAYS; i++)
		array_text_reset(&arrays[i]);
	for (size_t slot = 0; slot < batch->slots; slot++)
	{
		const BatchProgress *progress = &batch->progress[slot];

		if (progress->next_offset == progress->expected_offset)
			continue;
		assert(progress->unsealed_bytes == 0);
		array_text_add_text(&arrays[0], progress->topic);
		array_text_add_integer(&arrays[1], progress->partition);
		array_text_add_integer(&arrays[2], progress->expected_offset);
		array_text_add_integer(&arrays[3], progress->next_offset);
		array_text_add_integer(&arrays[4], progress->stored);
		array_text_add_integer(&arrays[5], progress->dead_lettered);
		array_text_add_integer(&arrays[6], progress->skipped);
		list_mark(&arrays[7], &progress->last);
		if (progress->topic_id[0] != '\0')
			array_text_add_text(&arrays[10], progress->topic_id);
		else
			array_text_add_null(&arrays[10]);
		moves++;
	}
	return moves;
}

/* Into three arrays: offset, event time, checksum. */
static void
list_mark(ArrayText *arrays, const MessageMark *mark)
{
	const bool	is_null[] = {
		!mark->is_set, !mark->is_set || !mark->has_event_time, !mark->is_set
	};
	const int64_t values[] = {
		mark->offset, mark->event_time_ms, mark->checksum
	};

	for (int i = 0; i < 3; i++)
	{
		if (is_null[i])
			array_text_add_null(&arrays[i]);
		else
			array_text_add_integer(&arrays[i], values[i]);
	}
}

static Outcome
finish_arrays(Loader *loader, size_t count, const char **parameters)
{
	for (size_t i = 0; i < count; i++)
	{
		parameters[i] = array_text_finish(&loader->arrays[i]);
		if (parameters[i] == NULL)
			return session_fail(loader->session, OUTCOME_FATAL, "out of memory");
	}
	return OUTCOME_DONE;
}

/*
 * Into the leaf when all rows lie in one day: only there does PostgreSQL
 * insert in bulk, since the trigger's transition table forbids it on a
 * partitioned table.
 */
static void
write_copy(const Loader *loader, const Batch *batch, RowCopy *copy)
{
	snprintf(copy->relation, sizeof(copy->relation), "fintrans_transactions");
	if (batch->day_count == 1)
	{
		int			year,
					month,
					day_of_month;

		time_spec_civil(batch->days[0], &year, &month, &day_of_month);
		snprintf(copy->relation, sizeof(copy->relation),
				 FINTRANS_LEAF_NAME_FORMAT, year, month, day_of_month);
	}
#define X(column, type) "," #column
	snprintf(copy->sql, sizeof(copy->sql),
			 "COPY %s.%s (%s) FROM STDIN (FORMAT binary)",
			 session_schema(loader->session), copy->relation,
			 &(FINTRANS_TRANSACTION_COLUMNS(X))[1]);
#undef X
}

static Outcome
copy_rows(Loader *loader, const Batch *batch)
{
	RowCopy		copy;

	if (batch->row_count == 0)
		return OUTCOME_DONE;
	write_copy(loader, batch, &copy);
	return session_copy(loader->session, SQLSTATE_COPY_ROWS, copy.sql,
						copy.relation, &batch->rows, batch->row_count);
}

static Outcome
copy_dead_letters(Loader *loader, const Batch *batch)
{
	char		sql[SESSION_SQL_BYTES];

	if (batch->dead_letter_count == 0)
		return OUTCOME_DONE;
#define X(column, type) "," #column
	snprintf(sql, sizeof(sql), "COPY %s.fintrans_dead_letters (%s)"
			 " FROM STDIN (FORMAT binary)",
			 session_schema(loader->session),
			 &(FINTRANS_DEAD_LETTER_COLUMNS(X))[1]);
#undef X
	return session_copy(loader->session, SQLSTATE_OTHER, sql,
						"fintrans_dead_letters", &batch->dead_letters,
						batch->dead_letter_count);
}

/*
 * When the answer is anything but COMMIT the outcome is not known: the
 * connection is given up, and the table of positions tells.
 */
static Outcome
commit(Loader *loader)
{
	Outcome		outcome = session_run(loader->session, "COMMIT", NULL, 0);

	if (outcome == OUTCOME_DONE)
	{
		const char *answer =
		database_command(session_database(loader->session));

		if (strcmp(answer, "COMMIT") == 0)
			return OUTCOME_DONE;
		session_fail(loader->session, OUTCOME_LOST,
					 "COMMIT was answered by %s", answer);
	}
	session_disconnect(loader->session);
	return outcome == OUTCOME_FATAL ? OUTCOME_FATAL : OUTCOME_LOST;
}

/* Leaves the error of the batch as it is. */
static void
roll_back(Loader *loader)
{
	if (loader_is_connected(loader) &&
		!database_run(session_database(loader->session), "ROLLBACK", NULL, 0))
		session_disconnect(loader->session);
}

/* As the one parameter of a statement. */
static Outcome
finish_topics(Loader *loader, const char *const *topics, size_t topic_count,
			  const char **parameters)
{
	array_text_reset(&loader->arrays[0]);
	for (size_t i = 0; i < topic_count; i++)
		array_text_add_text(&loader->arrays[0], topics[i]);
	return finish_arrays(loader, 1, parameters);
}

static Outcome
query_positions(Loader *loader, const char *const *topics, size_t topic_count)
{
	const char *parameters[1];
	Outcome		outcome;
	char		sql[SESSION_SQL_BYTES];

	outcome = finish_topics(loader, topics, topic_count, parameters);
	if (outcome != OUTCOME_DONE)
		return outcome;
	snprintf(sql, sizeof(sql),
			 "SELECT topic, kafka_partition, next_offset, last_offset,"
			 " last_event_time_ms, last_checksum, %s"
			 " FROM %s.fintrans_offsets WHERE topic = ANY ($1::text[])",
			 session_has_topic_ids(loader->session) ? "topic_id" : "NULL",
			 session_schema(loader->session));
	return session_run(loader->session, sql, parameters, 1);
}

static bool
keep_positions(Loader *loader, const char *const *topics, size_t topic_count,
			   OffsetList *positions)
{
	const Database *database = session_database(loader->session);

	offset_list_clear(positions);
	for (int row = 0; row < database_rows(database); row++)
	{
		const char *topic = own_topic(loader, row, topics, topic_count);
		int32_t		partition =
		(int32_t) strtol(database_value(database, row, 1), NULL, 10);
		int64_t		next_offset =
		strtoll(database_value(database, row, 2), NULL, 10);
		const char *topic_id = database_value(database, row, 6);
		OffsetItem *item;

		if (topic == NULL)
			continue;
		if (!offset_list_add(positions, topic, partition, next_offset))
			return false;
		item = &positions->items[positions->count - 1];
		item->last = get_mark(database, row);
		snprintf(item->topic_id, sizeof(item->topic_id), "%s",
				 topic_id != NULL ? topic_id : "");
	}
	return true;
}

static bool
keep_dead_letters(Loader *loader, const char *const *topics,
				  size_t topic_count, OffsetList *dead_letters)
{
	const Database *database = session_database(loader->session);

	for (int row = 0; row < database_rows(database); row++)
	{
		const char *topic = own_topic(loader, row, topics, topic_count);

		if (topic != NULL &&
			!offset_list_add(dead_letters, topic,
							 (int32_t) strtol(database_value(database, row, 1),
											  NULL, 10),
							 strtoll(database_value(database, row, 2), NULL,
									 10)))
			return false;
	}
	return true;
}

/* The topic that a row begins with, as the caller has it; NULL for none. */
static const char *
own_topic(const Loader *loader, int row, const char *const *topics,
		  size_t topic_count)
{
	const char *topic =
		database_value(session_database(loader->session), row, 0);

	for (size_t i = 0; i < topic_count; i++)
		if (strcmp(topics[i], topic) == 0)
			return topics[i];
	return NULL;
}

static MessageMark
get_mark(const Database *database, int row)
{
	const char *offset = database_value(database, row, 3);
	const char *event_time_ms = database_value(database, row, 4);
	const char *checksum = database_value(database, row, 5);
	MessageMark mark = {0};

	if (offset == NULL || checksum == NULL)
		return mark;
	mark.is_set = true;
	mark.offset = strtoll(offset, NULL, 10);
	mark.checksum = (int32_t) strtol(checksum, NULL, 10);
	mark.has_event_time = event_time_ms != NULL;
	if (mark.has_event_time)
		mark.event_time_ms = strtoll(event_time_ms, NULL, 10);
	return mark;
}
