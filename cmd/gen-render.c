/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a node of a trace to the span that is sent: as a Jaeger client would
 * have written it, with span.kind and error as tags and events as logs.
 */
#include "gen.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define MAX_ATTRS 8192u /* of a span with its events */
#define MAX_SPAN_EVENTS 256u
#define VARIANTS 400u /* of an operation's failures, few of them frequent */
#define SEED_SKEW 0x736b6577ull

int gen_render_init(struct gen_render *r, struct span_error *err)
{
	r->text.cap = GEN_MAX_TEXT;
	r->text.p = malloc(r->text.cap);
	r->attrs = calloc(MAX_ATTRS, sizeof(*r->attrs));
	r->events = calloc(MAX_SPAN_EVENTS, sizeof(*r->events));
	if (!r->text.p || !r->attrs || !r->events)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	return 0;
}

void gen_render_release(struct gen_render *r)
{
	free(r->text.p);
	free(r->attrs);
	free(r->events);
	*r = (struct gen_render){0};
}

static void put_id(uint8_t id[8], uint64_t v)
{
	v += !v;
	for (size_t i = 0; i < 8; i++)
		id[i] = (uint8_t)(v >> (56 - 8 * i));
}

static struct span_value *put_attr(struct gen_render *r, struct span_str key)
{
	struct span_attr *a = &r->attrs[r->n_attrs];

	r->n_attrs += r->n_attrs < MAX_ATTRS - 1;
	a->key = key;
	return &a->value;
}

static void put_text(struct gen_render *r, struct span_str key,
		     struct span_str text)
{
	struct span_value *v = put_attr(r, key);

	v->type = SPAN_STRING;
	v->str = text;
}

static bool has_key(const struct gen_tags *tags, struct span_str key)
{
	for (size_t i = 0; i < tags->n; i++)
		if (span_str_equal(tags->v[i].key, key))
			return true;
	return false;
}

/* TAGS, but for the keys of INSTEAD. */
static void put_tags(struct gen_render *r, const struct gen_context *c,
		     const struct gen_tags *tags,
		     const struct gen_tags *instead, uint64_t *state)
{
	for (size_t i = 0; i < tags->n; i++) {
		const struct gen_tag *tag = &tags->v[i];

		if (tag->chance < GEN_ALWAYS && !gen_chance(state, tag->chance))
			continue;
		if (instead && has_key(instead, tag->key))
			continue;
		gen_value_draw(&tag->value, c, state, put_attr(r, tag->key));
	}
}

static void put_span_tags(struct gen_render *r, const struct gen_op *op,
			  const struct gen_node *node,
			  const struct gen_context *c, uint64_t *state)
{
	const struct gen_tags *instead = node->failed ? &op->error.tags : NULL;

	if (op->kind > SPAN_KIND_INTERNAL)
		put_text(r, SPAN_STR("span.kind"),
			 span_str(span_kind_name(op->kind)));
	put_tags(r, c, &op->tags, instead, state);
	if (node->failed) {
		struct span_value *v = put_attr(r, SPAN_STR("error"));

		v->type = SPAN_BOOL;
		v->b = true;
		put_tags(r, c, instead, NULL, state);
	}
}

static struct span_event *put_event(struct gen_render *r, struct span *s,
				    uint64_t offset)
{
	struct span_event *e = &r->events[s->n_events];

	s->n_events += s->n_events < MAX_SPAN_EVENTS - 1;
	e->time_ns = s->start_ns + offset * r->unit;
	e->attrs.v = r->attrs + r->n_attrs;
	return e;
}

static void end_event(struct gen_render *r, struct span_event *e)
{
	e->attrs.n = (size_t)(r->attrs + r->n_attrs - e->attrs.v);
}

static void put_events(struct gen_render *r, struct span *s,
		       const struct gen_op *op, const struct gen_node *node,
		       const struct gen_context *c, uint64_t *state)
{
	uint64_t offset = 0;

	for (size_t i = 0; i < op->n_events; i++) {
		const struct gen_event *event = &op->events[i];
		struct span_event *e;

		if (!gen_chance(state, event->chance))
			continue;
		offset += gen_below(state, node->duration - offset + 1);
		e = put_event(r, s, offset);
		put_tags(r, c, &event->tags, NULL, state);
		end_event(r, e);
	}
}

