/* SPDX-License-Identifier: Apache-2.0 */
/* patterns_state.h - what span_patterns counts; for lib/trace only */
#ifndef SPAN_TRACE_PATTERNS_STATE_H
#define SPAN_TRACE_PATTERNS_STATE_H

#include <span/patterns.h>
#include <span/sketch.h>

#include "base/hash.h"

#define PATTERN_KEYS (UINT32_C(1) << 14)

/* A key of a service. */
struct pattern_key {
	uint64_t hash;
	struct span_str service, key;
	uint64_t n_values;
};

struct pattern_item {
	uint64_t hash;
	const struct pattern_key *key;
	struct span_str value;
	uint64_t failing, rest, last_trace;
	uint64_t traces; /* a sum that tells which traces have it */
};

struct pattern_failure {
	uint64_t ns;
	uint8_t trace[16];
};

struct pattern_call {
	uint64_t hash;
	struct span_str service, name;
	struct span_buf failures; /* struct pattern_failure */
	struct span_sketch rest;  /* durations of what did not fail */
};

struct span_patterns {
	struct span_patterns_opts o;
	struct span__key secret;
	struct span_arena arena;
	struct pattern_key *keys[2 * PATTERN_KEYS];
	struct pattern_item *items[2 * SPAN_PATTERN_ITEMS];
	struct pattern_call *calls[2 * SPAN_PATTERN_CALLS];
	size_t n_keys, n_items, n_calls;
	uint64_t failing, rest, left_out;
	struct span_buf text, below;
	/* Of the last view. */
	struct span_pattern *patterns;
	struct span_cluster *clusters;
};

/* Count the calls of T by their durations: 0 or SPAN_E_NOMEM. */
int span__clusters_put(struct span_patterns *s, const struct span_trace *t);
/* Fill V's clusters: false when memory is out. */
bool span__clusters_view(struct span_patterns *s, struct span_patterns_view *v);

#endif
