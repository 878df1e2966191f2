/*
 * Plans patterns as lists of transfers, each with its place among the
 * messages, and writes a line for each pattern once it was sent as a whole.
 *
 * An account takes part in at most one pattern, and in random transactions
 * besides; but what passes through an account that does other things cannot
 * be told from them, so the account in the middle of a pass-through is left
 * alone.  Amounts that patterns repeat have odd cents, as real ones do: random
 * ones have none.
 */
#include "plant.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "time_spec.h"

#define MAX_TRANSFERS 12
#define MAX_ACCOUNTS 12

#define CENTS 100
#define MS_PER_DAY INT64_C(86400000)

/* Payments are structured to stay below this. */
#define LIMIT_CENTS (INT64_C(10000) * CENTS)

typedef struct Transfer
{
	int			source;			/* number within the pattern, from 0 on */
	int			target;
	int64_t		cents;
	int			hour;			/* since the pattern began; they ascend */
} Transfer;

typedef struct Pattern
{
	const char *name;
	uint32_t	accounts[MAX_ACCOUNTS];
	int			naccounts;
	Transfer	transfers[MAX_TRANSFERS];
	int64_t		times_ms[MAX_TRANSFERS];	/* as they were sent */
	int			ntransfers;
	int			sent;
} Pattern;

/* A transfer of a pattern, and how many messages come before it at least. */
typedef struct Place
{
	uint64_t	position;
	int			pattern;
	int			transfer;
} Place;

struct Plant
{
	FILE	   *file;
	char	   *path;
	Synthetic  *random;
	int64_t		max_amount;
	Pattern    *patterns;
	int			npatterns;
	Place	   *places;			/* by position */
	int			nplaces;
	int			next;			/* of places */
	uint32_t   *quiet;			/* accounts to be left alone */
	int			nquiet;
};

/* Fills the transfers of a pattern whose amounts are about the one given. */
typedef void (*PatternMaker) (Plant *plant, Pattern *pattern, int64_t cents);

static void make_path(Plant *plant, Pattern *pattern, int64_t cents);
static void make_ring(Plant *plant, Pattern *pattern, int64_t cents);
static void make_broken_ring(Plant *plant, Pattern *pattern, int64_t cents);
static void make_repeats(Plant *plant, Pattern *pattern, int64_t cents);
static void make_fan_in(Plant *plant, Pattern *pattern, int64_t cents);
static void make_fan_out(Plant *plant, Pattern *pattern, int64_t cents);
static void make_scatter(Plant *plant, Pattern *pattern, int64_t cents);
static void make_structuring(Plant *plant, Pattern *pattern, int64_t cents);
static void make_pass(Plant *plant, Pattern *pattern, int64_t cents);

/* Named as the extension names what it finds. */
static const struct
{
	const char *name;
	int			naccounts;
	PatternMaker make;
}			kinds[] = {
	{"chain", 6, make_path},
	{"ring", 5, make_ring},
	{"broken ring", 6, make_broken_ring},
	{"repeated transfers", 2, make_repeats},
	{"fan-in", 9, make_fan_in},
	{"fan-out", 9, make_fan_out},
	{"scatter-gather", 7, make_scatter},
	{"structuring", 5, make_structuring},
	{"pass-through", 8, make_pass}
};

#define NKINDS ((int) (sizeof(kinds) / sizeof(kinds[0])))

/* No pattern lasts longer. */
#define LONGEST_DAYS 6

static bool check_room(const PlantSettings *settings, char *errstr,
					   size_t errstr_size);
static bool allocate(Plant *plant, const PlantSettings *settings,
					 char *errstr, size_t errstr_size);
static void make_plan(Plant *plant, const PlantSettings *settings);
static void choose_accounts(Plant *plant, Pattern *pattern,
							int64_t accounts);
static bool is_taken(const Plant *plant, uint32_t account);
static void place_pattern(Plant *plant, int pattern,
						  const PlantSettings *settings);
static int	compare_places(const void *a, const void *b);
static void write_pattern(Plant *plant, const Pattern *pattern);
static void write_time(FILE *file, int64_t ms);

