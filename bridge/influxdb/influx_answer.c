/*
 * InfluxDB 1 stores what it can of a write and answers 400, "partial write",
 * with the number of points dropped; 2 and 3 answer 400 or 422.  The texts
 * quote points, accounts included, so nothing of them is passed on.
 */
#include "influx_answer.h"

#include <stdlib.h>
#include <string.h>

typedef struct Phrase
{
	const char *phrase;
	const char *reason;
} Phrase;

static const Phrase phrases[] = {
	{"field type conflict", "field type conflict"},
	{"beyond retention policy", "points beyond retention policy"},
	{"outside retention policy", "points beyond retention policy"},
	{"outside of the retention period", "points beyond retention policy"},
	{"max-values-per-tag limit exceeded", "max-values-per-tag limit exceeded"},
	{"max-series-per-database limit exceeded",
	"max-series-per-database limit exceeded"},
	{"max series per database exceeded",
	"max-series-per-database limit exceeded"},
	{"unable to parse", "unable to parse"},
	{"database not found", "database not found"},
	{"bucket", "bucket not found"},
	{"cache-max-memory-size", "cache-max-memory-size exceeded"},
	{"timeout", "timeout"},
};

static const char *reason_in(const char *text, const char *otherwise);
static InfluxAnswer judge_refusal(const char *text, size_t points);

InfluxAnswer
influx_answer_judge(long status, const char *text, size_t points)
{
	if (status >= 200 && status < 300)
		return (InfluxAnswer) {INFLUX_STORED, 0, "stored"};
	switch (status)
	{
		case 400:
		case 422:
			return judge_refusal(text, points);
		case 401:
		case 403:
			return (InfluxAnswer) {INFLUX_RETRY, 0, "not authorized"};
		case 404:
			return (InfluxAnswer) {INFLUX_NO_DATABASE, 0,
			reason_in(text, "not found")};
		case 413:
			return (InfluxAnswer) {INFLUX_TOO_LARGE, 0, "request too large"};
	}
	return (InfluxAnswer) {INFLUX_RETRY, 0, reason_in(text, "server error")};
}

static InfluxAnswer
judge_refusal(const char *text, size_t points)
{
	static const char count[] = "dropped=";
	const char *dropped = strstr(text, count);
	InfluxAnswer answer = {INFLUX_REFUSED, 0, reason_in(text, "refused")};

	/* with a line it could not read it says dropped=0: not all is told */
	if (strstr(text, "partial write") == NULL || dropped == NULL ||
		strstr(text, "unable to parse") != NULL)
		return answer;
	answer.dropped = strtoul(dropped + sizeof(count) - 1, NULL, 10);
	if (answer.dropped > points)
		answer.dropped = points;
	answer.verdict = INFLUX_STORED_PARTLY;
	return answer;
}

static const char *
reason_in(const char *text, const char *otherwise)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (strstr(text, phrases[i].phrase) != NULL)
			return phrases[i].reason;
	return otherwise;
}
