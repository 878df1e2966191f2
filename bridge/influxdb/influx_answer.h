/*
 * What InfluxDB's answer to a write means.  Pure: knows status and text, and
 * keeps of the text only phrases known to hold no account.
 */
#ifndef FINTRANS_INFLUX_ANSWER_H
#define FINTRANS_INFLUX_ANSWER_H

#include <stddef.h>

typedef enum InfluxVerdict
{
	INFLUX_STORED,
	INFLUX_STORED_PARTLY,		/* all but those it dropped */
	INFLUX_REFUSED,				/* a point is at fault, it does not say which */
	INFLUX_TOO_LARGE,			/* fewer points may do */
	INFLUX_NO_DATABASE,
	INFLUX_RETRY				/* the same again later may do */
} InfluxVerdict;

typedef struct InfluxAnswer
{
	InfluxVerdict verdict;
	size_t		dropped;		/* of INFLUX_STORED_PARTLY */
	const char *reason;			/* safe to log; never NULL */
} InfluxAnswer;

/* Status and text of the answer to so many points. */
extern InfluxAnswer influx_answer_judge(long status, const char *text,
										size_t points);

#endif							/* FINTRANS_INFLUX_ANSWER_H */