Plant *
plant_open(const PlantSettings *settings, Synthetic *random,
		   char *errstr, size_t errstr_size)
{
	Plant	   *plant;

	if (!check_room(settings, errstr, errstr_size))
		return NULL;
	plant = calloc(1, sizeof(*plant));
	if (plant == NULL || !allocate(plant, settings, errstr, errstr_size))
	{
		if (plant == NULL)
			snprintf(errstr, errstr_size, "out of memory");
		plant_close(plant, NULL, 0);
		return NULL;
	}
	plant->random = random;
	plant->max_amount = settings->max_amount;
	make_plan(plant, settings);
	return plant;
}

static bool
check_room(const PlantSettings *settings, char *errstr, size_t errstr_size)
{
	int64_t		accounts = 0;
	int64_t		messages = settings->each * NKINDS * MAX_TRANSFERS;

	for (int i = 0; i < NKINDS; i++)
		accounts += settings->each * kinds[i].naccounts;
	/* half of them left, so that choosing others at random soon succeeds */
	if (settings->accounts < 2 * accounts)
		snprintf(errstr, errstr_size, "%" PRId64 " patterns of each kind need "
				 "at least %" PRId64 " accounts", settings->each,
				 2 * accounts);
	else if (settings->count < 2 * messages)
		snprintf(errstr, errstr_size, "%" PRId64 " patterns of each kind need "
				 "a count of at least %" PRId64, settings->each,
				 2 * messages);
	else if (settings->days > 0 && settings->days <= LONGEST_DAYS)
		snprintf(errstr, errstr_size, "patterns need more than %d days",
				 LONGEST_DAYS);
	else
		return true;
	return false;
}

static bool
allocate(Plant *plant, const PlantSettings *settings, char *errstr,
		 size_t errstr_size)
{
	size_t		patterns = (size_t) settings->each * NKINDS;

	plant->patterns = calloc(patterns, sizeof(*plant->patterns));
	plant->places = calloc(patterns * MAX_TRANSFERS, sizeof(*plant->places));
	plant->quiet = calloc((size_t) settings->each, sizeof(*plant->quiet));
	plant->path = strdup(settings->file);
	if (plant->patterns == NULL || plant->places == NULL ||
		plant->quiet == NULL || plant->path == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		return false;
	}
	plant->file = fopen(settings->file, "we");
	if (plant->file == NULL)
		snprintf(errstr, errstr_size, "could not create file \"%s\": %s",
				 settings->file, strerror(errno));
	return plant->file != NULL;
}

/* -------------------------------------------------------------- the plan */

static int64_t
pick(Plant *plant, int64_t count)
{
	return synthetic_pick(plant->random, (uint32_t) count);
}

static void
make_plan(Plant *plant, const PlantSettings *settings)
{
	for (int i = 0; i < settings->each * NKINDS; i++)
	{
		Pattern    *pattern = &plant->patterns[i];
		int64_t		whole = settings->max_amount / 2;

		pattern->name = kinds[i % NKINDS].name;
		pattern->naccounts = kinds[i % NKINDS].naccounts;
		choose_accounts(plant, pattern, settings->accounts);
		plant->npatterns++;
		whole += pick(plant, settings->max_amount - whole + 1);
		kinds[i % NKINDS].make(plant, pattern,
							   whole * CENTS + 1 + pick(plant, CENTS - 1));
		place_pattern(plant, i, settings);
	}
	qsort(plant->places, (size_t) plant->nplaces, sizeof(Place),
		  compare_places);
}

static void
choose_accounts(Plant *plant, Pattern *pattern, int64_t accounts)
{
	for (int i = 0; i < pattern->naccounts; i++)
	{
		bool		taken;

		do
		{
			pattern->accounts[i] = (uint32_t) pick(plant, accounts);
			taken = is_taken(plant, pattern->accounts[i]);
			for (int j = 0; j < i && !taken; j++)
				taken = pattern->accounts[j] == pattern->accounts[i];
		} while (taken);
	}
}

static bool
is_taken(const Plant *plant, uint32_t account)
{
	for (int i = 0; i < plant->npatterns; i++)
	{
		const Pattern *pattern = &plant->patterns[i];

		for (int j = 0; j < pattern->naccounts; j++)
		{
			if (pattern->accounts[j] == account)
				return true;
		}
	}
	return false;
}

