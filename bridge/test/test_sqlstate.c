/*
 * What each class of database error means for the batch, and the row number
 * in an error's context.  Contexts are PostgreSQL 15's, in several languages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sqlstate.h"

typedef struct Case
{
	const char *sqlstate;
	const char *constraint;
	int64_t		row;
	SqlstateClass class;
} Case;

static void
check(SqlstateStep step, const Case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		SqlstateClass class = sqlstate_classify(step, cases[i].sqlstate,
												cases[i].constraint,
												cases[i].row);

		if (class != cases[i].class)
			fail_msg("%s, constraint %s, row %d: class %d instead of %d",
					 cases[i].sqlstate, cases[i].constraint,
					 (int) cases[i].row, (int) class, (int) cases[i].class);
	}
}

#define CHECK(step, cases) check(step, cases, sizeof(cases) / sizeof(cases[0]))

static void
only_a_rows_own_fault_is_a_dead_letter(void **state)
{
	static const Case cases[] = {
		{"22003", NULL, 7, SQLSTATE_REJECT},
		{"22021", "", 1, SQLSTATE_REJECT},
		{"23514", "fintrans_transactions_amount", 3, SQLSTATE_REJECT},
		/* the same codes from inside a trigger */
		{"22003", NULL, 0, SQLSTATE_RETRY},
		{"23514", "somebodys_check", 0, SQLSTATE_RETRY},
		/* other integrity errors are not the row's own */
		{"23505", "fintrans_laundering_pkey", 0, SQLSTATE_RETRY},
		{"39P01", NULL, 0, SQLSTATE_RETRY},
		{"23505", "somebodys_index", 4, SQLSTATE_RETRY},
		{"23502", NULL, 4, SQLSTATE_RETRY},
	};

	(void) state;
	CHECK(SQLSTATE_COPY_ROWS, cases);
}

static void
a_missing_partition_is_mended(void **state)
{
	static const Case copying[] = {
		{"23514", NULL, 5, SQLSTATE_MEND},
		{"23514", "", 0, SQLSTATE_MEND},
		{"42P01", NULL, 0, SQLSTATE_MEND},
	};
	static const Case other[] = {
		{"23514", NULL, 0, SQLSTATE_FATAL},
		{"23514", "fintrans_offsets_accounted", 0, SQLSTATE_FATAL},
		{"42P01", NULL, 0, SQLSTATE_FATAL},
	};

	(void) state;
	CHECK(SQLSTATE_COPY_ROWS, copying);
	CHECK(SQLSTATE_OTHER, other);
}

static void
outages_are_retried_at_every_step(void **state)
{
	static const Case cases[] = {
		{NULL, NULL, 0, SQLSTATE_RETRY},
		{"", NULL, 0, SQLSTATE_RETRY},
		{"08006", NULL, 0, SQLSTATE_RETRY},
		{"25006", NULL, 0, SQLSTATE_RETRY},
		{"25P03", NULL, 0, SQLSTATE_RETRY},
		{"40001", NULL, 0, SQLSTATE_RETRY},
		{"40P01", NULL, 0, SQLSTATE_RETRY},
		{"53100", NULL, 0, SQLSTATE_RETRY},
		{"53300", NULL, 0, SQLSTATE_RETRY},
		{"53400", NULL, 9, SQLSTATE_RETRY},
		{"55P03", NULL, 0, SQLSTATE_RETRY},
		{"57014", NULL, 3, SQLSTATE_RETRY},
		{"57P01", NULL, 0, SQLSTATE_RETRY},
		{"57P03", NULL, 0, SQLSTATE_RETRY},
		{"58030", NULL, 0, SQLSTATE_RETRY},
		{"XX000", NULL, 2, SQLSTATE_RETRY},
	};

	(void) state;
	CHECK(SQLSTATE_OTHER, cases);
	CHECK(SQLSTATE_COPY_ROWS, cases);
	CHECK(SQLSTATE_CONNECT, cases);
	CHECK(SQLSTATE_FIRST_CONNECT, cases);
}

