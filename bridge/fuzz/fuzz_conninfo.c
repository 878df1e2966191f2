/*
 * Connection strings without their passwords.  libpq, which is not what the
 * code under test uses, tells which password a string has.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "conninfo.h"
#include "must.h"
#include "redact.h"

/* Shorter ones are found in other words by chance. */
#define PASSWORD_LEAST_BYTES 6

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * If it stands in the text once, it must not stand in what is shown.  With
 * escapes the text has it in another spelling, and another value may happen to
 * have it in this one.
 */
static void
check_password(const char *password, const char *text, const char *shown)
{
	const char *place;

	if (password == NULL || strlen(password) < PASSWORD_LEAST_BYTES ||
		strpbrk(text, "\\%") != NULL)
		return;
	place = strstr(text, password);
	if (place == NULL || strstr(place + 1, password) != NULL ||
		strstr("(hidden)", password) != NULL)
		return;
	MUST(strstr(shown, password) == NULL);
}

static void
check_text(const char *text, const char *shown)
{
	char	   *error = NULL;
	PQconninfoOption *options = PQconninfoParse(text, &error);

	for (const PQconninfoOption *option = options;
		 option != NULL && option->keyword != NULL; option++)
		if (strcmp(option->keyword, "password") == 0 ||
			strcmp(option->keyword, "sslpassword") == 0)
			check_password(option->val, text, shown);
	PQconninfoFree(options);
	PQfreemem(error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char		shown[600];
	char	   *text = strndup((const char *) data, size);

	MUST(text != NULL);
	redact_conninfo(text, shown, sizeof(shown));
	MUST(memchr(shown, '\0', sizeof(shown)) != NULL);
	check_text(text, shown);
	(void) conninfo_is_ambiguous(text);
	(void) conninfo_is_value("port", text);
	(void) conninfo_is_value("connect_timeout", text);
	(void) conninfo_is_matched(text, "", text);
	(void) conninfo_is_database(text);
	free(text);
	return 0;
}
