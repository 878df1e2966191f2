/*
 * Writes arrays as array_in() reads them: every text is quoted, so only the
 * quote and the backslash need an escape.
 */
#include "array_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void begin_element(ArrayText *array);
static void put(ArrayText *array, const char *bytes, size_t length);

void
array_text_reset(ArrayText *array)
{
	array->used = 0;
	array->failed = false;
}

void
array_text_free(ArrayText *array)
{
	free(array->text);
	memset(array, 0, sizeof(*array));
}

void
array_text_add_integer(ArrayText *array, int64_t value)
{
	char		digits[24];
	int			length = snprintf(digits, sizeof(digits), "%" PRId64, value);

	begin_element(array);
	put(array, digits, (size_t) length);
}

void
array_text_add_null(ArrayText *array)
{
	begin_element(array);
	put(array, "NULL", 4);
}

void
array_text_add_text(ArrayText *array, const char *value)
{
	begin_element(array);
	put(array, "\"", 1);
	for (; *value != '\0'; value++)
	{
		if (*value == '"' || *value == '\\')
			put(array, "\\", 1);
		put(array, value, 1);
	}
	put(array, "\"", 1);
}

const char *
array_text_finish(ArrayText *array)
{
	if (array->used == 0)
		put(array, "{", 1);
	put(array, "}", 2);			/* with the NUL */
	return array->failed ? NULL : array->text;
}

static void
begin_element(ArrayText *array)
{
	put(array, array->used == 0 ? "{" : ",", 1);
}

static void
put(ArrayText *array, const char *bytes, size_t length)
{
	if (array->failed)
		return;
	if (array->allocated - array->used < length)
	{
		size_t		size = (array->used + length) * 2 + 64;
		char	   *larger = realloc(array->text, size);

		if (larger == NULL)
		{
			array->failed = true;
			return;
		}
		array->text = larger;
		array->allocated = size;
	}
	memcpy(array->text + array->used, bytes, length);
	array->used += length;
}
