/*
 * Each block lies behind its size, which a realloc has to know.
 */
#include "arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool is_inside(const Arena *arena, const void *block);

void
arena_reset(Arena *arena)
{
	arena->used = 0;
}

void *
arena_malloc(void *state, size_t bytes)
{
	Arena	   *arena = state;
	size_t		taken = ARENA_ALIGNMENT +
		(bytes + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
	char	   *block = arena->bytes + arena->used;

	if (bytes > ARENA_BYTES || taken > ARENA_BYTES - arena->used)
		return malloc(bytes);
	memcpy(block, &bytes, sizeof(bytes));
	arena->used += taken;
	return block + ARENA_ALIGNMENT;
}

void *
arena_realloc(void *state, void *block, size_t bytes)
{
	size_t		held;
	void	   *moved;

	if (block == NULL)
		return arena_malloc(state, bytes);
	if (!is_inside(state, block))
		return realloc(block, bytes);
	memcpy(&held, (char *) block - ARENA_ALIGNMENT, sizeof(held));
	moved = arena_malloc(state, bytes);
	if (moved != NULL)
		memcpy(moved, block, held < bytes ? held : bytes);
	return moved;
}

void
arena_free(void *state, void *block)
{
	if (!is_inside(state, block))
		free(block);
}

static bool
is_inside(const Arena *arena, const void *block)
{
	return (uintptr_t) block >= (uintptr_t) arena->bytes &&
		(uintptr_t) block < (uintptr_t) arena->bytes + ARENA_BYTES;
}
