/*
 * Numbers are exact decimals and stay texts all the way.
 */
#include "alert.h"

const AlertColumnSpec alert_columns[ALERT_COLUMNS] = {
	[ALERT_ID] = {"alert_id", true},
	[ALERT_RULE] = {"rule", false},
	[ALERT_STATE] = {"state", false},
	[ALERT_SOURCE_ACCOUNT] = {"source_account", false},
	[ALERT_TARGET_ACCOUNT] = {"target_account", false},
	[ALERT_ACCOUNT] = {"account", false},
	[ALERT_TOTAL] = {"total", true},
	[ALERT_TRANSACTIONS] = {"transactions", true},
	[ALERT_THRESHOLD] = {"threshold", true},
	[ALERT_LEVEL] = {"level", true},
	[ALERT_WINDOW_START] = {"window_start", false},
	[ALERT_WINDOW_END] = {"window_end", false},
	[ALERT_RAISED_AT] = {"raised_at", false},
	[ALERT_ESCALATED_AT] = {"escalated_at", false},
	[ALERT_ASSIGNED_TO] = {"assigned_to", false},
};
