/*
 * The table of causes.  The texts are librdkafka's, 2.0 to 2.16; the first
 * line that fits counts.
 */
#include "kafka_cause.h"

#include <stdbool.h>
#include <string.h>

#define NO_CONNECTION "no Kafka connection, retrying"
#define HANGS_UP \
	"the broker hangs up: see security.protocol, its listener may "
#define OUR_CERTIFICATE \
	"the broker wants a certificate of ours, or refuses it: see" \
	" ssl.certificate.location and ssl.key.location"
#define REFUSED_PASSWORD \
	"the broker refuses the user or the password: see sasl.username and" \
	" sasl.password"
#define NO_TOPIC "topic not available, others go on, retrying"

static const KafkaCause causes[] = {
	{NULL, "certificate verify failed", NULL, NO_CONNECTION,
	"the broker's certificate is refused"},
	{NULL, "PLAINTEXT broker listener", NULL, NO_CONNECTION,
	HANGS_UP "have no TLS"},
	{NULL, "unexpected eof while reading", "SSL_HANDSHAKE", NO_CONNECTION,
	HANGS_UP "have no TLS"},
	{NULL, "Disconnected", "in state SSL_HANDSHAKE", NO_CONNECTION,
	HANGS_UP "have no TLS"},
	{NULL, "wrong version number", NULL, NO_CONNECTION,
	"the broker's listener has no TLS: see security.protocol"},
	{NULL, "alert certificate required", NULL, NO_CONNECTION,
	OUR_CERTIFICATE},
	{NULL, "alert bad certificate", NULL, NO_CONNECTION, OUR_CERTIFICATE},
	{NULL, "SSL alert number", NULL, NO_CONNECTION,
	"the broker refuses our TLS: its version, cipher or certificate"},
	{NULL, "connecting to a SSL listener", NULL, NO_CONNECTION,
	HANGS_UP "want TLS"},
	{NULL, "ssl://", "in state APIVERSION_QUERY", NO_CONNECTION,
	"the broker hangs up"},
	{NULL, "Disconnected", "in state APIVERSION_QUERY", NO_CONNECTION,
	HANGS_UP "want TLS"},
	{NULL, "Invalid response size", NULL, NO_CONNECTION,
		"the broker answers in another protocol: its listener may want TLS,"
	" see security.protocol"},
	{NULL, "broker might require SASL", NULL, NO_CONNECTION,
	HANGS_UP "want SASL"},
	{NULL, "sasl_", "after 0ms in state UP", NO_CONNECTION,
	"the broker hangs up"},
	{NULL, "Disconnected", "after 0ms in state UP", NO_CONNECTION,
	HANGS_UP "want SASL"},
	{"_TRANSPORT", "Connection refused", NULL, NO_CONNECTION,
	"nothing listens at the broker's address"},
	{"_RESOLVE", NULL, NULL, NO_CONNECTION,
	"the name of the broker's host cannot be resolved"},
	{"_AUTHENTICATION", "mechanism handshake failed", NULL, NO_CONNECTION,
	"the broker does not offer this SASL mechanism"},
	{"_AUTHENTICATION", "OAUTHBEARER token", NULL, NO_CONNECTION,
	"no OAUTHBEARER token is to be had: see sasl.oauthbearer.config"},
	{"_AUTHENTICATION", NULL, NULL, NO_CONNECTION, REFUSED_PASSWORD},
	{"SASL_AUTHENTICATION_FAILED", NULL, NULL, NO_CONNECTION,
	REFUSED_PASSWORD},
	{"_ALL_BROKERS_DOWN", NULL, NULL, NO_CONNECTION,
	"none of the brokers known can be reached"},
	{"TOPIC_AUTHORIZATION_FAILED", NULL, NULL, NO_TOPIC,
	"our Kafka user lacks the permission (ACL) READ on the topic"},
	{"UNKNOWN_TOPIC_OR_PART", NULL, NULL, NO_TOPIC,
	"the topic does not exist"},
	{"GROUP_AUTHORIZATION_FAILED", NULL, NULL, "consumer group refused",
	"our Kafka user lacks the permission (ACL) READ on the group"},
};

static bool has_part(const char *text, const char *part);

const KafkaCause *
kafka_cause_find(const char *error, const char *text)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if ((causes[i].error == NULL ||
			 strcmp(causes[i].error, error) == 0) &&
			has_part(text, causes[i].part) &&
			has_part(text, causes[i].other_part))
			return &causes[i];
	return NULL;
}

int
kafka_cause_number(const KafkaCause *cause)
{
	int			number = 1;

	if (cause == NULL)
		return 0;
	while (strcmp(causes[number - 1].cause, cause->cause) != 0)
		number++;
	return number;
}

static bool
has_part(const char *text, const char *part)
{
	return part == NULL || strstr(text, part) != NULL;
}
