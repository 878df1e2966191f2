/*
 * Exponential delays with jitter, and the rate limit of their log lines.
 */
#include "backoff.h"

static uint64_t hash_text(const char *text);

void
backoff_init(Backoff *backoff, uint64_t seed)
{
	/* xorshift stays at zero for ever */
	backoff->random = seed != 0 ? seed : 1;
	backoff_reset(backoff);
}

void
backoff_reset(Backoff *backoff)
{
	backoff->delay_ms = 0;
	backoff->next_report_ms = 0;
	backoff->trouble = 0;
	backoff->attempts = 0;
}

int64_t
backoff_next(Backoff *backoff)
{
	int64_t		half;

	backoff->attempts++;
	backoff->delay_ms *= 2;
	if (backoff->delay_ms == 0)
		backoff->delay_ms = BACKOFF_FIRST_MS;
	if (backoff->delay_ms > BACKOFF_LONGEST_MS)
		backoff->delay_ms = BACKOFF_LONGEST_MS;
	half = backoff->delay_ms / 2;
	backoff->random ^= backoff->random << 13;
	backoff->random ^= backoff->random >> 7;
	backoff->random ^= backoff->random << 17;
	return half + (int64_t) (backoff->random % (uint64_t) (half + 1));
}

bool
backoff_is_news(Backoff *backoff, const char *trouble, int64_t now_ms)
{
	uint64_t	hash = hash_text(trouble);

	if (hash == backoff->trouble && now_ms < backoff->next_report_ms)
		return false;
	backoff->trouble = hash;
	backoff->next_report_ms = now_ms + BACKOFF_REPORT_MS;
	return true;
}

/* FNV-1a */
static uint64_t
hash_text(const char *text)
{
	uint64_t	hash = UINT64_C(14695981039346656037);

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char) *text) * UINT64_C(1099511628211);
	return hash;
}
