/*
 * A batch of points: what is sent of it, and in which pieces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "influx_batch.h"

#define POINTS 1000

static const LineStyle style = {LINE_ACCOUNTS_NONE, false};

static void
fill(InfluxBatch *batch, int64_t points)
{
	const Record record = {
		.source_account = "1", .target_account = "2", .source_bytes = 1,
		.target_bytes = 1, .amount = {.integer = "5", .integer_digits = 1}
	};

	influx_batch_start(batch);
	for (int64_t i = 0; i < points; i++)
	{
		const LineOrigin origin = {"SF", 0, i, 1764000000000};

		assert_int_equal(influx_batch_add(batch, &style, &origin, &record),
						 LINE_WRITTEN);
	}
}

/* The offset that a stretch's line has in its time, from its first byte on. */
static int64_t
offset_at(const char *line)
{
	long long	ns;

	assert_int_equal(sscanf(line, "SF,partition=0 amount=5 %lld\n", &ns), 1);
	return ns % LINE_PLACES;
}

/*
 * A server that takes at most `most` points and refuses any stretch with a
 * bad one; what it takes is marked.  Returns the points given up.
 */
static size_t
send(InfluxBatch *batch, size_t most, const char *bad, char *taken,
	 size_t *requests)
{
	size_t		limit = POINTS;
	size_t		given_up = 0;
	const char *text;
	size_t		bytes;

	*requests = 0;
	influx_batch_begin(batch, limit);
	while (influx_batch_stretch(batch, &text, &bytes))
	{
		size_t		points = influx_batch_stretch_points(batch);
		int64_t		first = offset_at(text);

		assert_true(++*requests < 10000);
		assert_int_equal(text[bytes - 1], '\n');
		if (points > most)
		{
			assert_true(influx_batch_halve(batch));
			limit = influx_batch_stretch_points(batch);
			continue;
		}
		if (memchr(bad + first, 1, points) != NULL)
		{
			if (influx_batch_refuse(batch))
				continue;
			given_up += influx_batch_stretch_points(batch);
		}
		else
			for (size_t i = 0; i < points; i++)
				assert_int_equal(taken[first + (int64_t) i]++, 0);
		influx_batch_pass(batch, limit);
	}
	return given_up;
}

static void
sends_all_at_once(void **state)
{
	InfluxBatch batch;
	char		bad[POINTS] = {0};
	char		taken[POINTS] = {0};
	size_t		requests;

	(void) state;
	assert_true(influx_batch_init(&batch, POINTS, 3));
	fill(&batch, POINTS);
	assert_true(influx_batch_is_full(&batch));
	assert_int_equal(send(&batch, POINTS, bad, taken, &requests), 0);
	assert_int_equal(requests, 1);
	assert_null(memchr(taken, 0, POINTS));
	/* without points there is nothing to send */
	fill(&batch, 0);
	assert_int_equal(send(&batch, POINTS, bad, taken, &requests), 0);
	assert_int_equal(requests, 0);
	influx_batch_free(&batch);
}

static void
sends_in_pieces(void **state)
{
	InfluxBatch batch;
	char		bad[POINTS] = {0};
	char		taken[POINTS] = {0};
	size_t		requests;

	(void) state;
	assert_true(influx_batch_init(&batch, POINTS, 3));
	fill(&batch, POINTS);
	assert_int_equal(send(&batch, 100, bad, taken, &requests), 0);
	assert_null(memchr(taken, 0, POINTS));
	/* 500, 250, 125 are too many; then 62 each */
	assert_true(requests < 4 + POINTS / 62 + 2);
	influx_batch_free(&batch);
}

static void
finds_what_is_refused(void **state)
{
	InfluxBatch batch;
	char		bad[POINTS] = {0};
	char		taken[POINTS] = {0};
	size_t		requests;

	(void) state;
	assert_true(influx_batch_init(&batch, POINTS, 3));
	fill(&batch, POINTS);
	bad[0] = bad[1] = bad[617] = bad[POINTS - 1] = 1;
	assert_int_equal(send(&batch, POINTS, bad, taken, &requests), 4);
	for (size_t i = 0; i < POINTS; i++)
		assert_int_equal(taken[i], !bad[i]);
	influx_batch_free(&batch);
}

/* With nothing but bad ones it does not ask for each. */
static void
gives_up(void **state)
{
	InfluxBatch batch;
	char		bad[POINTS];
	char		taken[POINTS] = {0};
	size_t		requests;

	(void) state;
	assert_true(influx_batch_init(&batch, POINTS, 3));
	fill(&batch, POINTS);
	memset(bad, 1, sizeof(bad));
	assert_int_equal(send(&batch, POINTS, bad, taken, &requests), POINTS);
	assert_true(requests <= INFLUX_BATCH_REFUSALS + 1);
	influx_batch_free(&batch);
}

/* Long lines end a batch before its number of points does. */
static void
is_full_of_long_lines(void **state)
{
	static char account[FINTRANS_ACCOUNT_MAX_BYTES];
	const LineStyle tags = {LINE_ACCOUNTS_TAG, false};
	const Record record = {
		.source_account = account, .target_account = account,
		.source_bytes = sizeof(account), .target_bytes = sizeof(account),
		.amount = {.integer = "5", .integer_digits = 1}
	};
	InfluxBatch batch;
	int64_t		points = 0;

	(void) state;
	memset(account, 'x', sizeof(account));
	assert_true(influx_batch_init(&batch, POINTS, 1));
	while (!influx_batch_is_full(&batch))
	{
		const LineOrigin origin = {"SF", 0, points++, 1764000000000};

		assert_int_equal(influx_batch_add(&batch, &tags, &origin, &record),
						 LINE_WRITTEN);
	}
	assert_true(points > 100 && points < POINTS);
	assert_int_equal(influx_batch_add(&batch, &tags, &(LineOrigin) {0},
									  &record), LINE_FULL);
	assert_int_equal(batch.count, points);
	influx_batch_free(&batch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_all_at_once),
		cmocka_unit_test(sends_in_pieces),
		cmocka_unit_test(finds_what_is_refused),
		cmocka_unit_test(gives_up),
		cmocka_unit_test(is_full_of_long_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
