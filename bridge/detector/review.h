/*
 * Reviews at a terminal: shows one alert after the other, asks what is to
 * become of it, and writes that under the role of who is connected.
 */
#ifndef FINTRANS_REVIEW_H
#define FINTRANS_REVIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "docket.h"

/*
 * Until no alert is left, the person quits, or a signal asks for the end.
 * False with errstr when it cannot go on.  Signals must be taken.
 */
extern bool review_run(const DocketSettings *settings, char *errstr,
					   size_t errstr_size);

#endif							/* FINTRANS_REVIEW_H */
