/*
 * Tests of planted patterns: what the file says was sent, and it is what the
 * pattern's name means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "plant.h"

#define MESSAGES 20000
#define EACH 3
#define KINDS 9

/* A line of the file; the pattern's messages by the times they have there. */
typedef struct Line
{
	char		name[32];
	char		accounts[256];
	int			messages[16];
	double		amounts[16];
	int			count;
} Line;

typedef struct Sent
{
	char		source[16];
	char		target[16];
	double		amount;
	bool		planted;
} Sent;

static Sent sent[MESSAGES];
static char path[] = "plant.XXXXXX";

static PlantSettings
settings(void)
{
	return (PlantSettings) {
		.file = path, .each = EACH, .count = MESSAGES, .accounts = 2000,
		.max_amount = 9999, .days = 30
	};
}

/* Sends everything; message i has the time of i milliseconds. */
static void
send_all(int64_t seed)
{
	PlantSettings options = settings();
	Synthetic	random;
	SyntheticMessage message;
	char		errstr[256];
	Plant	   *plant;

	synthetic_init(&random, seed, options.accounts, options.max_amount);
	plant = plant_open(&options, &random, errstr, sizeof(errstr));
	assert_non_null(plant);
	for (int i = 0; i < MESSAGES; i++)
	{
		sent[i].planted = plant_next(plant, (uint64_t) i, &message);
		if (!sent[i].planted)
		{
			do
				synthetic_next(&random, &message);
			while (plant_disturbed_by(plant, &message));
		}
		assert_int_equal(sscanf(message.text, "%15s %15s %lf", sent[i].source,
								sent[i].target, &sent[i].amount), 3);
		assert_int_equal(message.bytes, strlen(message.text));
		assert_int_equal(message.key_bytes, strlen(sent[i].source));
		if (sent[i].planted)
			assert_true(plant_sent(plant, i, errstr, sizeof(errstr)));
	}
	assert_true(plant_close(plant, errstr, sizeof(errstr)));
}

/* The numbers of a list such as {1,2.50}. */
static int
read_list(const char *text, double *numbers)
{
	int			n = 0;

	assert_int_equal(*text, '{');
	for (; *text != '}'; text += strcspn(text, ",}"))
		numbers[n++] = strtod(++text, NULL);
	return n;
}

/* Within a minute of 1970 all times fit this. */
static int
read_times(const char *text, int *ms)
{
	int			n = 0;

	assert_int_equal(*text, '{');
	for (; *text != '}'; text += strcspn(text, ",}"))
	{
		int			seconds;

		assert_int_equal(sscanf(++text, "1970-01-01T00:00:%d.%dZ", &seconds,
								&ms[n]), 2);
		ms[n++] += 1000 * seconds;
	}
	return n;
}

static bool
read_line(FILE *file, Line *line)
{
	char		amounts[512];
	char		times[512];

	if (fscanf(file, "%31[^\t]\t%255[^\t]\t%511[^\t]\t%511[^\n]\n", line->name,
			   line->accounts, amounts, times) != 4)
		return false;
	line->count = read_list(amounts, line->amounts);
	assert_int_equal(read_times(times, line->messages), line->count);
	return true;
}

static void
check_line(const Line *line)
{
	const Sent *first = &sent[line->messages[0]];
	const Sent *last = &sent[line->messages[line->count - 1]];

	for (int i = 0; i < line->count; i++)
	{
		const Sent *now = &sent[line->messages[i]];

		assert_true(now->planted);
		assert_true(now->amount == line->amounts[i]);
		if (i > 0)
			assert_true(line->messages[i] > line->messages[i - 1]);
		if (strcmp(line->name, "ring") == 0 || strcmp(line->name, "chain") == 0)
		{
			assert_true(now->amount == first->amount);
			if (i > 0)
				assert_string_equal(now->source,
									sent[line->messages[i - 1]].target);
		}
		if (strcmp(line->name, "fan-in") == 0)
			assert_string_equal(now->target, first->target);
		if (strcmp(line->name, "structuring") == 0)
		{
			assert_string_equal(now->source, first->source);
			assert_true(now->amount >= 9000 && now->amount < 10000);
		}
	}
	if (strcmp(line->name, "ring") == 0)
		assert_string_equal(last->target, first->source);
	if (strcmp(line->name, "pass-through") == 0)
		assert_string_equal(last->source, first->target);
}

