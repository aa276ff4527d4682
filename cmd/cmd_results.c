/* SPDX-License-Identifier: Apache-2.0 */
/* What a span source finds: spans, traces, ids, counts, and what was cut. */
#include "cmd_private.h"

#include "base/banned.h"

int cmd_source_next(struct cmd_source *s, struct span *out,
		    struct span_error *err)
{
	int rc = cmd__source_start(s, err);

	return rc < 0 ? rc : span_search_next_span(s->search, out, err);
}

int cmd_source_count(struct cmd_source *s, uint64_t *n, struct span_error *err)
{
	int rc = cmd__source_start(s, err);

	return rc < 0 ? rc : span_search_count(s->search, n, err);
}

int cmd_source_count_traces(struct cmd_source *s, uint64_t *n,
			    struct span_error *err)
{
	int rc = cmd__source_start(s, err);

	return rc < 0 ? rc : span_search_count_traces(s->search, n, err);
}

int cmd_source_next_id(struct cmd_source *s, uint8_t id[16],
		       struct span_error *err)
{
	int rc = cmd__source_start(s, err);

	return rc < 0 ? rc : span_search_next_id(s->search, id, err);
}

int cmd_source_next_trace(struct cmd_source *s, struct span_trace *out,
			  const uint8_t **matched, struct span_error *err)
{
	int rc = cmd__source_start(s, err);

	return rc < 0 ? rc : span_search_next(s->search, out, matched, err);
}

bool cmd_source_more(const struct cmd_source *s)
{
	return s->search && span_search_more(s->search);
}

void cmd_source_cut(uint64_t n)
{
	if (n)
		cmd_warn("%llu %s cut for want of memory; see --memory",
			 (unsigned long long)n,
			 n == 1 ? "trace was" : "traces were");
}

uint64_t cmd_source_n_cut(const struct cmd_source *s)
{
	return s->search ? span_search_cut(s->search) : 0;
}
