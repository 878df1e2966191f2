/*
 * What is kept of the last message handled in a Kafka partition, to tell
 * whether the one at its offset is still the same: a topic made anew has
 * another one there.  Pure.
 */
#ifndef FINTRANS_MESSAGE_MARK_H
#define FINTRANS_MESSAGE_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct BatchMessage BatchMessage;

/* {0} when there is none. */
typedef struct MessageMark
{
	bool		is_set;
	bool		has_event_time;
	int64_t		offset;
	int64_t		event_time_ms;	/* since 1970 */
	int32_t		checksum;		/* of the payload, 0 to 65535 */
} MessageMark;

typedef enum MarkVerdict
{
	MARK_PASSED,				/* the message comes after the mark */
	MARK_SEEN,					/* it is the marked one */
	MARK_REPLACED				/* it cannot be in the partition that was read
								 * up to the mark */
} MarkVerdict;

extern MessageMark message_mark_of(const BatchMessage *message);

/* All of it but the checksum, which costs the most, and that alone. */
extern MessageMark message_mark_begin(const BatchMessage *message);
extern int32_t message_mark_checksum(const void *payload, size_t bytes);

/*
 * Judge the first message of a partition that is fetched from the mark's
 * offset; next_offset is the table's.  When it is MARK_REPLACED reason names
 * the offset and what differs.
 */
extern MarkVerdict message_mark_judge(const MessageMark *mark,
									  int64_t next_offset,
									  const BatchMessage *message,
									  char *reason, size_t reason_size);

#endif							/* FINTRANS_MESSAGE_MARK_H */
