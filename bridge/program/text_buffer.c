/*
 * snprintf() that goes on where it ended.
 */
#include "text_buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

TextBuffer
text_buffer_of(char *text, size_t size)
{
	text[0] = '\0';
	return (TextBuffer)
	{
		text, size, 0
	};
}

void
text_buffer_add(TextBuffer *buffer, const char *format,...)
{
	bool		is_whole = text_buffer_is_whole(buffer);
	va_list		arguments;
	int			bytes;

	va_start(arguments, format);
	bytes = vsnprintf(is_whole ? buffer->text + buffer->used : NULL,
					  is_whole ? buffer->size - buffer->used : 0, format,
					  arguments);
	va_end(arguments);
	if (bytes > 0)
		buffer->used += (size_t) bytes;
}

void
text_buffer_add_quoted(TextBuffer *buffer, const char *text)
{
	text_buffer_add(buffer, "\"");
	for (; *text != '\0'; text++)
	{
		bool		is_escaped = strchr("\"\\\n", *text) != NULL;

		text_buffer_add(buffer, is_escaped ? "\\%c" : "%c",
						*text == '\n' ? 'n' : *text);
	}
	text_buffer_add(buffer, "\"");
}

bool
text_buffer_is_whole(const TextBuffer *buffer)
{
	return buffer->used < buffer->size;
}
