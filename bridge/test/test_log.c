/*
 * Tests of the log lines: their form, and that no text given by others can
 * break it.
 */
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"

/* What write() sends to standard error, at most size - 1 bytes. */
static void
capture(void (*write_lines) (void), char *out, size_t size)
{
	FILE	   *file = tmpfile();
	int			standard_error = dup(STDERR_FILENO);
	size_t		bytes;

	assert_non_null(file);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	write_lines();
	assert_true(dup2(standard_error, STDERR_FILENO) >= 0);
	close(standard_error);
	rewind(file);
	bytes = fread(out, 1, size - 1, file);
	out[bytes] = '\0';
	fclose(file);
}

static void
assert_matches(const char *text, const char *pattern)
{
	regex_t		regex;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&regex, text, 0, NULL, 0) != 0)
		fail_msg("\"%s\" does not match \"%s\"", text, pattern);
	regfree(&regex);
}

#define TIME "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}" \
	"\\.[0-9]{3}Z "

static void
write_plain(void)
{
	log_write(LOG_LEVEL_WARNING, "two words", "count=%d", 3);
}

static void
a_line_has_time_level_program_event_details(void **state)
{
	char		text[512];

	(void) state;
	log_open("test", "info");
	capture(write_plain, text, sizeof(text));
	assert_matches(text, TIME "level=warning program=test "
				   "event=\"two words\" count=3\n$");
}

static void
write_all_levels(void)
{
	log_write(LOG_LEVEL_ERROR, "e", NULL);
	log_write(LOG_LEVEL_WARNING, "w", NULL);
	log_write(LOG_LEVEL_INFO, "i", NULL);
	log_write(LOG_LEVEL_DEBUG, "d", NULL);
}

static void
levels_above_the_chosen_one_are_silent(void **state)
{
	static const char *const levels[] = {"error", "warning", "info", "debug"};
	char		text[1024];

	(void) state;
	for (int chosen = 0; chosen < 4; chosen++)
	{
		log_open("test", levels[chosen]);
		capture(write_all_levels, text, sizeof(text));
		for (int level = 0; level < 4; level++)
		{
			char		word[32];

			snprintf(word, sizeof(word), "level=%s ", levels[level]);
			assert_int_equal(strstr(text, word) != NULL, level <= chosen);
			assert_int_equal(log_enabled((LogLevel) level), level <= chosen);
		}
	}
}

static void
write_line_ends(void)
{
	log_write(LOG_LEVEL_ERROR, "a\nlevel=info", "x=%s", "1\n2\r3\033[2J");
}

static void
an_event_stays_one_line(void **state)
{
	char		text[512];

	(void) state;
	log_open("test", "info");
	capture(write_line_ends, text, sizeof(text));
	assert_matches(text, "event=\"a\\\\nlevel=info\" x=1 2 3 \\[2J\n$");
}

static void
write_too_much(void)
{
	char		value[6000];

	memset(value, 'v', sizeof(value));
	log_write(LOG_LEVEL_ERROR, "long", "value=%.*s", (int) sizeof(value),
			  value);
}

static void
a_line_too_long_is_cut(void **state)
{
	char		text[8192];

	(void) state;
	log_open("test", "info");
	capture(write_too_much, text, sizeof(text));
	/* PIPE_BUF: longer lines could mix with others' */
	assert_int_equal(strlen(text), 4096);
	assert_string_equal(text + 4096 - 6, "vv...\n");
}

static void
assert_quoted(const char *text, int size, const char *expected)
{
	char	   *buffer = malloc((size_t) size);

	assert_ptr_equal(log_quote(text, buffer, size), buffer);
	assert_string_equal(buffer, expected);
	free(buffer);
}

static void
values_are_quoted_where_needed(void **state)
{
	(void) state;
	assert_quoted("plain", 64, "plain");
	assert_quoted("", 64, "\"\"");
	assert_quoted(NULL, 64, "\"\"");
	assert_quoted("two words", 64, "\"two words\"");
	assert_quoted("a=b", 64, "\"a=b\"");
	assert_quoted("say \"no\"", 64, "\"say \\\"no\\\"\"");
	assert_quoted("back\\slash", 64, "\"back\\\\slash\"");
	assert_quoted("a\nb\tc\x7f", 64, "\"a\\nb\\x09c\\x7f\"");
	assert_quoted("Z\xc3\xbcrich \xf0\x9f\x92\xb0", 64,
				  "\"Z\xc3\xbcrich \xf0\x9f\x92\xb0\"");
	/* C1 controls, lone continuation, truncated and overlong sequences */
	assert_quoted("\xc2\x9b" "2J", 64, "\"\\xc2\\x9b2J\"");
	assert_quoted("\x80", 64, "\"\\x80\"");
	assert_quoted("\xe2\x82", 64, "\"\\xe2\\x82\"");
	assert_quoted("\xc0\xaf", 64, "\"\\xc0\\xaf\"");
}

/* The sanitizer watches that not a byte is written beyond the buffer. */
static void
values_too_long_are_cut(void **state)
{
	(void) state;
	assert_quoted("1234567", 8, "1234567");
	assert_quoted("12345678", 8, "\"12...\"");
	assert_quoted("aaaaaaaaaaaaaaaa", 12, "\"aaaaaa...\"");
	/* between characters, not within one */
	assert_quoted("aaaaa\xc3\xbc\xc3\xbc\xc3\xbc", 12, "\"aaaaa...\"");
	assert_quoted("\n\n\n\n\n\n\n", 12, "\"\\n\\n\\n...\"");
}

static void
write_to_standard_error(void *text)
{
	assert_int_equal(write(STDERR_FILENO, text, strlen(text)), strlen(text));
}

static void
write_after_a_call(void)
{
	log_call_before(write_to_standard_error, "called\n");
	log_write(LOG_LEVEL_INFO, "first", NULL);
	log_write(LOG_LEVEL_DEBUG, "silent", NULL);
	log_call_before(NULL, NULL);
	log_write(LOG_LEVEL_INFO, "second", NULL);
}

static void
lines_that_are_written_can_be_preceded(void **state)
{
	char		out[1024];

	(void) state;
	log_open("test", "info");
	capture(write_after_a_call, out, sizeof(out));
	assert_matches(out, "^called\n.* event=first\n[^\n]* event=second\n$");
}

static void
errno_survives(void **state)
{
	(void) state;
	log_open("test", "error");
	errno = ENOENT;
	log_write(LOG_LEVEL_INFO, "silent", NULL);
	assert_int_equal(errno, ENOENT);
}

/* A socket opened later must not become standard output or error. */
static void
closed_standard_descriptors_are_occupied(void **state)
{
	pid_t		child = fork();
	int			status;

	(void) state;
	assert_true(child >= 0);
	if (child == 0)
	{
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		log_open("test", "info");
		_exit(open("/dev/null", O_RDWR) > STDERR_FILENO &&
			  write(STDOUT_FILENO, "x", 1) < 0 &&
			  write(STDERR_FILENO, "x", 1) == 1 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_time_level_program_event_details),
		cmocka_unit_test(levels_above_the_chosen_one_are_silent),
		cmocka_unit_test(an_event_stays_one_line),
		cmocka_unit_test(a_line_too_long_is_cut),
		cmocka_unit_test(values_are_quoted_where_needed),
		cmocka_unit_test(values_too_long_are_cut),
		cmocka_unit_test(lines_that_are_written_can_be_preceded),
		cmocka_unit_test(errno_survives),
		cmocka_unit_test(closed_standard_descriptors_are_occupied),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
