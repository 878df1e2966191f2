/*
 * Partitions that the table of positions does not have yet, and where each of
 * them is begun.
 */
#ifndef FINTRANS_NEWCOMERS_H
#define FINTRANS_NEWCOMERS_H

#include <stdbool.h>
#include <stddef.h>

#include "consumer.h"
#include "offset_list.h"
#include "time_spec.h"
#include "writer.h"

/*
 * Fill question->add with the first position of each partition of
 * question->topics that question->found lacks.  Those that Kafka does not
 * answer for are left out.  False with errstr when no broker could be asked.
 */
extern bool newcomers_choose(WriterPositions *question,
							 const StartPoint *start, Consumer *consumer,
							 char *errstr, size_t errstr_size);

#endif							/* FINTRANS_NEWCOMERS_H */
