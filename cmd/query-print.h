/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query-print.h - what span-query prints, in all its formats
 *
 * Text gathers in one buffer, which is written when it is large, before the
 * input makes us wait, and at the end. Spans go through a span writer.
 */
#ifndef QUERY_PRINT_H
#define QUERY_PRINT_H

#include "cmd.h"
#include "query-rows.h"
#include "query-template.h"

/* In the order of query_formats. */
enum query_format {
	QUERY_SPANS,
	QUERY_TABLE,
	QUERY_JSON,
	QUERY_JSONL,
	QUERY_CSV,
	QUERY_IDS,
	QUERY_TREE,
	QUERY_TEMPLATE, /* not in query_formats */
};
extern const char *const query_formats[];

struct query_print {
	enum query_format format;
	bool only_matching; /* spans of a trace, in JSON */
	bool csv_safe;
	char end;	/* of ids and lines of a template */
	bool separates; /* it stands between the lines of a template */
	bool holds;	/* rows of a table, until the longest is known */
	struct query_template *template; /* of QUERY_TEMPLATE; or NULL */
	struct query_columns columns;	 /* none: the usual ones */
	struct query_rows rows;
	struct span_render_opts look;
	int fd;
	struct span_buf text;
	struct span_writer *writer;
	uint64_t n_traces, n_spans; /* printed so far */
};

/*
 * Set the format by --format and --columns (NULL: not given), with
 * only_matching set before. Wrong usage exits.
 */
void query_print_choose(struct query_print *p, const char *format,
			const char *columns);
/* Of at most LIMIT traces (0: any) keep the rows for their bars. */
void query_print_hold(struct query_print *p, uint64_t limit);
/* Do heads of spans do for what is printed of traces? See span_search_opts. */
bool query_print_takes_heads(const struct query_print *p);
/* What --columns help prints. */
void query_print_list_columns(void);

/* All return 0 or a negative code. */
SPAN_NODISCARD int query_print_open(struct query_print *p, int fd,
				    struct span_error *err);
/* A line with NAME, for -l and -L. */
SPAN_NODISCARD int query_print_name(struct query_print *p, const char *name,
				    struct span_error *err);
/* What stands before the first result, and after the last one. */
void query_print_begin(struct query_print *p);
SPAN_NODISCARD int query_print_end(struct query_print *p,
				   struct span_error *err);
/* MATCHED as in span_search_next(), or NULL: no span stands out. */
SPAN_NODISCARD int query_print_trace(struct query_print *p,
				     const struct span_trace *t,
				     const uint8_t *matched,
				     struct span_error *err);
SPAN_NODISCARD int query_print_span(struct query_print *p, const struct span *s,
				    struct span_error *err);
SPAN_NODISCARD int query_print_id(struct query_print *p,
				  const uint8_t trace_id[16],
				  struct span_error *err);
/* Write the text that waits; what waits in the writer is its own. */
SPAN_NODISCARD int query_print_flush(struct query_print *p,
				     struct span_error *err);
void query_print_close(struct query_print *p);

#endif
