/*
 * Lists of topics: what is taken apart, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "topic_list.h"

static void
reads_each_name_once(void **state)
{
	TopicList	list;
	char		errstr[512];

	(void) state;
	assert_true(topic_list_read(&list, "London,NYC,London,a.b_c-9", errstr,
								sizeof(errstr)));
	assert_int_equal(list.count, 3);
	assert_string_equal(list.names[0], "London");
	assert_string_equal(list.names[1], "NYC");
	assert_string_equal(list.names[2], "a.b_c-9");
	topic_list_free(&list);
}

/* Kafka's documentation: at most 249 of [a-zA-Z0-9._-], and not . or .. */
static void
refuses_what_kafka_refuses(void **state)
{
	/* a blank, a pattern, letters that are not ASCII */
	static const char *const texts[] = {
		"", ",", ",,", "London,", ",London", "London,,NYC", "London, NYC",
		" London", "London;NYC", "^Lon.*", "M\xc3\xbcnchen", "a/b", ".", ".."
	};
	TopicList	list;
	char		errstr[512];

	(void) state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		assert_false(topic_list_read(&list, texts[i], errstr,
									 sizeof(errstr)));
		assert_non_null(strstr(errstr, topic_name_rule));
	}
}

static void
knows_the_longest_name(void **state)
{
	char		name[251];
	TopicList	list;
	char		errstr[512];

	(void) state;
	memset(name, 'x', 250);
	name[250] = '\0';
	assert_false(topic_list_read(&list, name, errstr, sizeof(errstr)));
	name[249] = '\0';
	assert_true(topic_list_read(&list, name, errstr, sizeof(errstr)));
	topic_list_free(&list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_each_name_once),
		cmocka_unit_test(refuses_what_kafka_refuses),
		cmocka_unit_test(knows_the_longest_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
