/*
 * Arguments of SQL functions, checked: what cannot be used is an error that
 * names the argument.
 */
#ifndef FINTRANS_ARGUMENTS_H
#define FINTRANS_ARGUMENTS_H

#include "fmgr.h"

/* Argument number (from 0 on) of type bigint, within minimum..maximum. */
extern int64 argument_count(FunctionCallInfo fcinfo, int number,
							const char *name, int64 minimum, int64 maximum);

/* A numeric within minimum..maximum. */
extern double argument_number(FunctionCallInfo fcinfo, int number,
							  const char *name, double minimum,
							  double maximum);

/*
 * A numeric from 0 to maximum: by what share amounts may differ.  If it is not
 * 0 it is a little more than given, so that rounding excludes no amount that
 * differs by just that.
 */
extern double argument_share(FunctionCallInfo fcinfo, int number,
							 const char *name, double maximum);

/* An interval longer than nothing, in microseconds; a month is 30 days. */
extern int64 argument_duration(FunctionCallInfo fcinfo, int number,
							   const char *name);

extern bool argument_flag(FunctionCallInfo fcinfo, int number,
						  const char *name);

/* An error if argument number and the one after it are no period. */
extern void argument_check_period(FunctionCallInfo fcinfo, int number);

#endif							/* FINTRANS_ARGUMENTS_H */
