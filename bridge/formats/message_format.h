/*
 * Writes a transaction as a message of a format, as the bridge reads it with
 * no more than --format given.  Pure.
 */
#ifndef FINTRANS_MESSAGE_FORMAT_H
#define FINTRANS_MESSAGE_FORMAT_H

#include <stddef.h>

#include "record.h"

/* For an option: "text" is what the messages are made in. */
#define MESSAGE_FORMATS "text|json|csv"

/* Room for any message: each byte of an account may need another one. */
#define MESSAGE_FORMAT_BYTES (4 * FINTRANS_ACCOUNT_MAX_BYTES + 128)

typedef struct MessageFormat MessageFormat;

/* NULL for text, which needs none. */
extern const MessageFormat *message_format_of(const char *name);

/* Into MESSAGE_FORMAT_BYTES of text; returns how many it takes. */
extern size_t message_format_write(const MessageFormat *format,
								   const Record *record, char *text);

#endif							/* FINTRANS_MESSAGE_FORMAT_H */
