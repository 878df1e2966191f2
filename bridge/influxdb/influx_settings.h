/*
 * The options of the sink for InfluxDB, and what they mean.
 */
#ifndef FINTRANS_INFLUX_SETTINGS_H
#define FINTRANS_INFLUX_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "influx_sink.h"

/* As they are given; NULL for those that are not. */
typedef struct InfluxOptions
{
	const char *url;
	const char *database;
	const char *organization;
	const char *token;
	const char *token_file;
	const char *user;
	const char *ca_file;
	const char *accounts;
	const char *amounts;
	int64_t		batch_points;
	int64_t		timeout_seconds;
	const char *group;
} InfluxOptions;

/* What may be given. */
#define INFLUX_ACCOUNTS "tag|field|none"
#define INFLUX_AMOUNTS "float|integer"

/*
 * Fill in what options say, with a group of its own unless one is given;
 * bridge_group is the bridge's.  False with errstr when one cannot be meant.
 */
extern bool influx_settings_read(const InfluxOptions *options,
								 const char *bridge_group,
								 InfluxSettings *settings, char *errstr,
								 size_t errstr_size);

#endif							/* FINTRANS_INFLUX_SETTINGS_H */
