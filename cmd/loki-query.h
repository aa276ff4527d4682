/* SPDX-License-Identifier: Apache-2.0 */
/* loki-query.h - LogQL for a trace, and what Loki answers to it */
#ifndef LOKI_QUERY_H
#define LOKI_QUERY_H

#include "cmd.h"

/* The entries that trace-to-loki made of a trace, by what PARSER reads. */
void loki_query_put(struct span_buf *b, const uint8_t id[16],
		    const char *parser);

/*
 * Ask the Loki at URL for the lines of N traces, of any service, and append
 * them to OUT as JSON lines: how many, or a negative code.
 */
SPAN_NODISCARD int loki_query_fetch(const char *url, const uint8_t (*ids)[16],
				    size_t n, struct span_buf *out,
				    struct span_error *err);

#endif
