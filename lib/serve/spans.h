/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/spans.h - /api/spans: span-query(1) as a request
 */
#ifndef SERVE_SPANS_H
#define SERVE_SPANS_H

#include "serve/select.h"

/* Those from SPANS_JSON on are of traces, and ids of either. */
enum span__spans_format {
	SPANS_JSONL = 0,
	SPANS_CSV,
	SPANS_STREAM,
	SPANS_IDS,
	SPANS_JSON,
	SPANS_OTLP,
};

struct span__spans_query {
	struct span__select select;
	struct span_search_opts search;
	enum span__spans_format format;
	bool traces; /* whole ones, not only the spans that match */
};

/*
 * Read a request. 0; SPAN_E_INVALID with an error answered; SPAN_E_NOMEM.
 * Q->select is to be released in any case.
 */
SPAN_NODISCARD int span__spans_read(const struct span__serve *serve,
				    const struct span__serve_request *r,
				    struct span__spans_query *q,
				    struct span__serve_answer *a);

/*
 * Answer with an error, of PARAMETER unless it is NULL, at the column (a byte,
 * from 0) COLUMN unless that is below 0. Returns what handlers return.
 */
int span__spans_error(struct span__serve_answer *a, unsigned status,
		      const char *parameter, int64_t column, const char *text);

#endif
