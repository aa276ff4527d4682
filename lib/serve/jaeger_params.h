/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/jaeger_params.h - what Jaeger's query API is asked for
 *
 * Values that cannot be read are answered with 400 and Jaeger's words: these
 * functions return SPAN_E_INVALID then, with the answer made, or SPAN_E_NOMEM.
 */
#ifndef SERVE_JAEGER_PARAMS_H
#define SERVE_JAEGER_PARAMS_H

#include "serve/select.h"

struct span__serve_search {
	struct span__select select;
	struct span_arena arena;
	uint8_t (*ids)[16]; /* of traceID, and then nothing else matters */
	size_t n_ids;
	uint64_t limit;
	bool raw;
	bool nothing; /* no span can be what is asked for */
};

SPAN_NODISCARD int span__serve_read_search(const struct span__serve *s,
					   const struct span__serve_request *r,
					   struct span__serve_search *out,
					   struct span__serve_answer *a,
					   struct span_error *err);
void span__serve_search_release(struct span__serve_search *s);

/* What raw says; *RAW stays where it says nothing. */
SPAN_NODISCARD int span__serve_read_raw(const struct span__serve_request *r,
					bool *raw,
					struct span__serve_answer *a);

/*
 * The trace id of TEXT, or 400 whose text begins with PREFIX; without one, as
 * in a path, it may be in base64.
 */
SPAN_NODISCARD int span__serve_read_id(struct span_str text, const char *prefix,
				       uint8_t out[16],
				       struct span__serve_answer *a);

/* The tags of a search from its parameters tag and tags. */
SPAN_NODISCARD int span__serve_read_tags(const struct span__serve_request *r,
					 struct span__serve_search *s,
					 struct span__serve_answer *a,
					 struct span_error *err);

#endif
