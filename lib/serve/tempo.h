/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/tempo.h - handlers of Grafana Tempo's API
 */
#ifndef SERVE_TEMPO_H
#define SERVE_TEMPO_H

#include "serve/select.h"

span__serve_fn span__tempo_search;
span__serve_fn span__tempo_tags, span__tempo_tags_v2;
span__serve_fn span__tempo_values, span__tempo_values_v2;

/* How what has failed with RC is answered: what handlers return. */
int span__tempo_failed(struct span__serve_answer *a, int rc,
		       const struct span_error *err);

/* 400 "invalid NAME: WHY": SPAN_E_INVALID, or SPAN_E_NOMEM. */
int span__tempo_refuse(struct span__serve_answer *a, const char *name,
		       const struct span_error *why);

/*
 * start and end, in seconds, which may be missing, and limit, which is *LIMIT
 * then. 0; SPAN_E_INVALID with 400 answered; SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__tempo_range(const struct span__serve_request *r,
				     struct span_select *sel, uint64_t *limit,
				     struct span__serve_answer *a);

#endif
