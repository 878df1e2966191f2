/*
 * SIGHUP: what of the bridge's options and of its file of properties has been
 * changed, and takes effect while it runs.
 */
#ifndef FINTRANS_REREAD_H
#define FINTRANS_REREAD_H

#include "settings.h"

typedef struct Reread Reread;

/*
 * Have the main loop ask for it.  All that is given must outlive it; NULL with
 * errstr when memory is short.
 */
extern Reread *reread_new(const OptionsProgram *program,
						  const Settings *settings, IngestSettings *ingest,
						  Upkeep *upkeep,
						  const KafkaProperties *properties,
						  char *errstr, size_t errstr_size);

extern void reread_free(Reread *reread);

#endif							/* FINTRANS_REREAD_H */