/* Where its transfers go: from a random moment on, at their hours. */
static void
place_pattern(Plant *plant, int number, const PlantSettings *settings)
{
	const Pattern *pattern = &plant->patterns[number];
	int64_t		days = settings->days > 0 ? settings->days : PLANT_DAYS;
	int64_t		hours = 24 * days;
	int64_t		span = pattern->transfers[pattern->ntransfers - 1].hour + 1;
	double		per_hour = (double) settings->count / (double) hours;
	double		begin = (double) pick(plant, hours - span);

	for (int i = 0; i < pattern->ntransfers; i++)
		plant->places[plant->nplaces++] = (Place) {
			.position = (uint64_t) ((begin + pattern->transfers[i].hour) *
									per_hour),
			.pattern = number,
			.transfer = i
		};
}

static int
compare_places(const void *a, const void *b)
{
	const Place *left = a;
	const Place *right = b;

	if (left->position != right->position)
		return left->position < right->position ? -1 : 1;
	if (left->pattern != right->pattern)
		return left->pattern < right->pattern ? -1 : 1;
	return left->transfer - right->transfer;
}

/* ---------------------------------------------------------- the patterns */

static void
add_transfer(Pattern *pattern, int source, int target, int64_t cents,
			 int hour)
{
	assert(pattern->ntransfers < MAX_TRANSFERS);
	assert(source < pattern->naccounts && target < pattern->naccounts);
	pattern->transfers[pattern->ntransfers++] = (Transfer) {
		source, target, cents, hour
	};
}

/* The same amount from each account to the next, a day apart. */
static void
make_path(Plant *plant, Pattern *pattern, int64_t cents)
{
	(void) plant;
	for (int i = 0; i + 1 < pattern->naccounts; i++)
		add_transfer(pattern, i, i + 1, cents, 24 * i);
}

static void
make_ring(Plant *plant, Pattern *pattern, int64_t cents)
{
	make_path(plant, pattern, cents);
	add_transfer(pattern, pattern->naccounts - 1, 0, cents,
				 24 * (pattern->naccounts - 1));
}

/* The links of a path, the last two before the others. */
static void
make_broken_ring(Plant *plant, Pattern *pattern, int64_t cents)
{
	int			links = pattern->naccounts - 1;

	(void) plant;
	for (int i = 0; i < links; i++)
	{
		int			link = (i + links - 2) % links;

		add_transfer(pattern, link, link + 1, cents, 24 * i);
	}
}

/* An amount at most a hundredth above the one given. */
static int64_t
similar(Plant *plant, int64_t cents)
{
	return cents + pick(plant, cents / 100 + 1);
}

static void
make_repeats(Plant *plant, Pattern *pattern, int64_t cents)
{
	for (int i = 0; i < 4; i++)
		add_transfer(pattern, 0, 1, similar(plant, cents), 3 * i);
}

static void
make_fan_in(Plant *plant, Pattern *pattern, int64_t cents)
{
	for (int i = 1; i < pattern->naccounts; i++)
		add_transfer(pattern, i, 0, similar(plant, cents), i);
}

static void
make_fan_out(Plant *plant, Pattern *pattern, int64_t cents)
{
	for (int i = 1; i < pattern->naccounts; i++)
		add_transfer(pattern, 0, i, similar(plant, cents), i);
}

/* From account 0 to account 1 through the others, which keep two per cent. */
static void
make_scatter(Plant *plant, Pattern *pattern, int64_t cents)
{
	int			between = pattern->naccounts - 2;

	for (int i = 0; i < between; i++)
		add_transfer(pattern, 0, 2 + i, similar(plant, cents), i);
	for (int i = 0; i < between; i++)
		add_transfer(pattern, 2 + i, 1,
					 pattern->transfers[i].cents * 98 / 100, 48 + i);
}

static void
make_structuring(Plant *plant, Pattern *pattern, int64_t cents)
{
	(void) cents;
	for (int i = 1; i < pattern->naccounts; i++)
		add_transfer(pattern, 0, i,
					 LIMIT_CENTS - 1 - pick(plant, LIMIT_CENTS / 10), 2 * i);
}

