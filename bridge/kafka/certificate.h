/*
 * Why a server's certificate was refused, in everyday words.  OpenSSL knows
 * it, but neither librdkafka nor libpq 15 tells: both say "certificate verify
 * failed".
 */
#ifndef FINTRANS_CERTIFICATE_H
#define FINTRANS_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Words that follow "the certificate of such a server", for OpenSSL's number
 * of the error; depth is 0 for the server's own certificate, more for those
 * of the authorities above it.
 */
extern void certificate_describe(int error, int depth, char *out,
								 size_t size);

/*
 * Judge the certificate that the server on the other end of a connection
 * (OpenSSL's SSL *) has shown, by the authorities in a file; "system" for the
 * system's own.  True with such words when it is to be refused; its host name
 * is not looked at.
 */
extern bool certificate_is_refused(void *ssl, const char *authorities,
								   char *out, size_t size);

#endif							/* FINTRANS_CERTIFICATE_H */
