/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that a store knows in advance, as far as they are selected. */
#include "cmd_private.h"

#include "base/banned.h"

bool cmd_source_has_calls(const struct cmd_source *s)
{
	return s->store && !cmd__select_beside_time() && !cmd_source_limit();
}

int cmd_source_calls(struct cmd_source *s, span_store_calls_fn *fn, void *arg,
		     struct span_error *err)
{
	struct span_store_calls_range r = {0};

	cmd__select_time(&r.since_ns, &r.until_ns);
	return span_store_calls(s->store, &r, fn, arg, err);
}

bool cmd_source_has_named_calls(const struct cmd_source *s)
{
	return s->store && !cmd__select_beside_names() && !cmd_source_limit();
}

struct named_calls {
	const struct span_query *query;
	span_store_calls_fn *fn;
	void *arg;
};

/* A span that has what all of the group have answers for it. */
static int put_if_named(void *arg, const struct span_store_calls *c,
			struct span_error *err)
{
	const struct named_calls *n = arg;
	struct span_process process = {.service = c->service};
	struct span s = {.process = &process, .name = c->name, .kind = c->kind};
	uint64_t until;
	int rc;

	cmd__select_time(&s.start_ns, &until);
	rc = span_query_match(n->query, &s, err);
	return rc > 0 ? n->fn(n->arg, c, err) : rc;
}

int cmd_source_named_calls(struct cmd_source *s, uint64_t width_ns,
			   span_store_calls_fn *fn, void *arg,
			   struct span_error *err)
{
	struct span_store_calls_range r = {.width_ns = width_ns};
	struct named_calls n = {s->query, fn, arg};

	cmd__select_time(&r.since_ns, &r.until_ns);
	return span_store_calls(
		s->store, &r, cmd__select_beside_time() ? put_if_named : fn,
		cmd__select_beside_time() ? (void *)&n : arg, err);
}
