/*
 * A set of UTC days, counted from 1970: those whose partition is known to
 * exist.  Pure.
 */
#ifndef FINTRANS_DAY_SET_H
#define FINTRANS_DAY_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When it would get larger it forgets all days, which costs a look-up each. */
#define DAY_SET_MAX 4096

typedef struct DaySet
{
	int32_t		days[DAY_SET_MAX];	/* ascending */
	size_t		count;
} DaySet;

extern void day_set_clear(DaySet *set);
extern bool day_set_has(const DaySet *set, int32_t day);
extern void day_set_add(DaySet *set, int32_t day);

#endif							/* FINTRANS_DAY_SET_H */
