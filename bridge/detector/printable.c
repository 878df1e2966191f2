/*
 * A character counts as one column: what is wider is rare in accounts, and
 * costs the alignment only.
 */
#include "printable.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "utf8.h"

#define DOTS "..."

/* A character as it is written: in ASCII one column a byte. */
typedef struct Glyph
{
	char		text[12];
	size_t		columns;
} Glyph;

/*
 * What is written out: C0, DEL and C1; what is not seen (Unicode's property
 * Default_Ignorable_Code_Point), ends a line, or turns around what follows it.
 */
static const struct
{
	uint32_t	first;
	uint32_t	last;
}			written_out[] = {
	{0x00, 0x1F},
	{0x7F, 0x9F},
	{0xAD, 0xAD},
	{0x34F, 0x34F},
	{0x61C, 0x61C},
	{0x115F, 0x1160},
	{0x17B4, 0x17B5},
	{0x180B, 0x180F},
	{0x200B, 0x200F},
	{0x2028, 0x202E},
	{0x2060, 0x206F},
	{0x3164, 0x3164},
	{0xFE00, 0xFE0F},
	{0xFEFF, 0xFEFF},
	{0xFFA0, 0xFFA0},
	{0xFFF0, 0xFFFB},
	{0x1BCA0, 0x1BCA3},
	{0x1D173, 0x1D17A},
	{0xE0000, 0xE0FFF},
};

static Glyph next_glyph(const char **text);
static const char *form_of(uint32_t code, size_t width);
static uint32_t code_point(const char *text, size_t bytes);
static bool is_written_out(uint32_t code);

size_t
printable_columns(const char *text)
{
	size_t		columns = 0;

	while (*text != '\0')
		columns += next_glyph(&text).columns;
	return columns;
}

size_t
printable_write(FILE *out, const char *text, size_t columns)
{
	bool		is_cut = columns != PRINTABLE_ALL &&
		printable_columns(text) > columns;
	size_t		dots = is_cut && columns > strlen(DOTS) ? strlen(DOTS) : 0;
	size_t		used = 0;

	while (*text != '\0')
	{
		Glyph		glyph = next_glyph(&text);

		if (is_cut && used + glyph.columns > columns - dots)
			break;
		fputs(glyph.text, out);
		used += glyph.columns;
	}
	if (dots > 0)
		fputs(DOTS, out);
	return used + dots;
}

/*
 * What is no UTF-8 is written out byte by byte; a backslash twice, so that
 * none of the text is taken for one of ours.
 */
static Glyph
next_glyph(const char **text)
{
	const uint8_t *bytes = (const uint8_t *) *text;
	size_t		width = *bytes < 0x80 ? 1 :
		utf8_sequence(bytes, strnlen(*text, 4));
	uint32_t	code = width == 0 ? *bytes : code_point(*text, width);
	Glyph		glyph = {.columns = 1};

	if (width == 0 || is_written_out(code))
		glyph.columns = (size_t) snprintf(glyph.text, sizeof(glyph.text),
										  form_of(code, width),
										  (unsigned) code);
	else if (code == '\\')
		glyph.columns = (size_t) snprintf(glyph.text, sizeof(glyph.text),
										  "\\\\");
	else
		memcpy(glyph.text, *text, width);
	*text += width == 0 ? 1 : width;
	return glyph;
}

static const char *
form_of(uint32_t code, size_t width)
{
	if (width <= 1)
		return "\\x%02X";
	return code <= 0xFFFF ? "\\u%04X" : "\\U%08X";
}

static uint32_t
code_point(const char *text, size_t bytes)
{
	uint32_t	code = (uint8_t) text[0];

	if (bytes > 1)
		code &= 0x7FU >> bytes;
	for (size_t i = 1; i < bytes; i++)
		code = code << 6 | ((uint8_t) text[i] & 0x3F);
	return code;
}

static bool
is_written_out(uint32_t code)
{
	for (size_t i = 0; i < sizeof(written_out) / sizeof(written_out[0]); i++)
		if (code >= written_out[i].first && code <= written_out[i].last)
			return true;
	return false;
}
