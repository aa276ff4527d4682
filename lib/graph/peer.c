/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is called but sends no spans: its kind and name are in the tags of who
 * calls it. Keys: OpenTelemetry's semantic conventions, old and new ones, and
 * OpenTracing's.
 */
#include "graph/graph_tables.h"

#include "model/model.h"

#include "base/banned.h"

#define N_KEYS 8u

/* A node of KIND when the first of the keys SIGNS is there; NAMES in order. */
static const struct rule {
	uint8_t kind;
	const char *signs[N_KEYS], *names[N_KEYS];
} rules[] = {
	{SPAN_GRAPH_DATABASE,
	 {"db.system", "db.system.name", "db.type"},
	 {"peer.service", "server.address", "net.peer.name",
	  "network.peer.address", "db.namespace", "db.name"}},
	{SPAN_GRAPH_QUEUE,
	 {"messaging.system"},
	 {"peer.service", "messaging.destination.name",
	  "messaging.destination"}},
	{SPAN_GRAPH_EXTERNAL, {"peer.service"}, {NULL}},
};

/* The text of the first of KEYS that S has one of; false: none. */
static bool text_of(const struct span *s, const char *const *keys,
		    struct span_str *out)
{
	for (size_t i = 0; i < N_KEYS && keys[i]; i++) {
		const struct span_value *v =
			span_attr_get(&s->attrs, span_str(keys[i]));

		if (v && v->type == SPAN_STRING && v->str.len) {
			*out = v->str;
			return true;
		}
	}
	return false;
}

static bool find(const struct span *s, struct span_graph_node *out)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!text_of(s, rules[i].signs, &out->service))
			continue;
		(void)text_of(s, rules[i].names, &out->service);
		out->kind = rules[i].kind;
		return true;
	}
	return false;
}

int span__graph_put_peer(struct span_graph *g, const struct span *s,
			 uint32_t from)
{
	struct span_graph_node name = {0};
	struct span__graph_call c = {
		.from = from,
		.kind = s->kind == SPAN_KIND_PRODUCER ? SPAN_GRAPH_ASYNC
						      : SPAN_GRAPH_SYNC,
		.error = span_is_error(s),
		.calls = 1,
		.sum_ns = s->duration_ns,
		.weight = span__weight(s->trace_state),
	};
	int rc;

	if ((s->kind != SPAN_KIND_CLIENT && s->kind != SPAN_KIND_PRODUCER) ||
	    !find(s, &name))
		return 0;
	if (g->o.by_operation)
		name.operation = s->name;
	rc = span__graph_find_node(g, &name, &c.to);
	return rc < 0 ? rc : span__graph_put_call(g, &c);
}
