/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/jaeger_sample.h"

#include <string.h>

#include "serve/answers.h"
#include "serve/jaeger_params.h"
#include "serve/params.h"

#include "base/banned.h"

int span__serve_sample_open(struct span__serve_sample *out,
			    const struct span__serve *s,
			    struct span_str service, uint64_t since_ns,
			    uint64_t until_ns, uint64_t limit,
			    struct span_error *err)
{
	const struct span_search_opts o = {.limit = limit,
					   .sort = SPAN_SORT_NEWEST};
	struct span_select sel = {
		.n_services = 1, .since_ns = since_ns, .until_ns = until_ns};
	const char *name;
	int rc;

	*out = (struct span__serve_sample){.s = s};
	name = span__serve_exact_name(&out->arena, service);
	if (!name)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	sel.services = &name;
	rc = span__serve_take(s->store, &out->store, err);
	if (rc == 0)
		rc = span_query_compile(&out->query, &sel, err);
	if (rc == 0)
		rc = span_search_store(&out->search, out->store, out->query, &o,
				       err);
	if (rc < 0)
		span__serve_sample_close(out);
	return rc;
}

void span__serve_sample_close(struct span__serve_sample *s)
{
	span_search_close(&s->search);
	span_query_close(&s->query);
	if (s->s)
		span__serve_give_back(s->s->store, s->store);
	span_arena_release(&s->arena);
	*s = (struct span__serve_sample){0};
}

int span__serve_sample_limit(const struct span__serve *s,
			     const struct span__serve_request *r,
			     uint64_t *limit, struct span__serve_answer *a)
{
	struct span_str text = span__serve_value(r, "limit");
	struct span_error why = {0};
	int64_t n = SPAN__SERVE_SAMPLE;
	int rc;

	if (s->max_traces && (uint64_t)n > s->max_traces)
		n = (int64_t)s->max_traces;
	if (text.len && span__serve_int(text, &n, &why) < 0) {
		rc = span__serve_bad_param(a, "limit", &why);
		return rc < 0 ? rc : SPAN_E_INVALID;
	}
	if (n <= 0 || (s->max_traces && (uint64_t)n > s->max_traces)) {
		rc = span__serve_error(a, 400,
				       "search depth must be greater than 0 "
				       "and less than max traces");
		return rc < 0 ? rc : SPAN_E_INVALID;
	}
	*limit = (uint64_t)n;
	return 0;
}
