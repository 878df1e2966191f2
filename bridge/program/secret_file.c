/*
 * Reads files that hold a secret, and tells when they are open to others.
 *
 * They are not refused for that: container platforms mount secrets for all to
 * read where nobody else is.  A pipe is: secrets are read again, when a server
 * refuses them or at each connect, and the second time it would have none.
 */
#include "secret_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"
#include "text_file.h"

/* Room for a private key; a device without end must not take all memory. */
#define SECRET_MAX_BYTES 65536

static bool check(const char *path, const char *secret, size_t bytes,
				  char *errstr, size_t errstr_size);
static void cut_line_end(char *secret, size_t bytes);

char *
secret_file_read(const char *path, char *errstr, size_t errstr_size)
{
	FILE	   *file;
	char	   *secret;
	size_t		bytes = 0;
	bool		is_read = false;

	/* before it is opened, which would wait for whoever writes to it */
	if (text_file_is_pipe(path))
	{
		snprintf(errstr, errstr_size, "\"%s\" is a pipe, which can be read"
				 " only once: a secret must be in a file", path);
		return NULL;
	}
	file = fopen(path, "re");
	secret = file != NULL ? calloc(1, SECRET_MAX_BYTES + 2) : NULL;
	if (secret != NULL)
	{
		bytes = fread(secret, 1, SECRET_MAX_BYTES + 1, file);
		is_read = ferror(file) == 0;
	}
	if (!is_read)
		snprintf(errstr, errstr_size, "could not read file \"%s\": %s", path,
				 strerror(errno));
	if (file != NULL)
		fclose(file);
	if (is_read && check(path, secret, bytes, errstr, errstr_size))
	{
		cut_line_end(secret, bytes);
		return secret;
	}
	secret_file_free(secret);
	return NULL;
}

void
secret_file_free(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void
secret_file_warn(const char *path)
{
	struct stat status;
	char		quoted[256];

	if (stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
		(status.st_mode & S_IRWXO) != 0)
		log_write(LOG_LEVEL_WARNING, "file with secrets is open to others",
				  "file=%s mode=%04o",
				  log_quote(path, quoted, sizeof(quoted)),
				  (unsigned) status.st_mode & 07777);
}

static bool
check(const char *path, const char *secret, size_t bytes, char *errstr,
	  size_t errstr_size)
{
	const char *reason = NULL;

	if (bytes > SECRET_MAX_BYTES)
		reason = "is too large for a secret";
	else if (strlen(secret) < bytes)
		reason = "holds a NUL byte";
	if (reason != NULL)
		snprintf(errstr, errstr_size, "file \"%s\" %s", path, reason);
	return reason == NULL;
}

static void
cut_line_end(char *secret, size_t bytes)
{
	if (bytes > 0 && secret[bytes - 1] == '\n')
		secret[--bytes] = '\0';
	if (bytes > 0 && secret[bytes - 1] == '\r')
		secret[--bytes] = '\0';
}