/* Five pay account 0, which hands 98 per cent on to two. */
static void
make_pass(Plant *plant, Pattern *pattern, int64_t cents)
{
	int64_t		total = 0;
	int			payers = pattern->naccounts - 3;

	for (int i = 0; i < payers; i++)
	{
		add_transfer(pattern, 1 + i, 0, similar(plant, cents), i);
		total += pattern->transfers[i].cents;
	}
	total = total * 98 / 100;
	add_transfer(pattern, 0, 1 + payers, total / 3, 12);
	add_transfer(pattern, 0, 2 + payers, total - total / 3, 13);
	plant->quiet[plant->nquiet++] = pattern->accounts[0];
}

/* ---------------------------------------------------------------- sending */

bool
plant_next(Plant *plant, uint64_t made, SyntheticMessage *message)
{
	const Place *place = &plant->places[plant->next];
	const Pattern *pattern;
	const Transfer *transfer;

	if (plant->next == plant->nplaces || made < place->position)
		return false;
	pattern = &plant->patterns[place->pattern];
	transfer = &pattern->transfers[place->transfer];
	synthetic_write(message, pattern->accounts[transfer->source],
					pattern->accounts[transfer->target],
					(uint64_t) transfer->cents / CENTS,
					(uint32_t) (transfer->cents % CENTS));
	return true;
}

bool
plant_sent(Plant *plant, int64_t event_time_ms, char *errstr,
		   size_t errstr_size)
{
	const Place *place = &plant->places[plant->next++];
	Pattern    *pattern = &plant->patterns[place->pattern];

	pattern->times_ms[place->transfer] = event_time_ms;
	if (++pattern->sent == pattern->ntransfers)
		write_pattern(plant, pattern);
	if (ferror(plant->file))
	{
		snprintf(errstr, errstr_size, "could not write file \"%s\"",
				 plant->path);
		return false;
	}
	return true;
}

bool
plant_disturbed_by(const Plant *plant, const SyntheticMessage *message)
{
	for (int i = 0; i < plant->nquiet; i++)
	{
		if (message->source == plant->quiet[i] ||
			message->target == plant->quiet[i])
			return true;
	}
	return false;
}

bool
plant_close(Plant *plant, char *errstr, size_t errstr_size)
{
	bool		written = true;

	if (plant == NULL)
		return true;
	if (plant->file != NULL && fclose(plant->file) != 0)
	{
		snprintf(errstr, errstr_size, "could not write file \"%s\": %s",
				 plant->path, strerror(errno));
		written = false;
	}
	free(plant->path);
	free(plant->patterns);
	free(plant->places);
	free(plant->quiet);
	free(plant);
	return written;
}

/* --------------------------------------------------------------- the file */

/* Name, accounts, amounts and times, which COPY reads as text and arrays. */
static void
write_pattern(Plant *plant, const Pattern *pattern)
{
	FILE	   *file = plant->file;

	fprintf(file, "%s\t", pattern->name);
	for (int i = 0; i < pattern->naccounts; i++)
		fprintf(file, "%s%" PRIu32, i == 0 ? "{" : ",", pattern->accounts[i]);
	fprintf(file, "}\t");
	for (int i = 0; i < pattern->ntransfers; i++)
		fprintf(file, "%s%" PRId64 ".%02d", i == 0 ? "{" : ",",
				pattern->transfers[i].cents / CENTS,
				(int) (pattern->transfers[i].cents % CENTS));
	fprintf(file, "}\t{");
	for (int i = 0; i < pattern->ntransfers; i++)
	{
		if (i > 0)
			fputc(',', file);
		write_time(file, pattern->times_ms[i]);
	}
	fprintf(file, "}\n");
}

static void
write_time(FILE *file, int64_t ms)
{
	int32_t		day = time_spec_day(ms);
	int			rest = (int) (ms - day * MS_PER_DAY);
	int			year;
	int			month;
	int			day_of_month;

	time_spec_civil(day, &year, &month, &day_of_month);
	fprintf(file, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month,
			day_of_month, rest / 3600000, rest / 60000 % 60,
			rest / 1000 % 60, rest % 1000);
}
