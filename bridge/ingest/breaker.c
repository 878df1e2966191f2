/*
 * A message that can be read costs nothing here.  Of the dead letters only as
 * many are remembered as are allowed: there is one too many when the oldest of
 * these still lies within the window.
 */
#include "breaker.h"

#include <stdlib.h>
#include <string.h>

static void free_slots(Breaker *breaker);

void
breaker_set(Breaker *breaker, int64_t window, int64_t percent)
{
	free_slots(breaker);
	breaker->window = window;
	breaker->allowed = window * percent / 100;
}

void
breaker_free(Breaker *breaker)
{
	free_slots(breaker);
	memset(breaker, 0, sizeof(*breaker));
}

bool
breaker_remembers(const Breaker *breaker)
{
	return breaker->allowed > 0 && breaker->allowed < breaker->window;
}

bool
breaker_start(Breaker *breaker, size_t slots)
{
	free_slots(breaker);
	breaker->slots = calloc(slots + 1, sizeof(*breaker->slots));
	breaker->slot_count = breaker->slots != NULL ? slots : 0;
	return breaker->slots != NULL;
}

bool
breaker_trips(const Breaker *breaker, size_t slot, int64_t offset)
{
	const BreakerSlot *ring = &breaker->slots[slot];
	size_t		allowed = (size_t) breaker->allowed;

	/* all may be dead letters */
	if (breaker->allowed >= breaker->window)
		return false;
	/* the next one overwrites the oldest */
	return allowed == 0 ||
		(ring->count == allowed &&
		 ring->offsets[ring->next] > offset - breaker->window);
}

bool
breaker_note(Breaker *breaker, size_t slot, int64_t offset)
{
	BreakerSlot *ring = &breaker->slots[slot];
	size_t		allowed = (size_t) breaker->allowed;

	if (!breaker_remembers(breaker))
		return true;
	if (ring->offsets == NULL)
		ring->offsets = malloc(allowed * sizeof(*ring->offsets));
	if (ring->offsets == NULL)
		return false;
	ring->offsets[ring->next] = offset;
	ring->next = (ring->next + 1) % allowed;
	if (ring->count < allowed)
		ring->count++;
	return true;
}

static void
free_slots(Breaker *breaker)
{
	for (size_t i = 0; i < breaker->slot_count; i++)
		free(breaker->slots[i].offsets);
	free(breaker->slots);
	breaker->slots = NULL;
	breaker->slot_count = 0;
}
