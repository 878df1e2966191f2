/*
 * Text written piece by piece into a buffer of the caller's, which is never
 * overrun: what does not fit is counted, so that the caller can tell, and make
 * room.  Pure.
 */
#ifndef FINTRANS_TEXT_BUFFER_H
#define FINTRANS_TEXT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct TextBuffer
{
	char	   *text;			/* ends with a NUL */
	size_t		size;			/* of text, at least 1 */
	size_t		used;			/* bytes that the whole takes without its NUL;
								 * more than fit when size is too small */
} TextBuffer;

extern TextBuffer text_buffer_of(char *text, size_t size);

extern void text_buffer_add(TextBuffer *buffer, const char *format,...)
			__attribute__((format(printf, 2, 3)));

/* In quotes, with a backslash before quotes, backslashes and line ends. */
extern void text_buffer_add_quoted(TextBuffer *buffer, const char *text);

/* Did all of it fit? */
extern bool text_buffer_is_whole(const TextBuffer *buffer);

#endif							/* FINTRANS_TEXT_BUFFER_H */
