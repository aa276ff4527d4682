/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/jaeger_sample.h"

#include "serve/answers.h"
#include "serve/params.h"

#include "base/banned.h"

int span__serve_sample_open(struct span__found *f, const struct span__serve *s,
			    struct span_str service, uint64_t since_ns,
			    uint64_t until_ns, uint64_t limit,
			    struct span_error *err)
{
	const struct span_search_opts o = {.limit = limit,
					   .sort = SPAN_SORT_NEWEST};
	struct span__select select = {
		.sel = {.since_ns = since_ns, .until_ns = until_ns}};
	int rc;

	span__select_name(&select, SELECT_SERVICES, service);
	rc = span__found_open(f, s->store, &select, &o, err);
	span__select_release(&select);
	return rc;
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

int span__serve_sample_failed(struct span__serve_answer *a, int rc,
			      const struct span_error *err)
{
	if (rc == SPAN_E_INVALID)
		return span__serve_error(a, 400, "%s", err->msg);
	return span__serve_failed(a, rc, err);
}