static void
configuration_and_the_unknown_are_fatal(void **state)
{
	static const Case cases[] = {
		{"57P04", NULL, 0, SQLSTATE_FATAL},
		{"42501", NULL, 0, SQLSTATE_FATAL},
		{"42883", NULL, 0, SQLSTATE_FATAL},
		{"42703", NULL, 0, SQLSTATE_FATAL},
		{"3F000", NULL, 0, SQLSTATE_FATAL},
	};
	static const Case other[] = {
		{"22P02", NULL, 0, SQLSTATE_FATAL},
		{"23505", "fintrans_dead_letters_pkey", 3, SQLSTATE_FATAL},
		{"0A000", NULL, 0, SQLSTATE_FATAL},
		{"P0001", NULL, 0, SQLSTATE_FATAL},
	};
	/* COPY or a type does not understand what we send */
	static const Case encoding[] = {
		{"22P03", NULL, 1, SQLSTATE_FATAL},
		{"22P03", NULL, 0, SQLSTATE_FATAL},
		{"22P04", NULL, 1, SQLSTATE_FATAL},
	};
	/* from a trigger it says nothing about the installation */
	static const Case copying[] = {
		{"0A000", NULL, 0, SQLSTATE_RETRY},
		{"P0001", NULL, 0, SQLSTATE_RETRY},
	};

	(void) state;
	CHECK(SQLSTATE_OTHER, cases);
	CHECK(SQLSTATE_COPY_ROWS, cases);
	CHECK(SQLSTATE_OTHER, other);
	CHECK(SQLSTATE_COPY_ROWS, copying);
	CHECK(SQLSTATE_COPY_ROWS, encoding);
	CHECK(SQLSTATE_OTHER, encoding);
}

static void
a_refused_connection_is_fatal_at_first_only(void **state)
{
	static const Case first[] = {
		{"28P01", NULL, 0, SQLSTATE_FATAL},
		{"28000", NULL, 0, SQLSTATE_FATAL},
		{"3D000", NULL, 0, SQLSTATE_FATAL},
		{"42501", NULL, 0, SQLSTATE_FATAL},
	};
	static const Case later[] = {
		{"28P01", NULL, 0, SQLSTATE_RETRY},
		{"28000", NULL, 0, SQLSTATE_RETRY},
		{"3D000", NULL, 0, SQLSTATE_RETRY},
		{"57P04", NULL, 0, SQLSTATE_RETRY},
	};

	(void) state;
	CHECK(SQLSTATE_FIRST_CONNECT, first);
	CHECK(SQLSTATE_CONNECT, later);
}

static void
finds_the_row_in_a_context(void **state)
{
	static const char leaf[] = "fintrans_transactions_20261124";

	(void) state;
	assert_int_equal(sqlstate_copy_row(
					 "COPY fintrans_transactions_20261124, line 17", leaf),
					 17);
	assert_int_equal(sqlstate_copy_row(
					 "COPY fintrans_transactions_20261124, line 3, column amount",
					 leaf), 3);
	assert_int_equal(sqlstate_copy_row(
					 "COPY fintrans_transactions, line 1000000",
					 "fintrans_transactions"), 1000000);
	/* above other lines */
	assert_int_equal(sqlstate_copy_row(
					 "COPY fintrans_transactions, line 4\n"
					 "SQL statement \"x\"",
					 "fintrans_transactions"), 4);
	/* German, French, Japanese */
	assert_int_equal(sqlstate_copy_row(
					 "COPY fintrans_transactions_20261124, Zeile 21, Spalte amount",
					 leaf), 21);
	assert_int_equal(sqlstate_copy_row(
					 "COPY fintrans_transactions_20261124, ligne 22", leaf),
					 22);
	assert_int_equal(sqlstate_copy_row(
					 "fintrans_transactions_20261124\xE3\x81\xAE" "COPY\xE3\x80\x81"
					 "\xE8\xA1\x8C\xE7\x95\xAA\xE5\x8F\xB7 23", leaf), 23);
}

