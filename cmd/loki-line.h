/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loki-line.h - the line of an entry, field by field, in logfmt or JSON
 *
 * A line is never longer than Loki takes: fields that do not fit are left out,
 * and the last one then says so. The names that it uses itself are taken: a tag
 * whose name Loki would read as one of them gets "tag_" before it.
 */
#ifndef LOKI_LINE_H
#define LOKI_LINE_H

#include "cmd.h"

#define LOKI_MAX_LINE 262144u /* bytes; longer ones Loki refuses */

struct loki_line {
	struct span_buf text, scratch, name;
	bool json;
	bool cut;   /* something did not fit */
	bool named; /* "event" is ours, too */
};

void loki_line_begin(struct loki_line *l, bool json);
void loki_line_text(struct loki_line *l, const char *name, struct span_str v);
void loki_line_uint(struct loki_line *l, const char *name, uint64_t n);
/* As Go and LogQL read it without loss: "1500us" or "1500001ns". */
void loki_line_duration(struct loki_line *l, const char *name, uint64_t ns);
/* RFC 3339 in UTC, with all digits. */
void loki_line_time(struct loki_line *l, uint64_t ns);
void loki_line_ids(struct loki_line *l, const struct span *s);
/* All tags, in their order. */
void loki_line_attrs(struct loki_line *l, const struct span_attrs *a);
/* False when memory is out. */
bool loki_line_end(struct loki_line *l);
void loki_line_release(struct loki_line *l);

#endif
