/*
 * Settings that change while the main loop runs.
 */
#include "ingest_state.h"

volatile sig_atomic_t ingest_reread = 0;

/*
 * A partition that the breaker has halted is tried again, since what is wrong
 * may have been mended; it halts at the same message otherwise.
 */
void
ingest_take_settings(Ingest *ingest)
{
	const IngestSettings *settings = ingest->settings;

	if (!ingest_reread || settings->reread == NULL ||
		ingest->closing == CLOSING_SIGNAL)
		return;
	ingest_reread = 0;
	if (!settings->reread(settings->reread_context, ingest->consumer))
		return;
	ingest->status.period_ms = settings->status_seconds * 1000;
	ingest->assignment.skip_lost = settings->skip_lost;
	assignment_set_breaker(&ingest->assignment, settings->reject_window,
						   settings->reject_percent);
	ingest_renew(ingest, 0);
}
