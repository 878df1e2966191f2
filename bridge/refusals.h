/*
 * The rows that the database refused, by their Kafka coordinates: when one of
 * these messages is read again it becomes a dead letter.  No payload is kept.
 * Pure.
 */
#ifndef FINTRANS_REFUSALS_H
#define FINTRANS_REFUSALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More refused rows than this without a commit are no accident. */
#define REFUSALS_MAX 1000

/* Room for the SQLSTATE and the constraint's name. */
#define REFUSAL_DETAIL_BYTES 96

typedef struct Refusal
{
	const char *topic;			/* the caller's; outlives the list */
	int32_t		partition;
	int64_t		offset;
	char		detail[REFUSAL_DETAIL_BYTES];
} Refusal;

typedef struct Refusals
{
	Refusal		items[REFUSALS_MAX];
	size_t		count;
} Refusals;

/* False when the list is full. */
extern bool refusals_add(Refusals *refusals, const char *topic,
						 int32_t partition, int64_t offset,
						 const char *detail);

/* Why this message was refused; NULL when it was not. */
extern const char *refusals_find(const Refusals *refusals, const char *topic,
								 int32_t partition, int64_t offset);

/* Forget what lies below a position that has been committed. */
extern void refusals_forget(Refusals *refusals, const char *topic,
							int32_t partition, int64_t next_offset);

#endif							/* FINTRANS_REFUSALS_H */
