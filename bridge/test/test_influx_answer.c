/*
 * InfluxDB's answers.  The texts are those that InfluxDB 1.6.7 gave, and, for
 * 2 and 3, what their documentation shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "influx_answer.h"

typedef struct Case
{
	long		status;
	const char *text;
	InfluxVerdict verdict;
	size_t		dropped;
	const char *reason;
} Case;

static const Case cases[] = {
	{204, "", INFLUX_STORED, 0, "stored"},
	{200, "{}", INFLUX_STORED, 0, "stored"},
	{400, "{\"error\":\"partial write: field type conflict: input field "
		"\\\"amount\\\" on measurement \\\"b\\\" is type integer, already "
		"exists as type float dropped=3\"}", INFLUX_STORED_PARTLY, 3,
	"field type conflict"},
	{400, "{\"error\":\"partial write: points beyond retention policy "
	"dropped=7\"}", INFLUX_STORED_PARTLY, 7, "points beyond retention policy"},
	{400, "{\"error\":\"partial write: max-values-per-tag limit exceeded "
		"(100000/100000): measurement=\\\"b\\\" tag=\\\"source\\\" "
		"value=\\\"516\\\" dropped=1\"}", INFLUX_STORED_PARTLY, 1,
	"max-values-per-tag limit exceeded"},
	/* more than there were cannot be */
	{400, "partial write: x dropped=99999", INFLUX_STORED_PARTLY, 10,
	"refused"},
	/* how many lines could not be read it does not say */
	{400, "{\"error\":\"partial write: unable to parse 'b,source=516': missing "
	"fields dropped=0\"}", INFLUX_REFUSED, 0, "unable to parse"},
	{400, "{\"error\":\"unable to parse 'zz': missing fields\"}",
	INFLUX_REFUSED, 0, "unable to parse"},
	{400, "", INFLUX_REFUSED, 0, "refused"},
	{422, "{\"code\":\"unprocessable entity\",\"message\":\"failure writing "
		"points to database: partial write: points beyond retention policy "
	"dropped=2\"}", INFLUX_STORED_PARTLY, 2, "points beyond retention policy"},
	{401, "{\"code\":\"unauthorized\"}", INFLUX_RETRY, 0, "not authorized"},
	{403, "", INFLUX_RETRY, 0, "not authorized"},
	{404, "{\"error\":\"database not found: \\\"nope\\\"\"}",
	INFLUX_NO_DATABASE, 0, "database not found"},
	{404, "", INFLUX_NO_DATABASE, 0, "not found"},
	{413, "{\"error\":\"Request Entity Too Large\"}", INFLUX_TOO_LARGE, 0,
	"request too large"},
	{429, "", INFLUX_RETRY, 0, "server error"},
	{500, "{\"error\":\"timeout\"}", INFLUX_RETRY, 0, "timeout"},
	{500, "account 516", INFLUX_RETRY, 0, "server error"},
	{503, "", INFLUX_RETRY, 0, "server error"},
	{302, "", INFLUX_RETRY, 0, "server error"},
};

static void
judges_answers(void **state)
{
	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		InfluxAnswer answer = influx_answer_judge(cases[i].status,
												  cases[i].text, 10);

		assert_int_equal(answer.verdict, cases[i].verdict);
		assert_int_equal(answer.dropped, cases[i].dropped);
		assert_string_equal(answer.reason, cases[i].reason);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
