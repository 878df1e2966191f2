/*
 * The parts of a librdkafka client that do not depend on what it is for.
 *
 * Certificates are judged by threads of librdkafka, one a broker; why the
 * latest few were refused is kept under a lock until the error arrives that
 * follows from it.
 */
#include "kafka_client.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker_list.h"
#include "certificate.h"
#include "clock.h"
#include "kafka_cause.h"

/* Kinds of trouble: those of no topic, and one that is no error. */
#define KIND_UNREADABLE INT_MIN
#define KINDS_PER_TOPIC 1000
#define TOPIC_KINDS 1000000

typedef struct Refusal
{
	char		broker[128];	/* "host:port" */
	char		words[200];		/* what is wrong with its certificate */
} Refusal;

#define REFUSAL_COUNT 8

static pthread_mutex_t refusals_lock = PTHREAD_MUTEX_INITIALIZER;
static Refusal refusals[REFUSAL_COUNT];
static size_t refusals_next;	/* the oldest one's place */

static void tell_cause(const KafkaCause *known, const char *text, char *out,
					   size_t size);
static int	kind_of(int code, const KafkaCause *known, const char *topic);
static bool set_property(rd_kafka_conf_t *conf, const KafkaProperty *property,
						 char *errstr, size_t errstr_size);
static bool quotes(const char *text, const char *value);
static int	judge_certificate(rd_kafka_t *client, const char *broker,
							  int32_t broker_id, int *x509_error, int depth,
							  const char *certificate, size_t size,
							  char *errstr, size_t errstr_size,
							  void *opaque);
static void note_refusal(const char *broker, const char *words);
static bool has_wrong_scram(const char *text);
static bool find_refusal(const char *text, char *out, size_t size);
static bool names(const char *text, const char *broker);

bool
kafka_client_configure(rd_kafka_conf_t *conf,
					   const KafkaProperties *properties, char *errstr,
					   size_t errstr_size)
{
	for (size_t i = 0; i < properties->count; i++)
		if (!set_property(conf, &properties->items[i], errstr, errstr_size))
			return false;
	/* a librdkafka without TLS has no use for it */
	(void) rd_kafka_conf_set_ssl_cert_verify_cb(conf, judge_certificate);
	return true;
}

/* librdkafka itself waits for one that somebody might add. */
bool
kafka_client_check_brokers(const rd_kafka_conf_t *conf, char *errstr,
						   size_t errstr_size)
{
	static const char name[] = "bootstrap.servers";
	size_t		size = 0;
	char	   *brokers = NULL;
	bool		is_fine = false;

	snprintf(errstr, errstr_size, "out of memory");
	if (rd_kafka_conf_get(conf, name, NULL, &size) != RD_KAFKA_CONF_OK)
		is_fine = broker_list_check("", errstr, errstr_size);
	else if ((brokers = calloc(1, size + 1)) != NULL &&
			 rd_kafka_conf_get(conf, name, brokers, &size) == RD_KAFKA_CONF_OK)
		is_fine = broker_list_check(brokers, errstr, errstr_size);
	free(brokers);
	return is_fine;
}

rd_kafka_t *
kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf,
				 const KafkaProperties *properties, char *errstr,
				 size_t errstr_size)
{
	char		reason[512];
	char		safe[400];
	rd_kafka_t *client = rd_kafka_new(type, conf, reason, sizeof(reason));

	if (client != NULL)
		return client;
	rd_kafka_conf_destroy(conf);
	kafka_properties_hide(properties, reason, safe, sizeof(safe));
	snprintf(errstr, errstr_size, "%s%s", safe,
			 strstr(safe, "ssl.key.location failed") != NULL ?
			 " (does ssl.key.password fit the key, and is it a key?)" : "");
	return NULL;
}

