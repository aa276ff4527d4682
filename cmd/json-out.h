/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json-out.h - members of JSON objects
 *
 * Each appends "NAME":VALUE, after a comma unless it is the first of an object
 * that was begun with '{'. Names are written as they are.
 */
#ifndef JSON_OUT_H
#define JSON_OUT_H

#include <span/base.h>

void json_name(struct span_buf *b, const char *name);
void json_text(struct span_buf *b, const char *name, struct span_str s);
/* TEXT needs no escapes, as ids. */
void json_plain(struct span_buf *b, const char *name, const char *text);
void json_uint(struct span_buf *b, const char *name, uint64_t n);
/* null, when it is not finite: JSON has no such numbers. */
void json_double(struct span_buf *b, const char *name, double d);
void json_bool(struct span_buf *b, const char *name, bool yes);
/* Before an element of an array, each on a line of its own. */
void json_line(struct span_buf *b, bool first);

#endif
