/*
 * Reads Prometheus' text format 0.0.4 as its description says, and fails the
 * test at whatever a scraper could stumble over, also where promtool does not
 * look: repeated samples, names that come in two places, histograms without
 * +Inf, a missing end of line.  For tests of what writes it.
 */
#ifndef FINTRANS_TEST_EXPOSITION_H
#define FINTRANS_TEST_EXPOSITION_H

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPOSITION_SAMPLES 2000

typedef struct ExpositionSample
{
	char		series[256];	/* name and labels as written */
	double		value;
} ExpositionSample;

static ExpositionSample exposition[EXPOSITION_SAMPLES];
static size_t exposition_count;

/* The end of a name of a metric or a label; fails where there is none. */
static const char *
exposition_skip_name(const char *text)
{
	const char *end = text;

	while (isalnum((unsigned char) *end) || *end == '_' || *end == ':')
		end++;
	assert_true(end > text && !isdigit((unsigned char) *text));
	return end;
}

static const char *
exposition_skip_labels(const char *text)
{
	do
	{
		text = exposition_skip_name(text + 1);
		assert_true(text[0] == '=' && text[1] == '"');
		for (text += 2; *text != '"'; text++)
		{
			assert_true(*text != '\0' && *text != '\n');
			if (*text == '\\')
				assert_non_null(strchr("\\\"n", *++text));
		}
		text++;
	} while (*text == ',');
	assert_int_equal(*text, '}');
	return text + 1;
}

static void
exposition_take_sample(const char *line, const char *name, const char *type)
{
	ExpositionSample *sample = &exposition[exposition_count];
	const char *end = exposition_skip_name(line);
	size_t		bytes = strlen(name);
	char	   *rest;

	assert_true(exposition_count < EXPOSITION_SAMPLES);
	/* the name announced; of a histogram, with one of three endings */
	assert_memory_equal(line, name, bytes);
	if (strcmp(type, "histogram") == 0)
		assert_true(strncmp(line + bytes, "_bucket{", 8) == 0 ||
					strncmp(line + bytes, "_sum ", 5) == 0 ||
					strncmp(line + bytes, "_count ", 7) == 0);
	else
		assert_int_equal(end - line, bytes);
	if (*end == '{')
		end = exposition_skip_labels(end);
	assert_int_equal(*end, ' ');
	snprintf(sample->series, sizeof(sample->series), "%.*s",
			 (int) (end - line), line);
	sample->value = strtod(end + 1, &rest);
	assert_true(rest > end + 1 && *rest == '\0');
	for (size_t i = 0; i < exposition_count; i++)
		assert_string_not_equal(exposition[i].series, sample->series);
	exposition_count++;
}

/* From the sample of this number on: bounds ascend, and so do the counts. */
static void
exposition_check_histogram(size_t first)
{
	double		bound = -INFINITY;
	double		count = 0;
	size_t		i = first;

	for (; bound < INFINITY; i++)
	{
		const char *le = strstr(exposition[i].series, "{le=\"");
		double		next;

		assert_true(i < exposition_count);
		assert_non_null(le);
		next = strtod(le + 5, NULL);
		assert_true(next > bound);
		assert_true(exposition[i].value >= count);
		bound = next;
		count = exposition[i].value;
	}
	assert_int_equal(exposition_count, i + 2);
	assert_non_null(strstr(exposition[i].series, "_sum"));
	assert_non_null(strstr(exposition[i + 1].series, "_count"));
	assert_true(exposition[i + 1].value == count);
}

/* Fills exposition[]; text is changed. */
static void
exposition_read(char *text)
{
	static char seen[200][128];
	size_t		seen_count = 0;
	char	   *line = text;

	exposition_count = 0;
	while (*line != '\0')
	{
		char		type[16];
		char		name[128];
		char		again[128];
		size_t		first = exposition_count;

		assert_int_equal(sscanf(line, "# HELP %127s ", name), 1);
		assert_non_null(line = strchr(line, '\n'));
		assert_int_equal(sscanf(++line, "# TYPE %127s %15[a-z]\n", again,
								type), 2);
		assert_string_equal(name, again);
		assert_non_null(line = strchr(line, '\n'));
		line++;
		for (size_t i = 0; i < seen_count; i++)
			assert_string_not_equal(seen[i], name);
		assert_true(seen_count < 200);
		snprintf(seen[seen_count++], sizeof(seen[0]), "%s", name);
		while (*line != '\0' && *line != '#')
		{
			char	   *end = strchr(line, '\n');

			assert_non_null(end);
			*end = '\0';
			exposition_take_sample(line, name, type);
			line = end + 1;
		}
		assert_int_equal(strcmp(type, "counter") == 0,
						 strlen(name) > 6 &&
						 strcmp(name + strlen(name) - 6, "_total") == 0);
		if (strcmp(type, "histogram") == 0)
			exposition_check_histogram(first);
	}
}

/* The value of a series, which must be there. */
static double
exposition_value(const char *series)
{
	for (size_t i = 0; i < exposition_count; i++)
		if (strcmp(exposition[i].series, series) == 0)
			return exposition[i].value;
	fail_msg("there is no %s", series);
	return 0;
}

#endif							/* FINTRANS_TEST_EXPOSITION_H */