void
kafka_client_note(Trouble *trouble, const KafkaProperties *properties,
				  int code, const char *topic, const char *event,
				  const char *text)
{
	const char *error = rd_kafka_err2name(code);
	const KafkaCause *known = kafka_cause_find(error, text);
	bool		is_named = topic == NULL || strstr(text, topic) != NULL;
	char		named[512];
	char		safe[512];
	char		quoted[512];
	char		cause[400];
	int64_t		suppressed;

	if (!trouble_is_due(trouble, kind_of(code, known, topic),
						clock_monotonic_ms(), &suppressed))
		return;
	snprintf(named, sizeof(named), "%s%s%s%s", is_named ? "" : "topic ",
			 is_named ? "" : topic, is_named ? "" : ": ", text);
	log_quote(kafka_properties_hide(properties, named, safe, sizeof(safe)),
			  quoted, sizeof(quoted));
	if (known == NULL)
	{
		log_write(LOG_LEVEL_WARNING, event,
				  "error=%s text=%s suppressed=%" PRId64, error, quoted,
				  suppressed);
		return;
	}
	tell_cause(known, text, cause, sizeof(cause));
	log_write(LOG_LEVEL_WARNING, known->event,
			  "error=%s cause=%s text=%s suppressed=%" PRId64, error,
			  log_quote(cause, (char[400]) {0}, 400), quoted, suppressed);
}

void
kafka_client_describe(const KafkaProperties *properties, int code,
					  const char *text, char *out, size_t size)
{
	const KafkaCause *known = kafka_cause_find(rd_kafka_err2name(code), text);

	if (known != NULL)
		tell_cause(known, text, out, size);
	else
		kafka_properties_hide(properties, text, out, size);
}

void
kafka_client_explain(int code, char *out, size_t size)
{
	const KafkaCause *known = kafka_cause_find(rd_kafka_err2name(code), "");

	snprintf(out, size, "%s%s%s", rd_kafka_err2str(code),
			 known != NULL ? ": " : "", known != NULL ? known->cause : "");
}

void
kafka_client_note_topic(Trouble *trouble, const char *topic)
{
	static const char *const errors[] = {
		"TOPIC_AUTHORIZATION_FAILED", "UNKNOWN_TOPIC_OR_PART"
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		trouble_forget(trouble,
					   kind_of(0, kafka_cause_find(errors[i], ""), topic));
}

void
kafka_client_note_failure(Trouble *trouble,
						  const KafkaProperties *properties,
						  const char *text)
{
	const char *thread = strstr(text, "]: ");

	if (strstr(text, "Disconnected") != NULL &&
		kafka_cause_find("", text) != NULL)
		kafka_client_note(trouble, properties, RD_KAFKA_RESP_ERR__TRANSPORT,
						  NULL, "", thread != NULL ? thread + 3 : text);
}

void
kafka_client_log(const KafkaProperties *properties, LogLevel level,
				 const char *facility, const char *text)
{
	char		safe[1024];

	if (log_enabled(level))
		log_write(level, "librdkafka", "facility=%s text=%s", facility,
				  log_quote(kafka_properties_hide(properties, text, safe,
												  sizeof(safe)),
							(char[1024]) {0}, 1024));
}

bool
kafka_client_renew(rd_kafka_t *client, Trouble *trouble,
				   KafkaProperties *properties)
{
	char		errstr[300];
	int64_t		suppressed;
	bool		is_changed = kafka_properties_renew(properties, errstr,
													sizeof(errstr));
	const char *username = kafka_properties_value(properties,
												  "sasl.username");
	const char *password = kafka_properties_value(properties,
												  "sasl.password");

	if (*errstr != '\0' &&
		trouble_is_due(trouble, KIND_UNREADABLE, clock_monotonic_ms(),
					   &suppressed))
		log_write(LOG_LEVEL_WARNING, "secret not read again, retrying",
				  "text=%s suppressed=%" PRId64,
				  log_quote(errstr, (char[300]) {0}, 300), suppressed);
	if (!is_changed || username == NULL || password == NULL)
		return false;
	log_write(LOG_LEVEL_INFO, "secrets read again", NULL);
	rd_kafka_error_destroy(rd_kafka_sasl_set_credentials(client, username,
														 password));
	return true;
}

/* Why a certificate is refused, librdkafka's text does not tell. */
static void
tell_cause(const KafkaCause *known, const char *text, char *out, size_t size)
{
	if (strstr(text, "certificate verify failed") == NULL ||
		!find_refusal(text, out, size))
		snprintf(out, size, "%s%s", known->cause,
				 has_wrong_scram(text) ? "; or it is Kafka 4, to which SCRAM"
				 " takes librdkafka 2.6.1 (and this is an older one)" : "");
}

/* The same cause is one kind, under whatever code it comes. */
static int
kind_of(int code, const KafkaCause *known, const char *topic)
{
	int			kind = known == NULL ? code :
		KINDS_PER_TOPIC / 2 + kafka_cause_number(known);
	unsigned	hash = 0;

	for (; topic != NULL && *topic != '\0'; topic++)
		hash = hash * 31 + (unsigned char) *topic;
	return (int) (hash % TOPIC_KINDS) * KINDS_PER_TOPIC + kind;
}

/*
 * A topic property may carry kcat's prefix `topic.`, but so begin some of the
 * client's own.
 */
static bool
set_property(rd_kafka_conf_t *conf, const KafkaProperty *property,
			 char *errstr, size_t errstr_size)
{
	static const char prefix[] = "topic.";
	const size_t prefix_bytes = sizeof(prefix) - 1;
	char		reason[300];
	rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, property->name,
												   property->value, reason,
												   sizeof(reason));

	if (result == RD_KAFKA_CONF_UNKNOWN &&
		strncmp(property->name, prefix, prefix_bytes) == 0)
		result = rd_kafka_conf_set(conf, property->name + prefix_bytes,
								   property->value, reason, sizeof(reason));
	if (result == RD_KAFKA_CONF_OK)
		return true;
	if (kafka_property_is_secret(property->name) &&
		quotes(reason, property->value))
		snprintf(errstr, errstr_size,
				 "property \"%s\" was refused by librdkafka", property->name);
	else
		snprintf(errstr, errstr_size, "%s", reason);
	return false;
}