/* "shop.Payment/Charge of payment failed" */
static struct span_str cause(struct gen_render *r, const struct gen_trace *tr,
			     const struct gen_node *node)
{
	const struct gen_topology *t = r->topology;
	const struct gen_op *op = &t->ops[tr->nodes[node->cause].op];
	struct span_str service = t->services[op->service].name;
	size_t start = r->text.len;

	gen_text_put(&r->text, op->name.p, op->name.len);
	gen_text_puts(&r->text, " of ");
	gen_text_put(&r->text, service.p, service.len);
	gen_text_puts(&r->text, " failed");
	return (struct span_str){r->text.p + start, r->text.len - start};
}

static struct span_str message(struct gen_render *r, const struct gen_op *op,
			       const struct gen_context *c, uint64_t seed,
			       uint64_t *state)
{
	struct span_value v;

	gen_value_draw(&op->error.message, c, state, &v);
	if (v.type == SPAN_STRING)
		return v.str;
	return gen_stack_message(
		&r->text, op->is_client ? c->peer->host : SPAN_STR(""), seed);
}

/* What went wrong, by itself or with a call; few of the latter have stacks. */
static void put_failure(struct gen_render *r, struct span *s,
			const struct gen_trace *tr, const struct gen_node *node,
			const struct gen_context *c, uint64_t *state)
{
	const struct gen_op *op = &r->topology->ops[node->op];
	struct span_str language = r->topology->services[op->service].language;
	uint64_t variant = gen_log_uniform(state, 0, gen_log2(VARIANTS));
	uint64_t seed = gen_mix(node->op, variant);
	struct span_event *e = put_event(r, s, node->duration);
	struct span_str type = op->error.type, text;

	if (!type.len || !node->by_itself)
		type = gen_stack_type(language, seed);
	text = node->by_itself ? message(r, op, c, seed, state)
			       : cause(r, tr, node);
	put_text(r, SPAN_STR("event"), SPAN_STR("error"));
	put_text(r, SPAN_STR("error.kind"), type);
	put_text(r, SPAN_STR("message"), text);
	if (!op->error.no_stack && (node->by_itself || !(variant % 4))) {
		text = gen_stack(&r->text, language, type, text, seed);
		put_text(r, SPAN_STR("stack"), text);
	}
	end_event(r, e);
}

/* How far the clock of a process is off, in [-skew, skew]. */
static uint64_t clock_offset(const struct gen_render *r, uint32_t process)
{
	uint64_t state = gen_mix(r->seed ^ SEED_SKEW, process);
	uint64_t units = r->skew_ns / r->unit;

	return (gen_below(&state, 2 * units + 1) - units) * r->unit;
}

static void put_parent(struct gen_render *r, const struct gen_trace *tr,
		       const struct gen_node *node, struct span *s)
{
	if (node->parent == GEN_NO_NODE)
		return;
	put_id(s->parent_id, gen_mix(tr->seed, node->parent));
	if (!node->async)
		return;
	r->ref = (struct span_ref){.type = SPAN_REF_FOLLOWS_FROM};
	memcpy(r->ref.trace_id, s->trace_id, sizeof(r->ref.trace_id));
	memcpy(r->ref.span_id, s->parent_id, sizeof(r->ref.span_id));
	s->refs = &r->ref;
	s->n_refs = 1;
}

void gen_render_span(struct gen_render *r, const struct gen_trace *tr, size_t i,
		     struct span *s)
{
	const struct gen_topology *t = r->topology;
	const struct gen_node *node = &tr->nodes[i];
	const struct gen_op *op = &t->ops[node->op];
	const struct gen_process *process = &t->processes[node->process];
	uint64_t id = gen_mix(tr->seed, i), state = gen_mix(id, 0);
	struct gen_context c = {
		.named = t->named,
		.trace_seed = gen_mix(tr->seed, GEN_SEED_VALUES),
		.span_seed = id,
		.self = process,
		.peer = &t->processes[node->peer],
		.text = &r->text,
	};

	r->text.len = 0;
	r->n_attrs = 0;
	*s = (struct span){.flags = 1};
	memcpy(s->trace_id, tr->trace_id, sizeof(s->trace_id));
	put_id(s->span_id, id);
	put_parent(r, tr, node, s);
	s->start_ns = node->start * r->unit;
	if (r->skew_ns)
		s->start_ns += clock_offset(r, node->process);
	s->duration_ns = node->duration * r->unit;
	s->name = op->name;
	s->process = &process->process;
	s->scope = t->services[op->service].scope;
	s->kind = op->kind;
	s->status = node->failed ? SPAN_STATUS_ERROR : SPAN_STATUS_UNSET;
	put_span_tags(r, op, node, &c, &state);
	s->attrs.v = r->attrs;
	s->attrs.n = r->n_attrs;
	put_events(r, s, op, node, &c, &state);
	if (node->failed)
		put_failure(r, s, tr, node, &c, &state);
	s->events = r->events;
}
