/*
 * A program's manual page, for man(1), from its table of options.
 */
#ifndef FINTRANS_MAN_PAGE_H
#define FINTRANS_MAN_PAGE_H

#include <stdio.h>

#include "options.h"

extern void man_page_print(const OptionsProgram *program, FILE *out);

#endif							/* FINTRANS_MAN_PAGE_H */
