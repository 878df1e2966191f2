/*
 * Versions are compared number by number; what follows the third is of no
 * concern.
 */
#include "extension_version.h"

#include <stdio.h>

typedef struct Version
{
	unsigned	numbers[3];
} Version;

static bool parse(const char *text, Version *version);
static bool is_older(const Version *version, const Version *than);

bool
extension_version_fits(const char *version, char *errstr, size_t errstr_bytes)
{
	Version		found;
	Version		oldest;
	Version		own;

	if (parse(EXTENSION_VERSION_OLDEST, &oldest) &&
		parse(FINTRANS_VERSION, &own) &&
		parse(version, &found) &&
		!is_older(&found, &oldest) && found.numbers[0] == own.numbers[0])
		return true;
	snprintf(errstr, errstr_bytes,
			 "extension \"fintrans\" has version %s, and this program, version "
			 FINTRANS_VERSION ", works with " EXTENSION_VERSION_OLDEST
			 " and later ones whose first number is its own", version);
	return false;
}

bool
extension_version_is_before(const char *version, const char *other)
{
	Version		found;
	Version		limit;

	return parse(version, &found) && parse(other, &limit) &&
		is_older(&found, &limit);
}

static bool
parse(const char *text, Version *version)
{
	return sscanf(text, "%u.%u.%u", &version->numbers[0],
				  &version->numbers[1], &version->numbers[2]) == 3;
}

static bool
is_older(const Version *version, const Version *than)
{
	for (int i = 0; i < 3; i++)
		if (version->numbers[i] != than->numbers[i])
			return version->numbers[i] < than->numbers[i];
	return false;
}
