/*
 * A running program's options, read again: says which have changed, and tells
 * those that it takes from those that need a restart.
 */
#ifndef FINTRANS_RELOAD_H
#define FINTRANS_RELOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"

typedef struct Reload Reload;

/* Are these settings possible?  As those of the start were. */
typedef bool (*ReloadCheck) (const void *settings, const OptionSource *sources,
							 void *context, char *errstr, size_t errstr_size);

/*
 * started, of so many bytes, is what the program was started with, and must
 * outlive it; NULL when memory is short.
 */
extern Reload *reload_new(const OptionsProgram *program, const void *started,
						  size_t settings_bytes);
extern void reload_free(Reload *reload);

/*
 * Read all again, and log what has changed.  The settings, valid until the next
 * call; NULL, and all is to stay as it is, when anything is wrong.
 */
extern const void *reload_read(Reload *reload, ReloadCheck check,
							   void *context);

#endif							/* FINTRANS_RELOAD_H */
