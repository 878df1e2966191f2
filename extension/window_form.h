/*
 * The stored form of window states, which is the same on every machine.
 */
#ifndef FINTRANS_WINDOW_FORM_H
#define FINTRANS_WINDOW_FORM_H

#include "windows.h"

extern bytea *window_form_encode(const Windows *windows);

/* Raises an error when the bytes are none. */
extern void window_form_decode(Windows *windows, const bytea *stored);

#endif							/* FINTRANS_WINDOW_FORM_H */
