/*
 * A PostgreSQL array in its text form, {..}, made element by element: how
 * lists become parameters of a statement.  Pure but for its memory.
 */
#ifndef FINTRANS_ARRAY_TEXT_H
#define FINTRANS_ARRAY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ArrayText
{
	char	   *text;			/* owned; NULL before the first element */
	size_t		used;			/* bytes, without the terminating NUL */
	size_t		allocated;
	bool		failed;			/* memory was short */
} ArrayText;

/* Begin with {0}; memory is kept from one array to the next. */
extern void array_text_reset(ArrayText *array);
extern void array_text_free(ArrayText *array);

extern void array_text_add_integer(ArrayText *array, int64_t value);
extern void array_text_add_null(ArrayText *array);
extern void array_text_add_text(ArrayText *array, const char *value);

/* The whole array; NULL when memory was short. */
extern const char *array_text_finish(ArrayText *array);

#endif							/* FINTRANS_ARRAY_TEXT_H */
