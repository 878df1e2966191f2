/*
 * Random transactions as the DC/OS demo made them, repeatable by seed.  Pure:
 * the same seed and limits give the same messages on every machine.
 */
#ifndef FINTRANS_SYNTHETIC_H
#define FINTRANS_SYNTHETIC_H

#include <stddef.h>
#include <stdint.h>

/* Largest number of accounts, and largest amount + 1. */
#define SYNTHETIC_MAXIMUM INT64_C(0x7fffffff)

/* Room for any message, with its NUL. */
#define SYNTHETIC_MESSAGE_BYTES 40

typedef struct Synthetic
{
	unsigned short state[3];	/* of nrand48() */
	uint32_t	accounts;		/* accounts are 0 to accounts - 1 */
	uint32_t	amounts;		/* amounts are 0 to amounts - 1 */
} Synthetic;

/* A message; its key, the source account, is the first key_bytes of text. */
typedef struct SyntheticMessage
{
	uint32_t	source;
	uint32_t	target;
	char		text[SYNTHETIC_MESSAGE_BYTES];
	size_t		bytes;
	size_t		key_bytes;
} SyntheticMessage;

/*
 * accounts from 2 to SYNTHETIC_MAXIMUM, max_amount (included) from 0 to
 * SYNTHETIC_MAXIMUM - 1; any seed.
 */
extern void synthetic_init(Synthetic *synthetic, int64_t seed,
						   int64_t accounts, int64_t max_amount);

/* `source target amount` with source <> target, all evenly distributed. */
extern void synthetic_next(Synthetic *synthetic, SyntheticMessage *message);

/* A message of that content; cents, below 100, are left out when they are 0. */
extern void synthetic_write(SyntheticMessage *message, uint32_t source,
							uint32_t target, uint64_t amount, uint32_t cents);

/* An evenly distributed number from 0 to count - 1, count at least 1. */
extern uint32_t synthetic_pick(Synthetic *synthetic, uint32_t count);

#endif							/* FINTRANS_SYNTHETIC_H */
