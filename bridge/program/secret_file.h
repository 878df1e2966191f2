/*
 * Files that hold one secret each: a password, a private key.  What deploys
 * them (Docker, Kubernetes, systemd, Vault) writes the bare secret, with or
 * without a line end after it.
 */
#ifndef FINTRANS_SECRET_FILE_H
#define FINTRANS_SECRET_FILE_H

#include <stddef.h>

/*
 * The secret, without the line end after it; empty when the file is.  To be
 * given to secret_file_free().  NULL with errstr, which never holds any of it.
 */
extern char *secret_file_read(const char *path, char *errstr,
							  size_t errstr_size);

/* Wipes it; NULL is fine. */
extern void secret_file_free(char *secret);

/* Log a warning when anybody may read the file. */
extern void secret_file_warn(const char *path);

#endif							/* FINTRANS_SECRET_FILE_H */
