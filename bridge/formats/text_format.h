/*
 * The plain text format: `source target amount`, strictly, and a currency
 * behind it if the installation has one.  Pure: reads the payload where it
 * lies and allocates nothing.
 */
#ifndef FINTRANS_TEXT_FORMAT_H
#define FINTRANS_TEXT_FORMAT_H

#include <stddef.h>

#include "record.h"

/* Longer payloads are refused unread; no valid message comes near it. */
#define TEXT_MAX_BYTES 1024

/*
 * Parse length bytes of payload (NULL when the message has none).  currency
 * is the installation's, and then a fourth field must equal it; NULL accepts
 * three fields only.  When accepted, record points into the payload.  When
 * refused, detail says what exactly was wrong,
 * without any of the payload's text.
 */
extern RecordVerdict text_decode(const void *payload, size_t length,
								 const char *currency, Record *record,
								 const RecordDetail *detail);

#endif							/* FINTRANS_TEXT_FORMAT_H */
