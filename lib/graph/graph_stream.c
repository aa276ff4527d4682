/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A graph from a stream: what waits for the rest of its trace is a row of 48
 * bytes a span. Names are numbers of a table; the nodes that they stand for are
 * made when a trace is complete and counts, as if it had been put together.
 */
#include "graph/graph_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/sort.h"
#include "model/model.h"
#include "query/window.h"
#include "trace/parents.h"

#include "base/banned.h"

#define NAMES (2 * SPAN_GRAPH_NODES) /* services and operations */
#define NO_NAME ((1u << 24) - 1)
#define RECENT 256u
#define KNOWN 1024u

struct row {
	uint64_t id, parent_id, start_ns, duration_ns;
	double weight;
	uint32_t service; /* equal for equal services */
	uint32_t name : 24, kind : 4;
	uint32_t error : 1, follows : 1, counted : 1;
};

struct name {
	struct span_str text;
	uint64_t hash;
	uint32_t
		service; /* of an operation: the number of its service's name */
	uint32_t node;	 /* or SPAN__NO_NODE: not known yet */
};

struct span_graph_stream {
	struct span_graph *g;
	struct span_graph_stream_opts o;
	struct span__window window;
	struct span_buf names; /* array; their texts are the graph's */
	struct span__slots by_name;
	/* Processes by their serials, whose services are known. */
	struct {
		uint64_t serial;
		uint32_t service, name;
	} recent[RECENT];
	uint32_t known[KNOWN]; /* operations, plus one; 0: none */
	struct span_buf scratch;
	struct span__parents parents;
	struct span__few_parents few;
};

static struct name *name_at(const struct span_graph_stream *gs, uint32_t i)
{
	return (struct name *)gs->names.p + i;
}

static bool same_name(const struct name *n, struct span_str text,
		      uint32_t service)
{
	return n->service == service && span_str_equal(n->text, text);
}

static uint64_t hash_entry(const void *stream, const struct span__slots *t,
			   uint32_t i)
{
	(void)t;
	return name_at(stream, i)->hash;
}

static uint64_t hash_of(const struct span_graph_stream *gs,
			const struct name *n)
{
	uint64_t hash = span__hash_str(&gs->g->key, n->text);

	return n->service == NO_NAME ? hash : hash * 31 + n->service;
}

/* The number of a name that is WANTED's, NO_NAME when there are too many. */
static int find_name(struct span_graph_stream *gs, const struct name *wanted,
		     uint32_t *out)
{
	struct span__slots *t = &gs->by_name;
	struct name new = *wanted;
	uint64_t at = hash_of(gs, wanted);
	uint32_t mask, slot;

	if (span__slots_grow(t, hash_entry, gs) < 0)
		return SPAN_E_NOMEM;
	new.hash = at;
	mask = (1u << t->bits) - 1;
	for (; (slot = t->slots[at & mask]); at++) {
		*out = slot - 1;
		if (name_at(gs, *out)->hash == new.hash &&
		    same_name(name_at(gs, *out), wanted->text, wanted->service))
			return 0;
	}
	*out = NO_NAME;
	if (t->n == NAMES)
		return 0;
	if (span__graph_keep_text(gs->g, wanted->text, &new.text) < 0)
		return SPAN_E_NOMEM;
	new.node = SPAN__NO_NODE;
	span_buf_put(&gs->names, &new, sizeof(new));
	if (gs->names.failed)
		return SPAN_E_NOMEM;
	*out = t->n++;
	t->slots[at & mask] = *out + 1;
	return 0;
}

/* Services without a name have a number that hardly any other one has. */
static int find_service(struct span_graph_stream *gs, struct span_str text,
			uint32_t *service, uint32_t *name)
{
	struct name wanted = {.text = text, .service = NO_NAME};
	int rc = find_name(gs, &wanted, name);

	*service = *name;
	if (*name == NO_NAME)
		*service = (uint32_t)(hash_of(gs, &wanted) >> 32) | NAMES;
	return rc;
}

/*
 * Where an operation is noted: by its first and last bytes, which costs less
 * than a hash does. That others may have the same place is no harm.
 */
static uint32_t *place_of(struct span_graph_stream *gs, struct span_str text,
			  uint32_t service)
{
	uint64_t first = 0, last = 0;

	if (text.len >= sizeof(first)) {
		memcpy(&first, text.p, sizeof(first));
		memcpy(&last, text.p + text.len - sizeof(last), sizeof(last));
	} else {
		for (size_t i = 0; i < text.len; i++)
			first = first << 8 | (uint8_t)text.p[i];
	}
	first += (last ^ service) * 0x9e3779b97f4a7c15 + text.len;
	return &gs->known[(first * 0x9e3779b97f4a7c15) >> 32 & (KNOWN - 1)];
}

