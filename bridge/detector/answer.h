/*
 * What a person answers to a question, a line without its end: one of several
 * words, a time to come, or a note.  Pure.
 */
#ifndef FINTRANS_ANSWER_H
#define FINTRANS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Which of the words is meant, by its key or the whole of it, in any case;
 * count when none is.  A word has its key in brackets: "s[k]ip".
 */
extern size_t answer_word(const char *line, const char *const *words,
						  size_t count);

/*
 * A moment after now_ms, as "2h", "3 days" from then, or as a time such as
 * 2026-12-01T08:00; both in milliseconds since 1970.  False with errstr when
 * it is none.
 */
extern bool answer_until(const char *line, int64_t now_ms, int64_t *until_ms,
						 char *errstr, size_t errstr_size);

/* Is it fit to be kept?  False with errstr when it is not. */
extern bool answer_is_note(const char *line, char *errstr,
						   size_t errstr_size);

#endif							/* FINTRANS_ANSWER_H */
