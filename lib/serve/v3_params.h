/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/v3_params.h - what Jaeger's api_v3 is asked for
 *
 * Parameters have two names: startTimeMin, and start_time_min, which is older.
 */
#ifndef SERVE_V3_PARAMS_H
#define SERVE_V3_PARAMS_H

#include "serve/select.h"

/*
 * The value of NAME or, when it is empty or not there, of OLD, and into *NAMED
 * which of them it was.
 */
struct span_str span__v3_value(const struct span__serve_request *r,
			       const char *name, const char *old,
			       const char **named);

/*
 * Those below return SPAN_E_INVALID when a value cannot be read, with the
 * answer made; or SPAN_E_NOMEM.
 */

/* A time that may be missing: *NS is 0 then. */
SPAN_NODISCARD int span__v3_time(const struct span__serve_request *r,
				 const char *name, const char *old,
				 uint64_t *ns, struct span__serve_answer *a);
SPAN_NODISCARD int span__v3_bool(const struct span__serve_request *r,
				 const char *name, const char *old, bool *yes,
				 struct span__serve_answer *a);

struct span__v3_search {
	struct span__select select;
	uint64_t depth; /* how many traces */
	bool raw;
};

/* S is to be released in any case, by span__select_release(). */
SPAN_NODISCARD int span__v3_search(const struct span__serve *serve,
				   const struct span__serve_request *r,
				   struct span__v3_search *s,
				   struct span__serve_answer *a);

/* How a search that has failed with RC is answered: what handlers return. */
int span__v3_failed(struct span__serve_answer *a, int rc,
		    const struct span_error *err);

#endif