static int find_operation(struct span_graph_stream *gs, struct span_str text,
			  uint32_t service, uint32_t *name)
{
	struct name wanted = {.text = text, .service = service};
	uint32_t *place;
	int rc;

	if (service == NO_NAME)
		return 0;
	place = place_of(gs, text, service);
	if (*place && same_name(name_at(gs, *place - 1), text, service)) {
		*name = *place - 1;
		return 0;
	}
	rc = find_name(gs, &wanted, name);
	*place = rc < 0 || *name == NO_NAME ? 0 : *name + 1;
	return rc;
}

static int find_names(struct span_graph_stream *gs, const struct span *s,
		      struct row *row)
{
	uint64_t serial = s->process->serial;
	uint32_t service, name;
	int rc = 0;

	if (serial && gs->recent[serial % RECENT].serial == serial) {
		service = gs->recent[serial % RECENT].service;
		name = gs->recent[serial % RECENT].name;
	} else {
		rc = find_service(gs, s->process->service, &service, &name);
		gs->recent[serial % RECENT].serial = rc < 0 ? 0 : serial;
		gs->recent[serial % RECENT].service = service;
		gs->recent[serial % RECENT].name = name;
	}
	if (!rc && gs->g->o.by_operation)
		rc = find_operation(gs, s->name, name, &name);
	row->service = service;
	row->name = name & NO_NAME;
	return rc;
}

static int find_node(struct span_graph_stream *gs, uint32_t number,
		     uint32_t *out)
{
	struct span_graph_node node = {0};
	struct name *n = name_at(gs, number);
	int rc;

	*out = SPAN__NO_NODE;
	if (number == NO_NAME)
		return 0;
	*out = n->node;
	if (n->node != SPAN__NO_NODE)
		return 0;
	node.service = n->text;
	if (gs->g->o.by_operation) {
		node.operation = n->text;
		node.service = name_at(gs, n->service)->text;
	}
	rc = span__graph_find_node(gs->g, &node, out);
	n->node = *out;
	return rc;
}

static int put_row(struct span_graph_stream *gs, const struct row *row,
		   const struct row *caller, uint8_t flags)
{
	struct span__graph_group c = {
		.kind = (uint8_t)row->kind,
		.error = row->error,
		.follows = row->follows,
		.calls = 1,
		.sum_ns = row->duration_ns,
		.weight = row->weight,
	};
	uint32_t to, from;
	int rc = find_node(gs, row->name, &to);

	if (rc < 0)
		return rc;
	if (flags & SPAN_TRACE_ORPHAN) {
		c.parent = SPAN_PARENT_ABSENT;
	} else if (caller) {
		c.parent = SPAN_PARENT_KNOWN;
		c.caller_kind = (uint8_t)caller->kind;
	}
	if (!span__graph_put_group(gs->g, &c, to))
		return 0;
	rc = find_node(gs, caller->name, &from);
	return rc < 0 ? rc : span__graph_put_caller(gs->g, &c, from, to);
}

/* Who called whom among the rows of a trace, and in which ORDER they are. */
struct calls {
	const uint32_t *parent; /* a number in the order */
	const uint8_t *flags;
	const struct span__item *order; /* NULL: as they came */
};

static void list_members(const struct row *rows, size_t n,
			 const struct span__item *order,
			 struct span__member *members)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[order ? order[i].i : i];

		members[i] = (struct span__member){
			r->id, r->parent_id, r->service, (uint8_t)r->kind};
	}
}

/* In the order in which they start. */
static int find_parents(struct span_graph_stream *gs, const struct row *rows,
			size_t n, struct calls *out)
{
	struct span__member *members;
	struct span__item *v, *tmp;

	gs->scratch.len = 0;
	if (n > SIZE_MAX / (2 * sizeof(*v) + sizeof(*members)))
		return SPAN_E_NOMEM;
	v = (struct span__item *)span_buf_reserve(
		&gs->scratch, n * (2 * sizeof(*v) + sizeof(*members)));
	if (!v)
		return SPAN_E_NOMEM;
	tmp = v + n;
	members = (struct span__member *)(tmp + n);
	for (uint32_t i = 0; i < n; i++)
		v[i] = (struct span__item){rows[i].start_ns, i};
	span__sort(v, tmp, n, NULL, NULL);
	list_members(rows, n, v, members);
	out->order = v;
	if (span__parents_find(&gs->parents, members, n) < 0)
		return SPAN_E_NOMEM;
	out->parent = gs->parents.parent;
	out->flags = gs->parents.flags;
	return 0;
}

