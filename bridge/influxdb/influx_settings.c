/*
 * Reads the options of the sink.
 */
#include "influx_settings.h"

#include <stdio.h>
#include <string.h>

bool
influx_settings_read(const InfluxOptions *options, const char *bridge_group,
					 InfluxSettings *settings, char *errstr,
					 size_t errstr_size)
{
	const char *accounts = options->accounts;

	settings->target = (InfluxTarget)
	{
		.url = options->url,
		.database = options->database,
		.organization = options->organization,
		.token = options->token,
		.token_file = options->token_file,
		.user = options->user,
		.ca_file = options->ca_file,
		.timeout_ms = options->timeout_seconds * 1000
	};
	settings->style.accounts = strcmp(accounts, "tag") == 0 ?
		LINE_ACCOUNTS_TAG : strcmp(accounts, "field") == 0 ?
		LINE_ACCOUNTS_FIELD : LINE_ACCOUNTS_NONE;
	settings->style.integer_amounts =
		strcmp(options->amounts, "integer") == 0;
	settings->batch_points = (size_t) options->batch_points;
	snprintf(settings->group, sizeof(settings->group), "%s%s",
			 options->group != NULL ? options->group : bridge_group,
			 options->group != NULL ? "" : "-influx");
	return influx_target_check(&settings->target, errstr, errstr_size);
}
