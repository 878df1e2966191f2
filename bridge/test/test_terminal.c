/*
 * Lines typed are taken whole or refused, and what else there is to wait for
 * is not polled in vain.  Standard input is a pipe, and what stop.c does is
 * played: one piece of typing for each wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "stop.h"
#include "terminal.h"

/* A descriptor that is always ready. */
#define OTHER 1000

typedef struct Piece
{
	const char *bytes;
	size_t		size;
} Piece;

#define PIECE(text) {text, sizeof(text) - 1}

static const Piece *pieces;
static size_t pieces_left;
static bool is_within_line;
static int	keyboard;			/* what is written there is typed */
static char line[TERMINAL_LINE_BYTES];

/*
 * The other descriptor has input all the time: within a line it must not be
 * waited for, or the wait ends at once, again and again.
 */
void
stop_wait(struct pollfd *inputs, nfds_t count, int64_t timeout_ms)
{
	assert_int_equal(count, 2);
	assert_int_equal(timeout_ms, -1);
	assert_int_equal(inputs[1].fd, is_within_line ? -1 : OTHER);
	inputs[1].revents = is_within_line ? 0 : POLLIN;
	inputs[0].revents = pieces_left > 0 ? POLLIN : 0;
	if (pieces_left == 0)
		return;
	assert_int_equal(write(keyboard, pieces->bytes, pieces->size),
					 pieces->size);
	is_within_line = pieces->bytes[pieces->size - 1] != '\n';
	pieces++;
	pieces_left--;
}

int
stop_signal(void)
{
	return 0;
}

static TerminalEvent
typed(const Piece *those, size_t count)
{
	pieces = those;
	pieces_left = count;
	return terminal_wait(line, OTHER);
}

static void
a_line_is_taken_without_its_end(void **state)
{
	const Piece one[] = {PIECE("a note\n")};

	(void) state;
	assert_int_equal(typed(one, 1), TERMINAL_LINE);
	assert_string_equal(line, "a note");
}

static void
the_other_input_counts_between_lines_only(void **state)
{
	const Piece broken[] = {PIECE("a no"), PIECE("te\n")};

	(void) state;
	assert_int_equal(typed(NULL, 0), TERMINAL_INPUT);
	assert_int_equal(typed(broken, 2), TERMINAL_LINE);
	assert_string_equal(line, "a note");
}

static void
a_nul_is_refused(void **state)
{
	const Piece nul[] = {PIECE("a\0b\n")};

	(void) state;
	assert_int_equal(typed(nul, 1), TERMINAL_UNFIT);
}

/* As the kernel hands over what is longer. */
static void
what_was_cut_is_refused(void **state)
{
	static char full[TERMINAL_LINE_BYTES];
	const Piece whole[] = {{full + 1, sizeof(full) - 1}};
	const Piece cut[] = {{full, sizeof(full)}};
	const Piece parts[] = {
		{full, sizeof(full) - 1}, PIECE("a"), PIECE("b\n")
	};

	(void) state;
	memset(full, 'a', sizeof(full));
	full[sizeof(full) - 1] = '\n';
	assert_int_equal(typed(whole, 1), TERMINAL_LINE);
	assert_int_equal(strlen(line), TERMINAL_LINE_BYTES - 2);
	assert_int_equal(typed(cut, 1), TERMINAL_UNFIT);
	assert_int_equal(typed(parts, 3), TERMINAL_UNFIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_taken_without_its_end),
		cmocka_unit_test(the_other_input_counts_between_lines_only),
		cmocka_unit_test(a_nul_is_refused),
		cmocka_unit_test(what_was_cut_is_refused)
	};
	int			ends[2];

	if (pipe(ends) != 0 || dup2(ends[0], STDIN_FILENO) < 0)
		return 1;
	keyboard = ends[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
