/*
 * Memory for a library that allocates by functions it is given, for the short
 * time it works on one message: blocks follow one another in the arena, and
 * are given back all at once.  What does not fit is malloc's.
 */
#ifndef FINTRANS_ARENA_H
#define FINTRANS_ARENA_H

#include <stddef.h>

#define ARENA_BYTES 8192
#define ARENA_ALIGNMENT 16

typedef struct Arena
{
	size_t		used;
	_Alignas(ARENA_ALIGNMENT) char bytes[ARENA_BYTES];
} Arena;

/* Whatever lies in it is gone; blocks of malloc have to be freed before. */
extern void arena_reset(Arena *arena);

/* As malloc() and so on; the first argument is the Arena. */
extern void *arena_malloc(void *arena, size_t bytes);
extern void *arena_realloc(void *arena, void *block, size_t bytes);
extern void arena_free(void *arena, void *block);

#endif							/* FINTRANS_ARENA_H */
