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

/* Room for what S may hold in base64. */
#define SPAN__BASE64_ROOM(len) ((len) / 4 * 3 + 3)

/*
 * The bytes that S says in base64 (RFC 4648, both alphabets, padded or not)
 * to OUT, which has SPAN__BASE64_ROOM(s.len) bytes. False when S is no such
 * text.
 */
bool span__text_from_base64(struct span_str s, char *out, size_t *len);

#endif
