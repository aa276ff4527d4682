/* SPDX-License-Identifier: Apache-2.0 */
/* parse.h - text to numbers and bytes, in any locale; for lib/ only */
#ifndef SPAN_TEXT_PARSE_H
#define SPAN_TEXT_PARSE_H

#include <span/base.h>

/* Bytes of the longest number that is read. */
#define SPAN__NUMBER_MAX 1100u

/*
 * All of S as a double, as strtod(3) reads it where the decimal point is ".".
 * False when S is empty, longer than SPAN__NUMBER_MAX or no number.
 */
bool span__text_to_double(struct span_str s, double *out);

#endif
