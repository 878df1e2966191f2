/*
 * Numbers are exact decimals and stay texts all the way.
 */
#include "alert.h"

const AlertColumnSpec alert_columns[ALERT_COLUMNS] = {
	[ALERT_ID] = {"alert_id", ALERT_NUMBER},
	[ALERT_RULE] = {"rule", ALERT_TEXT},
	[ALERT_STATE] = {"state", ALERT_TEXT},
	[ALERT_SOURCE_ACCOUNT] = {"source_account", ALERT_TEXT},
	[ALERT_TARGET_ACCOUNT] = {"target_account", ALERT_TEXT},
	[ALERT_ACCOUNT] = {"account", ALERT_TEXT},
	[ALERT_TOTAL] = {"total", ALERT_NUMBER},
	[ALERT_TRANSACTIONS] = {"transactions", ALERT_NUMBER},
	[ALERT_THRESHOLD] = {"threshold", ALERT_NUMBER},
	[ALERT_LEVEL] = {"level", ALERT_NUMBER},
	[ALERT_WINDOW_START] = {"window_start", ALERT_TIME},
	[ALERT_WINDOW_END] = {"window_end", ALERT_TIME},
	[ALERT_RAISED_AT] = {"raised_at", ALERT_TIME},
	[ALERT_ESCALATED_AT] = {"escalated_at", ALERT_TIME},
	[ALERT_ASSIGNED_TO] = {"assigned_to", ALERT_TEXT},
};
