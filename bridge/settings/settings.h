/*
 * The bridge's options as its program has them, and what they mean.
 */
#ifndef FINTRANS_SETTINGS_H
#define FINTRANS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec.h"
#include "consumer.h"
#include "influx_settings.h"
#include "ingest.h"
#include "options.h"
#include "upkeep.h"

/* One field for each option of bridge.c's table. */
typedef struct Settings
{
	const char *brokers;
	const char *topics;
	const char *group;
	const char *start;
	const char *on_gap;
	const char *database;
	const char *password_file;
	int64_t		batch_rows;
	int64_t		batch_bytes;
	int64_t		linger_ms;
	CodecSettings codec;
	const char *time_range;
	const char *currency;
	int64_t		reject_percent;
	int64_t		reject_window;
	const char *retain;
	const char *retain_dead_letters;
	bool		no_index;
	bool		check;
	const char *dead_letters;
	bool		exit_at_end;
	int64_t		max_messages;
	const char *http_listen;
	int64_t		http_port;		/* 0 for none */
	bool		show_metrics;
	InfluxOptions influx;
	int64_t		report_seconds;
	OptionList	properties;
	const char *properties_file;
	int64_t		status_seconds;
	const char *log_level;
} Settings;

/*
 * Fill in what the options say, those too that are more than a number or a
 * word.  False with errstr, which names the option that is wrong.
 */
extern bool settings_read(const OptionsProgram *program,
						  const Settings *settings,
						  const OptionSource *sources, IngestSettings *ingest,
						  UpkeepSettings *upkeep,
						  char *errstr, size_t errstr_size);

extern ConsumerSettings settings_of_consumer(const Settings *settings,
											 KafkaProperties *properties);

#endif							/* FINTRANS_SETTINGS_H */
