/*
 * Blocks in the arena and beside it, under the eyes of a sanitizer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "arena.h"

static void
blocks_do_not_overlap(void **state)
{
	static Arena arena;
	unsigned char *blocks[64];

	(void) state;
	for (int round = 0; round < 2; round++)
	{
		arena_reset(&arena);
		for (size_t i = 0; i < 64; i++)
		{
			/* some of them do not fit any more */
			blocks[i] = arena_malloc(&arena, 7 * i);
			assert_non_null(blocks[i]);
			assert_int_equal((uintptr_t) blocks[i] % ARENA_ALIGNMENT, 0);
			memset(blocks[i], (int) i, 7 * i);
		}
		for (size_t i = 0; i < 64; i++)
		{
			for (size_t at = 0; at < 7 * i; at++)
				assert_int_equal(blocks[i][at], i);
			arena_free(&arena, blocks[i]);
		}
	}
}

static void
blocks_grow_with_what_they_hold(void **state)
{
	static Arena arena;
	char	   *block = NULL;

	(void) state;
	arena_reset(&arena);
	for (size_t bytes = 1; bytes <= 8 * ARENA_BYTES; bytes *= 2)
	{
		block = arena_realloc(&arena, block, bytes);
		assert_non_null(block);
		block[bytes - 1] = 'x';
		for (size_t at = 1; at < bytes; at *= 2)
			assert_int_equal(block[at - 1], 'x');
	}
	/* and shrink */
	block = arena_realloc(&arena, block, 4);
	assert_memory_equal(block, "xx", 2);
	arena_free(&arena, block);
	arena_free(&arena, NULL);
}

static void
a_huge_block_is_beside_it(void **state)
{
	static Arena arena;
	char	   *huge;

	(void) state;
	arena_reset(&arena);
	huge = arena_malloc(&arena, 10 * ARENA_BYTES);
	assert_non_null(huge);
	huge[10 * ARENA_BYTES - 1] = 'x';
	assert_int_equal(arena.used, 0);
	arena_free(&arena, huge);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_do_not_overlap),
		cmocka_unit_test(blocks_grow_with_what_they_hold),
		cmocka_unit_test(a_huge_block_is_beside_it),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
