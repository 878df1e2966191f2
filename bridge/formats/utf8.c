/*
 * Most payloads are ASCII, so eight bytes at a time are looked at as one
 * number, until one of them is something else.
 */
#include "utf8.h"

#include <string.h>

#define ONES UINT64_C(0x0101010101010101)
#define HIGH_BITS UINT64_C(0x8080808080808080)

static bool is_plain(const uint8_t *bytes);
static bool is_printable(const uint8_t *bytes);

size_t
utf8_sequence(const uint8_t *bytes, size_t length)
{
	uint8_t		lead = bytes[0];
	uint8_t		lowest = 0x80;
	uint8_t		highest = 0xBF;
	size_t		width;

	if (lead >= 0xC2 && lead <= 0xDF)
		width = 2;
	else if (lead >= 0xE0 && lead <= 0xEF)
		width = 3;
	else if (lead >= 0xF0 && lead <= 0xF4)
		width = 4;
	else
		return 0;
	if (lead == 0xE0)
		lowest = 0xA0;
	else if (lead == 0xED)
		highest = 0x9F;
	else if (lead == 0xF0)
		lowest = 0x90;
	else if (lead == 0xF4)
		highest = 0x8F;

	if (length < width || bytes[1] < lowest || bytes[1] > highest)
		return 0;
	for (size_t i = 2; i < width; i++)
		if ((bytes[i] & 0xC0) != 0x80)
			return 0;
	return width;
}

size_t
utf8_valid_bytes(const uint8_t *bytes, size_t length)
{
	size_t		at = 0;

	while (at < length)
	{
		size_t		width = 1;

		if (length - at >= sizeof(uint64_t) && is_plain(bytes + at))
		{
			at += sizeof(uint64_t);
			continue;
		}
		if (bytes[at] >= 0x80)
			width = utf8_sequence(bytes + at, length - at);
		if (width == 0 || bytes[at] == 0)
			return at;
		at += width;
	}
	return length;
}

bool
utf8_has_control(const uint8_t *bytes, size_t length)
{
	size_t		at = 0;

	while (at < length)
	{
		if (length - at >= sizeof(uint64_t) && is_printable(bytes + at))
		{
			at += sizeof(uint64_t);
			continue;
		}
		if (bytes[at] < 0x20 || bytes[at] == 0x7F)
			return true;
		if (bytes[at] == 0xC2 && at + 1 < length && bytes[at + 1] < 0xA0)
			return true;
		at++;
	}
	return false;
}

/*
 * Are eight bytes all from 1 to 0x7F?  A byte of 0 borrows from the one above
 * it, which sets a high bit; a high bit of the bytes themselves is looked for
 * first.
 */
static bool
is_plain(const uint8_t *bytes)
{
	uint64_t	word;

	memcpy(&word, bytes, sizeof(word));
	return (word & HIGH_BITS) == 0 && ((word - ONES) & HIGH_BITS) == 0;
}

/*
 * Are eight bytes all from 0x20 to 0x7E?  Taking 0x20 from a byte below it
 * borrows, and adding 1 to 0x7F carries into the high bit.
 */
static bool
is_printable(const uint8_t *bytes)
{
	uint64_t	word;

	memcpy(&word, bytes, sizeof(word));
	return ((word | (word - 0x20 * ONES) | (word + ONES)) & HIGH_BITS) == 0;
}
