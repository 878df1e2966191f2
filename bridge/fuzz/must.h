/*
 * A promise that a fuzz target looks at; a broken one ends the process.
 */
#ifndef FINTRANS_FUZZ_MUST_H
#define FINTRANS_FUZZ_MUST_H

#include <stdio.h>
#include <stdlib.h>

#define MUST(condition) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, \
					#condition); \
			abort(); \
		} \
	} while (0)

#endif							/* FINTRANS_FUZZ_MUST_H */
