/*
 * One word and the reasons, from what is known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "readiness.h"

#define NOW_MS INT64_C(1000000)

static Readiness readiness;
static LagList partitions;

/* A bridge at work on two partitions, one of them with lag. */
static ReadinessFacts
good_facts(void)
{
	lag_list_free(&partitions);
	assert_true(lag_list_begin(&partitions, 2));
	lag_list_add(&partitions, "London", 0, 5, 5, NOW_MS);
	lag_list_add(&partitions, "London", 1, 5, 9, NOW_MS - 1000);
	return (ReadinessFacts)
	{
		.assigned = true,
		.loading = true,
		.group = "fintrans",
		.partitions = &partitions,
		.now_ms = NOW_MS,
		.idle_ms = NOW_MS
	};
}

static void
assert_judged(const ReadinessFacts *facts, BridgeState wanted,
			  const char *reasons)
{
	readiness_judge(&readiness, facts);
	assert_string_equal(bridge_state_words[readiness.state],
						bridge_state_words[wanted]);
	assert_string_equal(readiness.reasons, reasons);
	assert_int_equal(readiness_is_ready(&readiness), reasons[0] == '\0');
}

static void
at_work_it_is_ready(void **state)
{
	ReadinessFacts facts = good_facts();

	(void) state;
	assert_judged(&facts, STATE_LOADING, "");
	/* one bridge too many gets no partition, and waits for one */
	assert_true(lag_list_begin(&partitions, 0));
	assert_judged(&facts, STATE_LOADING, "");
}

static void
the_whole_is_judged_first(void **state)
{
	ReadinessFacts facts = {.starting = true};
	ConsumerTopic topics[] = {{"London", ""}, {"Oslo", "not there"}};

	(void) state;
	assert_judged(&facts, STATE_STARTING,
				  "starting: the database has not been checked yet\n");
	facts.database = "away";
	assert_judged(&facts, STATE_RETRYING, "database: away\n");

	facts = good_facts();
	facts.assigned = facts.loading = false;
	assert_judged(&facts, STATE_WAITING,
				  "assignment: consumer group \"fintrans\" has given no"
				  " partitions yet\n");
	facts.assigned = true;
	assert_judged(&facts, STATE_WAITING,
				  "assignment: it is being looked up where the partitions"
				  " begin\n");
	facts.positions = "no\nanswer";
	assert_judged(&facts, STATE_RETRYING,
				  "assignment: it is being looked up where the partitions"
				  " begin: no answer\n");

	facts = good_facts();
	facts.kafka = "away";
	facts.topics = topics;
	facts.topic_count = 2;
	assert_judged(&facts, STATE_RETRYING,
				  "kafka: away\ntopic: topic \"Oslo\": not there\n");
	facts.kafka = NULL;
	assert_judged(&facts, STATE_LOADING,
				  "topic: topic \"Oslo\": not there\n");
	facts = good_facts();
	facts.stopping = true;
	facts.database = "away";
	assert_judged(&facts, STATE_STOPPING,
				  "stopping: the bridge ends\ndatabase: away\n");
}

static void
partitions_are_named(void **state)
{
	ReadinessFacts facts = good_facts();

	(void) state;
	partitions.items[0].halted = "made anew";
	partitions.items[1].unanswered = true;
	assert_judged(&facts, STATE_HALTED,
				  "halted: topic \"London\" partition 0: made anew\n"
				  "unanswered: topic \"London\" partition 1: Kafka does not"
				  " answer for it\n");
	assert_true(readiness.causes[CAUSE_HALTED]);
	assert_true(readiness.causes[CAUSE_UNANSWERED]);
	assert_false(readiness.causes[CAUSE_STALLED]);
	partitions.items[0].unreadable = true;
	assert_judged(&facts, STATE_HALTED,
				  "unreadable: topic \"London\" partition 0: made anew\n"
				  "unanswered: topic \"London\" partition 1: Kafka does not"
				  " answer for it\n");
	assert_false(readiness.causes[CAUSE_HALTED]);
	partitions.items[0].halted = NULL;
	assert_judged(&facts, STATE_LOADING,
				  "unanswered: topic \"London\" partition 1: Kafka does not"
				  " answer for it\n");
}

static void
what_stands_still_is_stalled(void **state)
{
	static const char stalled[] =
		"stalled: topic \"London\" partition 1: nothing was stored for 20 s at"
		" offset 5, with a lag of 4\n";
	ReadinessFacts facts = good_facts();

	(void) state;
	partitions.items[1].since_ms = NOW_MS - 19999;
	assert_judged(&facts, STATE_LOADING, "");
	partitions.items[1].since_ms = NOW_MS - 20000;
	assert_judged(&facts, STATE_LOADING, stalled);
	/* messages may linger, or wait behind others */
	facts.patience_ms = 1;
	assert_judged(&facts, STATE_LOADING, "");
	facts.patience_ms = 0;
	facts.idle_ms = NOW_MS - 10001;
	assert_judged(&facts, STATE_LOADING, "");
	/* what is explained is not told twice */
	facts.idle_ms = NOW_MS;
	facts.database = "away";
	assert_judged(&facts, STATE_RETRYING, "database: away\n");
	/* but not for ever */
	facts = good_facts();
	facts.idle_ms = 0;
	partitions.items[1].since_ms = NOW_MS - 299999;
	assert_judged(&facts, STATE_LOADING, "");
	partitions.items[1].since_ms = NOW_MS - 300000;
	readiness_judge(&readiness, &facts);
	assert_true(readiness.causes[CAUSE_STALLED]);
}

/* Of many reasons as many as fit, and the number of the others. */
static void
reasons_end_with_a_whole_line(void **state)
{
	const size_t many = 1000;
	ReadinessFacts facts = good_facts();
	char		reason[200];
	size_t		lines = 0;
	size_t		more = 0;
	const char *last;

	(void) state;
	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	assert_true(lag_list_begin(&partitions, many));
	for (size_t i = 0; i < many; i++)
		lag_list_add(&partitions, "London", (int32_t) i, 0, 0,
					 NOW_MS)->halted = reason;
	readiness_judge(&readiness, &facts);
	for (const char *c = readiness.reasons; *c != '\0'; c++)
		lines += *c == '\n';
	assert_true(lines > 10);
	assert_true(strlen(readiness.reasons) < READINESS_BYTES);
	last = strstr(readiness.reasons, "\nand ");
	assert_non_null(last);
	assert_int_equal(sscanf(last, "\nand %zu more reasons\n", &more), 1);
	assert_int_equal(lines - 1 + more, many);
	lag_list_free(&partitions);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_work_it_is_ready),
		cmocka_unit_test(the_whole_is_judged_first),
		cmocka_unit_test(partitions_are_named),
		cmocka_unit_test(what_stands_still_is_stalled),
		cmocka_unit_test(reasons_end_with_a_whole_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
