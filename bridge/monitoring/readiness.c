/*
 * Weighs what is known.  What explains another trouble is told, and that one
 * is not: without a database nothing is stored in any partition.
 */
#include "readiness.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text_buffer.h"

/*
 * A partition is stalled when its messages are not stored for so long although
 * there was nothing else to take: a message may wait behind many others, but
 * in the end for none.
 */
#define STALLED_MS 20000
#define STALLED_BEHIND_OTHERS_MS 300000

/* Kept free for the last line, which counts what did not fit. */
#define RESERVE_BYTES 64

/* Reasons on their way into lines. */
typedef struct Reasons
{
	Readiness  *readiness;
	TextBuffer	buffer;
	size_t		left_out;
} Reasons;

static void judge_whole(Reasons *reasons, const ReadinessFacts *facts);
static void judge_partitions(Reasons *reasons, const ReadinessFacts *facts);
static void judge_partition(Reasons *reasons, const ReadinessFacts *facts,
							const LagItem *item);
static bool is_stalled(const ReadinessFacts *facts, const LagItem *item);
static BridgeState find_state(const Readiness *readiness,
							  const ReadinessFacts *facts);
static void give_reason(Reasons *reasons, ReadinessCause cause,
						const char *format,...)
			__attribute__((format(printf, 3, 4)));

const char *const bridge_state_words[BRIDGE_STATE_COUNT] = {
#define X(enumerator, word, meaning) word,
	BRIDGE_STATES(X)
#undef X
};

const char *const readiness_cause_words[READINESS_CAUSE_COUNT] = {
#define X(enumerator, word, meaning) word,
	READINESS_CAUSES(X)
#undef X
};

void
readiness_judge(Readiness *readiness, const ReadinessFacts *facts)
{
	Reasons		reasons = {.readiness = readiness};

	memset(readiness->causes, 0, sizeof(readiness->causes));
	reasons.buffer = text_buffer_of(readiness->reasons,
									READINESS_BYTES - RESERVE_BYTES);
	judge_whole(&reasons, facts);
	judge_partitions(&reasons, facts);
	if (reasons.left_out > 0)
	{
		reasons.buffer.size = READINESS_BYTES;
		text_buffer_add(&reasons.buffer, "and %zu more reasons\n",
						reasons.left_out);
	}
	readiness->state = find_state(readiness, facts);
}

bool
readiness_is_ready(const Readiness *readiness)
{
	for (size_t i = 0; i < READINESS_CAUSE_COUNT; i++)
		if (readiness->causes[i])
			return false;
	return true;
}

static void
judge_whole(Reasons *reasons, const ReadinessFacts *facts)
{
	if (facts->stopping)
		give_reason(reasons, CAUSE_STOPPING, "the bridge ends");
	if (facts->database != NULL)
		give_reason(reasons, CAUSE_DATABASE, "%s", facts->database);
	if (facts->kafka != NULL)
		give_reason(reasons, CAUSE_KAFKA, "%s", facts->kafka);
	for (size_t i = 0; i < facts->topic_count; i++)
		if (facts->topics[i].reason[0] != '\0')
			give_reason(reasons, CAUSE_TOPIC, "topic \"%s\": %s",
						facts->topics[i].topic, facts->topics[i].reason);
	if (facts->starting && facts->database == NULL)
		give_reason(reasons, CAUSE_STARTING,
					"the database has not been checked yet");
	else if (!facts->starting && !facts->assigned)
		give_reason(reasons, CAUSE_ASSIGNMENT,
					"consumer group \"%s\" has given no partitions yet",
					facts->group);
	else if (!facts->starting && !facts->loading)
		give_reason(reasons, CAUSE_ASSIGNMENT,
					"it is being looked up where the partitions begin%s%s",
					facts->positions != NULL ? ": " : "",
					facts->positions != NULL ? facts->positions : "");
}

static void
judge_partitions(Reasons *reasons, const ReadinessFacts *facts)
{
	if (facts->partitions == NULL)
		return;
	for (size_t i = 0; i < facts->partitions->count; i++)
		judge_partition(reasons, facts, &facts->partitions->items[i]);
}

static void
judge_partition(Reasons *reasons, const ReadinessFacts *facts,
				const LagItem *item)
{
	if (item->halted != NULL)
		give_reason(reasons, item->unreadable ? CAUSE_UNREADABLE : CAUSE_HALTED,
					"topic \"%s\" partition %" PRId32 ": %s", item->topic,
					item->partition, item->halted);
	else if (item->unanswered)
		give_reason(reasons, CAUSE_UNANSWERED,
					"topic \"%s\" partition %" PRId32
					": Kafka does not answer for it", item->topic,
					item->partition);
	else if (is_stalled(facts, item))
		give_reason(reasons, CAUSE_STALLED,
					"topic \"%s\" partition %" PRId32
					": nothing was stored for %" PRId64 " s at offset %" PRId64
					", with a lag of %" PRId64, item->topic, item->partition,
					(facts->now_ms - item->since_ms) / 1000,
					item->next_offset, lag_of(item));
}

static bool
is_stalled(const ReadinessFacts *facts, const LagItem *item)
{
	int64_t		patience_ms = STALLED_MS + facts->patience_ms;

	if (item->since_ms == 0 || facts->database != NULL ||
		facts->kafka != NULL || !facts->loading || facts->stopping)
		return false;
	return facts->now_ms - item->since_ms >= STALLED_BEHIND_OTHERS_MS ||
		(facts->now_ms - item->since_ms >= patience_ms &&
		 facts->idle_ms - item->since_ms >= patience_ms / 2);
}

static BridgeState
find_state(const Readiness *readiness, const ReadinessFacts *facts)
{
	if (facts->stopping)
		return STATE_STOPPING;
	if (facts->database != NULL || facts->kafka != NULL ||
		(!facts->loading && facts->positions != NULL))
		return STATE_RETRYING;
	if (facts->starting)
		return STATE_STARTING;
	if (readiness->causes[CAUSE_HALTED] || readiness->causes[CAUSE_UNREADABLE])
		return STATE_HALTED;
	return facts->loading ? STATE_LOADING : STATE_WAITING;
}

/* A line "cause: text", or none of it. */
static void
give_reason(Reasons *reasons, ReadinessCause cause, const char *format,...)
{
	TextBuffer *buffer = &reasons->buffer;
	size_t		used = buffer->used;
	char		text[1024];
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	readiness_clean_line(text);
	reasons->readiness->causes[cause] = true;
	text_buffer_add(buffer, "%s: %s\n", readiness_cause_words[cause], text);
	if (text_buffer_is_whole(buffer))
		return;
	buffer->text[used] = '\0';
	buffer->used = used;
	reasons->left_out++;
}

void
readiness_clean_line(char *line)
{
	for (; *line != '\0'; line++)
		if ((unsigned char) *line < ' ' || *line == 0x7f)
			*line = ' ';
}
