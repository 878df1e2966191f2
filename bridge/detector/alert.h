/*
 * An alert as the detector hands it on: the columns of fintrans_alerts that
 * are of use outside, by their names.
 */
#ifndef FINTRANS_ALERT_H
#define FINTRANS_ALERT_H

/* In the order in which they are written. */
typedef enum AlertColumn
{
	ALERT_ID,
	ALERT_RULE,
	ALERT_STATE,
	ALERT_SOURCE_ACCOUNT,		/* NULL when it is about one account */
	ALERT_TARGET_ACCOUNT,		/* likewise */
	ALERT_ACCOUNT,				/* NULL when it is about a pair */
	ALERT_TOTAL,				/* when raised or escalated */
	ALERT_TRANSACTIONS,
	ALERT_THRESHOLD,
	ALERT_LEVEL,
	ALERT_WINDOW_START,
	ALERT_WINDOW_END,
	ALERT_RAISED_AT,
	ALERT_ESCALATED_AT,
	ALERT_ASSIGNED_TO,
	ALERT_COLUMNS
} AlertColumn;

typedef enum AlertType
{
	ALERT_TEXT,
	ALERT_NUMBER,
	ALERT_TIME					/* ISO 8601, in UTC, with Z */
} AlertType;

typedef struct AlertColumnSpec
{
	const char *name;			/* in fintrans_alerts */
	AlertType	type;
} AlertColumnSpec;

extern const AlertColumnSpec alert_columns[ALERT_COLUMNS];

/*
 * Values as PostgreSQL prints them, times apart, in UTF-8; NULL for none, and
 * for a column that the extension does not have yet.
 */
typedef struct Alert
{
	const char *values[ALERT_COLUMNS];
} Alert;

#endif							/* FINTRANS_ALERT_H */
