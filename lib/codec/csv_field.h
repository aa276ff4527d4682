/* SPDX-License-Identifier: Apache-2.0 */
/* csv_field.h - what the columns of CSV mean */
#ifndef SPAN__CSV_FIELD_H
#define SPAN__CSV_FIELD_H

#include "codec/decoder.h"

/* Where a record ends; a zeroed struct is before one. */
struct span__csv_scan {
	bool quoted, closing, inside; /* of a field */
	bool ended;
};

/* Bytes up to the end of the record, all LEN when it is not among them. */
size_t span__csv_record(struct span__csv_scan *s, const unsigned char *p,
			size_t len);

struct span__csv_column {
	struct span_str name; /* of a tag: its key */
	int what;
	uint64_t unit; /* of a time: ns */
};

/* Set what the column NAME is; true when it is the trace id. */
bool span__csv_column(struct span__csv_column *c);

/* True when the LEN bytes at P begin with such a header, of two columns. */
bool span__csv_detect(const unsigned char *p, size_t len);

struct span__csv_span {
	struct span s;
	struct span_process process;
	struct span__list attrs, process_attrs;
	bool has_trace, has_id, has_start; /* exactly */
	const char *bad;		   /* static text, or NULL */
};

/* Put the field of a column into the span; memory is the message's arena. */
void span__csv_field(struct span__message *m, struct span__csv_span *s,
		     const struct span__csv_column *c, struct span_str text);

/* All fields were put; false when the span is bad. */
bool span__csv_finish(struct span__csv_span *s);

#endif
