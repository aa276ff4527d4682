/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/edges.h - which service calls which, from what the store has counted
 */
#ifndef SERVE_EDGES_H
#define SERVE_EDGES_H

#include <span/store.h>

#include "serve/serve.h"

struct span__edge {
	struct span_str parent, child;
	uint64_t calls, errors;
};
typedef void span__edge_fn(void *arg, const struct span__edge *e);

/*
 * Call FN with each pair of services once, in order of their names, for calls
 * in RANGE. 0, or what span__serve_take() and a graph return.
 */
SPAN_NODISCARD int span__edges(const struct span__serve *serve,
			       const struct span_store_calls_range *range,
			       span__edge_fn *fn, void *arg,
			       struct span_error *err);

#endif