static int find_calls(struct span_graph_stream *gs, const struct row *rows,
		      size_t n, struct calls *out)
{
	struct span__member members[SPAN__FEW];

	if (n <= SPAN__FEW) {
		list_members(rows, n, NULL, members);
		*out = (struct calls){gs->few.parent, gs->few.flags, NULL};
		if (span__parents_find_few(&gs->few, members, n))
			return 0;
	}
	return find_parents(gs, rows, n, out);
}

static int put_trace(struct span_graph_stream *gs,
		     const struct span__open_trace *t)
{
	const struct row *rows = (const struct row *)t->items.p;
	size_t n = t->items.len / sizeof(*rows);
	struct calls c;
	int rc;

	if (!t->candidate && !t->goes_on)
		return 0;
	rc = find_calls(gs, rows, n, &c);
	for (size_t i = 0; i < n && !rc; i++) {
		const struct row *r = &rows[c.order ? c.order[i].i : i];
		const struct row *caller = NULL;
		uint32_t p = c.parent[i];

		if (p != SPAN_TRACE_NONE)
			caller = &rows[c.order ? c.order[p].i : p];
		if (r->counted)
			rc = put_row(gs, r, caller, c.flags[i]);
	}
	gs->g->sums.traces++;
	return rc;
}

/* Count the traces that are complete, with END all. */
static int settle(struct span_graph_stream *gs, bool end,
		  struct span_error *err)
{
	struct span__open_trace *t;
	int rc = 0;

	while (!rc && (t = span__window_pop(&gs->window, gs->o.memory, end))) {
		rc = put_trace(gs, t);
		span__open_trace_free(t);
	}
	return rc < 0 ? span_error_set(err, SPAN_E_NOMEM, "memory is out") : 0;
}

int span_graph_stream_open(struct span_graph_stream **out, struct span_graph *g,
			   const struct span_graph_stream_opts *o,
			   struct span_error *err)
{
	struct span_graph_stream *gs;
	int rc;

	*out = NULL;
	if (g->o.peers || g->o.links)
		return span_error_set(err, SPAN_E_INVALID,
				      "peers and links need whole spans");
	gs = calloc(1, sizeof(*gs));
	if (!gs)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	gs->g = g;
	if (o)
		gs->o = *o;
	if (!gs->o.window_ns)
		gs->o.window_ns = SPAN__WINDOW_NS;
	if (!gs->o.memory)
		gs->o.memory = SPAN__WINDOW_MEMORY;
	rc = span__window_init(&gs->window, gs->o.window_ns, err);
	if (rc < 0)
		span_graph_stream_close(&gs);
	*out = gs;
	return rc;
}

static bool in_time(const struct span_graph_stream_opts *o, uint64_t ns)
{
	return ns >= o->since_ns && (!o->until_ns || ns < o->until_ns);
}

int span_graph_stream_put(struct span_graph_stream *gs, const struct span *s,
			  struct span_error *err)
{
	struct row row = {
		.id = span__id_get(s->span_id),
		.parent_id = span__id_get(s->parent_id),
		.start_ns = s->start_ns,
		.duration_ns = s->duration_ns,
		.weight = span__weight(s->trace_state),
		.kind = s->kind < 16 ? s->kind & 15u : 0,
		.error = span_is_error(s),
		.follows = span__follows(s),
		.counted = in_time(&gs->o, s->start_ns),
	};
	int rc;

	if (find_names(gs, s, &row) < 0)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	rc = span__window_put_item(&gs->window, s->trace_id, span_end_ns(s),
				   row.counted, &row, sizeof(row),
				   gs->o.memory / 4, err);
	return rc < 0 ? rc : settle(gs, false, err);
}

int span_graph_stream_finish(struct span_graph_stream *gs,
			     struct span_error *err)
{
	return settle(gs, true, err);
}

uint64_t span_graph_stream_cut(const struct span_graph_stream *gs)
{
	return gs->window.cut;
}

void span_graph_stream_close(struct span_graph_stream **gsp)
{
	struct span_graph_stream *gs = *gsp;

	if (!gs)
		return;
	span__window_release(&gs->window);
	span_buf_release(&gs->names);
	span_buf_release(&gs->scratch);
	span__parents_release(&gs->parents);
	free(gs->by_name.slots);
	free(gs);
	*gsp = NULL;
}