static void
sends_what_it_says(void **state)
{
	FILE	   *file;
	Line		line;
	int			planted = 0;
	int			lines = 0;

	(void) state;
	send_all(11);
	file = fopen(path, "r");
	assert_non_null(file);
	for (; read_line(file, &line); lines++)
	{
		check_line(&line);
		planted += line.count;
	}
	fclose(file);
	assert_int_equal(lines, EACH * KINDS);
	for (int i = 0; i < MESSAGES; i++)
		planted -= sent[i].planted;
	assert_int_equal(planted, 0);
}

/* The account in the middle of a pass-through does nothing else. */
static void
leaves_pass_through_alone(void **state)
{
	FILE	   *file;
	Line		line;

	(void) state;
	send_all(12);
	file = fopen(path, "r");
	assert_non_null(file);
	while (read_line(file, &line))
	{
		const char *middle = sent[line.messages[0]].target;
		int			uses = 0;

		if (strcmp(line.name, "pass-through") != 0)
			continue;
		for (int i = 0; i < MESSAGES; i++)
			uses += strcmp(sent[i].source, middle) == 0 ||
				strcmp(sent[i].target, middle) == 0;
		assert_int_equal(uses, line.count);
	}
	fclose(file);
}

static void
refuses_what_has_no_room(void **state)
{
	PlantSettings options = settings();
	Synthetic	random;
	char		errstr[256];

	(void) state;
	synthetic_init(&random, 1, 1000, 9999);
	options.accounts = 2 * EACH * 57 - 1;
	assert_null(plant_open(&options, &random, errstr, sizeof(errstr)));
	assert_string_equal(errstr, "3 patterns of each kind need at least 342 accounts");
	options = settings();
	options.count = 647;
	assert_null(plant_open(&options, &random, errstr, sizeof(errstr)));
	assert_string_equal(errstr, "3 patterns of each kind need a count of at least 648");
	options = settings();
	options.days = 6;
	assert_null(plant_open(&options, &random, errstr, sizeof(errstr)));
	assert_string_equal(errstr, "patterns need more than 6 days");
	options = settings();
	options.file = "/nonexistent/plant";
	assert_null(plant_open(&options, &random, errstr, sizeof(errstr)));
	assert_string_equal(errstr, "could not create file \"/nonexistent/plant\": No such file or directory");
}

static void
tells_when_it_cannot_write(void **state)
{
	PlantSettings options = settings();
	Synthetic	random;
	SyntheticMessage message;
	char		errstr[256];
	Plant	   *plant;
	bool		written = true;

	(void) state;
	options.file = "/dev/full";
	synthetic_init(&random, 1, options.accounts, options.max_amount);
	plant = plant_open(&options, &random, errstr, sizeof(errstr));
	assert_non_null(plant);
	while (plant_next(plant, MESSAGES, &message))
		written = plant_sent(plant, 0, errstr, sizeof(errstr)) && written;
	written = plant_close(plant, errstr, sizeof(errstr)) && written;
	assert_false(written);
	assert_non_null(strstr(errstr, "could not write file \"/dev/full\""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_what_it_says),
		cmocka_unit_test(leaves_pass_through_alone),
		cmocka_unit_test(refuses_what_has_no_room),
		cmocka_unit_test(tells_when_it_cannot_write),
	};
	int			failed;
	int			file = mkstemp(path);

	if (file < 0 || close(file) != 0)
		return EXIT_FAILURE;
	failed = cmocka_run_group_tests_name("plant", tests, NULL, NULL);
	unlink(path);
	return failed;
}
