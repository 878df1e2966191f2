/*
 * A number between two others, both included, under the name that cmocka 2
 * has for it: the only one that cmocka 1 has is deprecated there.
 */
#ifndef FINTRANS_IN_RANGE_H
#define FINTRANS_IN_RANGE_H

#include <cmocka.h>

#ifndef assert_uint_in_range
#define assert_uint_in_range(value, least, most) \
	assert_in_range(value, least, most)
#endif

#endif							/* FINTRANS_IN_RANGE_H */
