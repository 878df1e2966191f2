/*
 * Is a text valid UTF-8, does it hold control characters?  Pure.
 */
#ifndef FINTRANS_UTF8_H
#define FINTRANS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes of the multi-byte sequence that begins here, 0 when it is not one of
 * the well-formed ones of the Unicode Standard's table 3-7: no overlong form,
 * no surrogate, nothing above U+10FFFF.
 */
extern size_t utf8_sequence(const uint8_t *bytes, size_t length);

/*
 * Where the first byte is that is a NUL or belongs to no valid sequence; the
 * length when there is none.
 */
extern size_t utf8_valid_bytes(const uint8_t *bytes, size_t length);

/* Does valid UTF-8 hold a control character, of C0, DEL or of C1? */
extern bool utf8_has_control(const uint8_t *bytes, size_t length);

#endif							/* FINTRANS_UTF8_H */
