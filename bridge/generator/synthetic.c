/*
 * Makes the demo's random messages with nrand48(), whose sequence POSIX
 * fixes, so that a seed means the same everywhere.
 */
#include "synthetic.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void
synthetic_init(Synthetic *synthetic, int64_t seed, int64_t accounts,
			   int64_t max_amount)
{
	assert(accounts >= 2 && accounts <= SYNTHETIC_MAXIMUM);
	assert(max_amount >= 0 && max_amount < SYNTHETIC_MAXIMUM);
	for (int i = 0; i < 3; i++)
		synthetic->state[i] = (unsigned short) ((uint64_t) seed >> (16 * i));
	/* seeds above 48 bits count too */
	synthetic->state[0] ^= (unsigned short) ((uint64_t) seed >> 48);
	synthetic->accounts = (uint32_t) accounts;
	synthetic->amounts = (uint32_t) max_amount + 1;

	/* small seeds differ in low bits, which come out one step later */
	for (int i = 0; i < 2; i++)
		nrand48(synthetic->state);
}

void
synthetic_next(Synthetic *synthetic, SyntheticMessage *message)
{
	uint32_t	source = synthetic_pick(synthetic, synthetic->accounts);
	uint32_t	target = synthetic_pick(synthetic, synthetic->accounts - 1);
	uint32_t	amount = synthetic_pick(synthetic, synthetic->amounts);

	/* step over the source: the others stay evenly distributed */
	if (target >= source)
		target++;
	synthetic_write(message, source, target, amount, 0);
}

void
synthetic_write(SyntheticMessage *message, uint32_t source, uint32_t target,
				uint64_t amount, uint32_t cents)
{
	char		decimals[8] = "";
	int			key_bytes;
	int			rest_bytes;

	assert(cents < 100);
	if (cents > 0)
		snprintf(decimals, sizeof(decimals), ".%02" PRIu32, cents);
	message->source = source;
	message->target = target;
	key_bytes = snprintf(message->text, sizeof(message->text), "%" PRIu32,
						 source);
	rest_bytes = snprintf(message->text + key_bytes,
						  sizeof(message->text) - (size_t) key_bytes,
						  " %" PRIu32 " %" PRIu64 "%s", target, amount,
						  decimals);
	message->key_bytes = (size_t) key_bytes;
	message->bytes = (size_t) (key_bytes + rest_bytes);
}

uint32_t
synthetic_pick(Synthetic *synthetic, uint32_t count)
{
	/* by the high bits, which are the better ones of this generator */
	uint64_t	bits = (uint64_t) nrand48(synthetic->state);

	return (uint32_t) (bits * count >> 31);
}