/* Does text hold the value, or a beginning of it that was cut? */
static bool
quotes(const char *text, const char *value)
{
	char		beginning[5] = "";

	memcpy(beginning, value, strnlen(value, sizeof(beginning) - 1));
	return *beginning != '\0' && strstr(text, beginning) != NULL;
}

static int
judge_certificate(rd_kafka_t *client, const char *broker, int32_t broker_id,
				  int *x509_error, int depth, const char *certificate,
				  size_t size, char *errstr, size_t errstr_size,
				  void *opaque)
{
	(void) client;
	(void) broker_id;
	(void) certificate;
	(void) size;
	(void) opaque;
	if (*x509_error == 0)
		return 1;
	certificate_describe(*x509_error, depth, errstr, errstr_size);
	note_refusal(broker, errstr);
	return 0;
}

static void
note_refusal(const char *broker, const char *words)
{
	Refusal    *refusal;

	pthread_mutex_lock(&refusals_lock);
	refusal = &refusals[refusals_next++ % REFUSAL_COUNT];
	snprintf(refusal->broker, sizeof(refusal->broker), "%s", broker);
	snprintf(refusal->words, sizeof(refusal->words), "%s", words);
	pthread_mutex_unlock(&refusals_lock);
}

/* Before 2.6.1 librdkafka's nonce is not RFC 5802's, which Kafka 4 insists on. */
static bool
has_wrong_scram(const char *text)
{
	return rd_kafka_version() < 0x020601ff &&
		strstr(text, "invalid credentials with SASL mechanism SCRAM") != NULL;
}

/* The latest one of the broker that text names. */
static bool
find_refusal(const char *text, char *out, size_t size)
{
	bool		is_found = false;

	pthread_mutex_lock(&refusals_lock);
	for (size_t i = 1; i <= REFUSAL_COUNT && !is_found; i++)
	{
		const Refusal *refusal =
			&refusals[(refusals_next + REFUSAL_COUNT - i) % REFUSAL_COUNT];

		is_found = names(text, refusal->broker);
		if (is_found)
			snprintf(out, size, "the certificate of %.127s %.199s",
					 refusal->broker, refusal->words);
	}
	pthread_mutex_unlock(&refusals_lock);
	return is_found;
}

/* port 909 is not in 9092 */
static bool
names(const char *text, const char *broker)
{
	const char *at = *broker != '\0' ? strstr(text, broker) : NULL;

	return at != NULL && !isdigit((unsigned char) at[strlen(broker)]);
}