static void
finds_no_row_where_there_is_none(void **state)
{
	static const char leaf[] = "fintrans_transactions_20261124";

	(void) state;
	assert_int_equal(sqlstate_copy_row(NULL, leaf), 0);
	assert_int_equal(sqlstate_copy_row("", leaf), 0);
	/* a BEFORE ROW trigger that divides by zero; a function in a CHECK */
	assert_int_equal(sqlstate_copy_row(
					 "PL/pgSQL function bad() line 1 at assignment\n"
					 "COPY fintrans_transactions_20261124, line 1", leaf), 0);
	assert_int_equal(sqlstate_copy_row(
					 "SQL function \"f\" statement 1\n"
					 "COPY fintrans_transactions_20261124, line 4", leaf), 0);
	/* what an error in a statement trigger has */
	assert_int_equal(sqlstate_copy_row(
					 "SQL statement \"INSERT INTO x VALUES (1)\"\n"
					 "PL/pgSQL function f() line 3 at SQL statement", leaf),
					 0);
	assert_int_equal(sqlstate_copy_row("COPY other_table, line 5", leaf), 0);
	assert_int_equal(sqlstate_copy_row(
					 "COPY fintrans_transactions_20261124", leaf), 0);
	assert_int_equal(sqlstate_copy_row(
					 "COPY fintrans_transactions_20261124, line 0", leaf), 0);
	assert_int_equal(sqlstate_copy_row(
					 "COPY fintrans_transactions_20261124, line "
					 "99999999999999999999", leaf), 0);
}

static void
a_text_that_may_hold_data_is_not_logged(void **state)
{
	static const struct
	{
		const char *sqlstate;
		const char *context;
		bool		is_loggable;
	}			cases[] = {
		/* the server's own */
		{NULL, NULL, true},
		{"", NULL, true},
		{"42501", NULL, true},
		{"40P01", "while locking tuple (0,1) in relation \"fintrans_offsets\"",
		true},
		{"23514", "COPY fintrans_transactions, line 3", true},
		{"22P02", "COPY fintrans_transactions, line 3", false},
		/* functions of somebody's, in other languages too */
		{"P0001", "PL/pgSQL function public.block() line 3 at RAISE\n"
			"COPY fintrans_transactions, line 3", false},
		{"23514", "PL/pgSQL function is_fine(text) line 3 at RAISE\n"
			"COPY fintrans_transactions, line 3", false},
		{"XX000", "PL/Perl function \"block\"", false},
		{"01000", "SQL statement \"SELECT x\"\n"
			"PL/pgSQL-Funktion block() Zeile 3 bei PERFORM", false},
		{"55P03", "fonction PL/pgSQL see(fintrans_transactions), ligne 1",
		false},
		{"23514", "PL/pgSQL function inline_code_block line 1 at RAISE",
		false},
		/* what no server would say itself */
		{"P0001", NULL, false},
		{"ZZ001", NULL, false},
		/* ours */
		{"42P07", "PL/pgSQL function fintrans_ensure_partitions(timestamp "
			"with time zone,timestamp with time zone) line 9 at RAISE", true},
		{"P0002", "PL/pgSQL function public.fintrans_drop_before(text) line 9",
		true},
		{"ZZ001", "PL/pgSQL function fintrans_drop_before(text) line 9", false},
		/* ours, in whose course somebody's was called */
		{"42501", "PL/pgSQL function watch() line 1 at RAISE\n"
			"SQL statement \"CREATE TABLE x\"\n"
			"PL/pgSQL function fintrans_make_leaf(date) line 9", false},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (sqlstate_is_loggable(cases[i].sqlstate, cases[i].context) !=
			cases[i].is_loggable)
			fail_msg("%s, %s", cases[i].sqlstate, cases[i].context);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_rows_own_fault_is_a_dead_letter),
		cmocka_unit_test(a_missing_partition_is_mended),
		cmocka_unit_test(outages_are_retried_at_every_step),
		cmocka_unit_test(configuration_and_the_unknown_are_fatal),
		cmocka_unit_test(a_refused_connection_is_fatal_at_first_only),
		cmocka_unit_test(finds_the_row_in_a_context),
		cmocka_unit_test(finds_no_row_where_there_is_none),
		cmocka_unit_test(a_text_that_may_hold_data_is_not_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
