/*
 * Patterns of money laundering planted among random transactions, and a file
 * that says which.
 *
 * A plan is made at the start: which transfer of which pattern takes the place
 * of which random message.  The same random numbers make the same plan.
 */
#ifndef FINTRANS_PLANT_H
#define FINTRANS_PLANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "synthetic.h"

/* Most patterns of each kind. */
#define PLANT_MOST_EACH 100

/* Messages are spread over so many days for the plan, if over no real ones. */
#define PLANT_DAYS 30

typedef struct PlantSettings
{
	const char *file;			/* gets a line per pattern */
	int64_t		each;			/* patterns of each kind */
	int64_t		count;			/* messages in all */
	int64_t		accounts;
	int64_t		max_amount;
	int64_t		days;			/* that the messages are spread over; or 0 */
} PlantSettings;

typedef struct Plant Plant;

/*
 * Make the plan and create the file.  NULL with errstr if there is no room for
 * the patterns; to be closed with plant_close().
 */
extern Plant *plant_open(const PlantSettings *settings, Synthetic *random,
						 char *errstr, size_t errstr_size);

/*
 * Is the message after so many others a planted one?  It is made then, and
 * plant_sent() is due.
 */
extern bool plant_next(Plant *plant, uint64_t made, SyntheticMessage *message);

/*
 * The planted message was sent with this time, in milliseconds since 1970.
 * Writes the pattern's line when it was the last one of it; false with errstr
 * if that fails.
 */
extern bool plant_sent(Plant *plant, int64_t event_time_ms,
					   char *errstr, size_t errstr_size);

/* Has one of the message's accounts to take part in nothing else? */
extern bool plant_disturbed_by(const Plant *plant,
							   const SyntheticMessage *message);

/* False with errstr when the file could not be written; plant may be NULL. */
extern bool plant_close(Plant *plant, char *errstr, size_t errstr_size);

#endif							/* FINTRANS_PLANT_H */
