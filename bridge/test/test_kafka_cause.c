/*
 * librdkafka's errors get their causes, by texts that it was seen to say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kafka_cause.h"

static void
assert_cause(const char *error, const char *text, const char *expected)
{
	const KafkaCause *cause = kafka_cause_find(error, text);

	if (cause == NULL)
		fail_msg("no cause of %s: %s", error, text);
	if (strstr(cause->cause, expected) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", cause->cause, expected);
	assert_true(strlen(cause->event) > 0);
}

static void
texts_have_their_causes(void **state)
{
	(void) state;
	assert_cause("_SSL", "ssl://k:1/bootstrap: SSL handshake failed:"
				 " error:0A000086:SSL routines::certificate verify failed:"
				 " broker certificate could not be verified", "certificate");
	assert_cause("_TRANSPORT", "ssl://k:1/bootstrap: error:0A000086:SSL"
				 " routines::certificate verify failed (after 1ms in state"
				 " SSL_HANDSHAKE)", "certificate");
	assert_cause("_SSL", "SSL handshake failed: Disconnected: connecting to a"
				 " PLAINTEXT broker listener? (after 2ms in state"
				 " SSL_HANDSHAKE)", "have no TLS");
	assert_cause("_SSL", "SSL handshake failed: error:0A000126:SSL routines::"
				 "unexpected eof while reading (after 1ms in state"
				 " SSL_HANDSHAKE)", "have no TLS");
	assert_cause("_TRANSPORT", "Receive failed: error:0A000412:SSL routines::"
				 "sslv3 alert bad certificate: SSL alert number 42",
				 "certificate of ours");
	assert_cause("_TRANSPORT", "Receive failed: error:0A000410:SSL routines::"
				 "sslv3 alert handshake failure: SSL alert number 40",
				 "refuses our TLS");
	assert_cause("_TRANSPORT", "k:1/bootstrap: Disconnected: verify that"
				 " security.protocol is correctly configured, broker might"
				 " require SASL authentication (after 6ms in state UP)",
				 "want SASL");
	assert_cause("_TRANSPORT", "k:1/bootstrap: Disconnected while requesting"
				 " ApiVersion: might be caused by incorrect security.protocol"
				 " configuration (connecting to a SSL listener?) or broker"
				 " version is < 0.10 (see api.version.request)",
				 "want TLS");
	assert_cause("", "k:1/bootstrap: Disconnected: connection closed by peer:"
				 " receive 0 after POLLIN (after 110ms in state"
				 " APIVERSION_QUERY)", "want TLS");
	assert_cause("", "k:1/bootstrap: Disconnected: connection closed by peer:"
				 " receive 0 after POLLIN (after 0ms in state UP)",
				 "want SASL");
	assert_cause("_AUTHENTICATION", "SASL authentication error:"
				 " Authentication failed", "password");
	assert_cause("_TRANSPORT", "Connect to ipv4#127.0.0.1:1 failed:"
				 " Connection refused (after 0ms in state CONNECT)",
				 "nothing listens");
	assert_cause("TOPIC_AUTHORIZATION_FAILED", "", "READ on the topic");
	assert_cause("GROUP_AUTHORIZATION_FAILED", "", "READ on the group");
}

static void
others_speak_for_themselves(void **state)
{
	(void) state;
	assert_null(kafka_cause_find("_TIMED_OUT", "1 request(s) timed out"));
	assert_null(kafka_cause_find("_TRANSPORT", ""));
	/* a broker that stops */
	assert_null(kafka_cause_find("_TRANSPORT", "Receive failed: ssl3_read_n"
								 " error:0A000126:SSL routines::unexpected"
								 " eof while reading"));
	/* an idle connection */
	assert_null(kafka_cause_find("_TRANSPORT", "k:1/1: Disconnected (after"
								 " 600000ms in state UP)"));
	assert_null(kafka_cause_find("", "Connection refused"));
}

static void
causes_are_told_apart_by_number(void **state)
{
	const KafkaCause *topic =
		kafka_cause_find("TOPIC_AUTHORIZATION_FAILED", "");
	const KafkaCause *group =
		kafka_cause_find("GROUP_AUTHORIZATION_FAILED", "");

	(void) state;
	assert_int_equal(kafka_cause_number(NULL), 0);
	assert_true(kafka_cause_number(topic) > 0);
	assert_int_not_equal(kafka_cause_number(topic),
						 kafka_cause_number(group));
	/* the same under other names */
	assert_int_equal(kafka_cause_number(kafka_cause_find("_AUTHENTICATION",
														 "")),
					 kafka_cause_number(kafka_cause_find(
						 "SASL_AUTHENTICATION_FAILED", "")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_have_their_causes),
		cmocka_unit_test(others_speak_for_themselves),
		cmocka_unit_test(causes_are_told_apart_by_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
