/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of a topology, as span-topology(5) describes it. */
#include "gen-json.h"

#include <string.h>

#include "base/banned.h"

#define LOG2_E 1.4426950408889634
#define DEFAULT_SELF (19ull << 32 | 3990000000u) /* about 1 ms */
#define DEFAULT_CLIENT_SELF (18ull << 32)	 /* about 0.3 ms */
#define MAX_WEIGHT 1000000
#define MAX_COUNT 1000000

static void parse_named(struct gen_json *j, const cJSON *root)
{
	static const char *const pers[] = {"trace", "span"};
	const cJSON *values = gen_json_get(root, "values"), *item;
	size_t mark = gen_json_enter(j, "values"), n;

	if (values && !cJSON_IsObject(values))
		gen_json_fail(j, "not an object");
	n = values ? (size_t)cJSON_GetArraySize(values) : 0;
	if (n > GEN_MAX_VALUES)
		gen_json_fail(j, "more than %u values", GEN_MAX_VALUES);
	if (j->rc >= 0)
		j->t->named = gen_json_alloc(j, n, sizeof(*j->t->named));
	cJSON_ArrayForEach(item, values)
	{
		struct gen_value *v = &j->t->named[j->t->n_named];
		size_t at = gen_json_enter(j, item->string);
		struct span_str per = {NULL, 0};

		if (j->rc >= 0)
			v->name = gen_json_copy(j, item->string);
		if (j->rc >= 0)
			gen_json_value(j, item, v);
		if (cJSON_IsObject(item))
			per = gen_json_text(j, item, "per");
		v->per_span = span_str_equal(per, span_str(pers[1]));
		if (per.len && !v->per_span &&
		    !span_str_equal(per, span_str(pers[0])))
			gen_json_fail(j, "per is neither trace nor span");
		gen_json_leave(j, at);
		if (j->rc < 0)
			break;
		j->t->n_named++;
	}
	gen_json_leave(j, mark);
}

static void parse_call(struct gen_json *j, const cJSON *item,
		       struct gen_call *call)
{
	static const char *const keys[] = {"to",       "chance", "count",
					   "parallel", "async",	 NULL};

	call->chance = GEN_ALWAYS;
	call->lo = call->hi = 1;
	if (cJSON_IsString(item)) {
		call->to = gen_json_copy(j, item->valuestring);
	} else if (gen_json_object(j, item, keys)) {
		call->to = gen_json_text(j, item, "to");
		call->chance = gen_probability(
			gen_json_double(j, item, "chance", 1, 1));
		gen_json_range(j, item, "count", &call->lo, &call->hi,
			       MAX_COUNT);
		call->parallel = gen_json_bool(j, item, "parallel");
		call->async = gen_json_bool(j, item, "async");
	}
	call->lo_log2 = gen_log2(call->lo);
	call->hi_log2 = gen_log2(call->hi + 1);
	if (!call->to.len)
		gen_json_fail(j, "nothing to call");
}

static void parse_calls(struct gen_json *j, const cJSON *item,
			struct gen_op *op)
{
	const cJSON *list;
	size_t n = gen_json_list(j, item, "calls", &list), i = 0;
	size_t mark = gen_json_enter(j, "calls");

	op->calls = gen_json_alloc(j, n, sizeof(*op->calls));
	for (; list && j->rc >= 0; list = list->next, i++) {
		size_t at = gen_json_enter_index(j, i);

		parse_call(j, list, &op->calls[i]);
		gen_json_leave(j, at);
	}
	op->n_calls = n;
	gen_json_leave(j, mark);
}

static void parse_events(struct gen_json *j, const cJSON *item,
			 struct gen_op *op)
{
	static const char *const keys[] = {"chance", "tags", "use", NULL};
	const cJSON *list;
	size_t n = gen_json_list(j, item, "events", &list), i = 0;
	size_t mark = gen_json_enter(j, "events");
	struct gen_event *events = gen_json_alloc(j, n, sizeof(*events));

	for (; list && j->rc >= 0; list = list->next, i++) {
		size_t at = gen_json_enter_index(j, i);

		if (gen_json_object(j, list, keys)) {
			events[i].chance = gen_probability(
				gen_json_double(j, list, "chance", 1, 1));
			gen_json_tags(j, list, &events[i].tags);
		}
		gen_json_leave(j, at);
	}
	op->events = events;
	op->n_events = n;
	gen_json_leave(j, mark);
}

static void parse_error(struct gen_json *j, const cJSON *item,
			struct gen_error *error)
{
	static const char *const keys[] = {"weight", "self", "type", "message",
					   "stack",  "tags", "use",  NULL};
	const cJSON *obj = gen_json_get(item, "error"), *message;
	size_t mark = gen_json_enter(j, "error"), at;

	error->chance = GEN_ALWAYS;
	if (obj && gen_json_object(j, obj, keys)) {
		error->chance = gen_probability(
			gen_json_double(j, obj, "weight", 1, 1000));
		error->self_log2 = gen_json_duration_log2(j, obj, "self", 0);
		error->type = gen_json_text(j, obj, "type");
		error->no_stack = gen_json_get(obj, "stack") &&
				  !gen_json_bool(j, obj, "stack");
		gen_json_tags(j, obj, &error->tags);
		message = gen_json_get(obj, "message");
		at = gen_json_enter(j, "message");
		if (message)
			gen_json_value(j, message, &error->message);
		gen_json_leave(j, at);
	}
	gen_json_leave(j, mark);
}

static void parse_client(struct gen_json *j, const cJSON *item,
			 struct gen_op *op)
{
	static const char *const keys[] = {"name", "self", "tags", "use", NULL};
	const cJSON *obj = gen_json_get(item, "client");
	size_t mark = gen_json_enter(j, "client");

	op->client.name = op->name;
	op->client.self_log2 = DEFAULT_CLIENT_SELF;
	if (cJSON_IsFalse(obj)) {
		op->client.none = true;
	} else if (obj && gen_json_object(j, obj, keys)) {
		if (gen_json_get(obj, "name"))
			op->client.name = gen_json_text(j, obj, "name");
		op->client.self_log2 = gen_json_duration_log2(
			j, obj, "self", DEFAULT_CLIENT_SELF);
		gen_json_tags(j, obj, &op->client.tags);
	}
	gen_json_leave(j, mark);
}

static void parse_op(struct gen_json *j, const cJSON *item, uint32_t service,
		     struct gen_op *op)
{
	static const char *const keys[] = {
		"name", "kind",	 "weight", "self",   "sigma", "use",
		"tags", "error", "client", "events", "calls", NULL};
	struct span_str kind;

	if (!gen_json_object(j, item, keys))
		return;
	op->service = service;
	op->name = gen_json_text(j, item, "name");
	if (!op->name.len)
		gen_json_fail(j, "the operation has no name");
	op->weight = (uint32_t)gen_json_int(j, item, "weight", 0, MAX_WEIGHT);
	kind = gen_json_text(j, item, "kind");
	op->kind = SPAN_KIND_SERVER;
	if (kind.len) {
		int k = span_kind_parse(kind);

		if (k < 0)
			gen_json_fail(j, "no span kind \"%.*s\"", (int)kind.len,
				      kind.p);
		op->kind = (uint8_t)k;
	}
	op->self_log2 = gen_json_duration_log2(j, item, "self", DEFAULT_SELF);
	op->sigma = gen_probability(gen_json_double(j, item, "sigma", 0.5, 4) *
				    LOG2_E);
	gen_json_tags(j, item, &op->tags);
	parse_error(j, item, &op->error);
	parse_client(j, item, op);
	parse_events(j, item, op);
	parse_calls(j, item, op);
}

static void parse_scope(struct gen_json *j, const cJSON *item,
			struct gen_service *s)
{
	static const char *const keys[] = {"name", "version", NULL};
	const cJSON *obj = gen_json_get(item, "scope");
	size_t mark = gen_json_enter(j, "scope");

	if (obj && gen_json_object(j, obj, keys)) {
		struct span_scope *scope = gen_json_alloc(j, 1, sizeof(*scope));

		if (j->rc >= 0) {
			scope->name = gen_json_text(j, obj, "name");
			scope->version = gen_json_text(j, obj, "version");
			s->scope = scope;
		}
	}
	gen_json_leave(j, mark);
}

static void parse_service(struct gen_json *j, const cJSON *item, uint32_t i)
{
	static const char *const keys[] = {
		"name", "language", "instances",  "scope",
		"use",	"tags",	    "operations", NULL};
	struct gen_service *s = &j->t->services[i];
	const cJSON *list;
	size_t mark, at;

	if (!gen_json_object(j, item, keys))
		return;
	s->name = gen_json_text(j, item, "name");
	if (!s->name.len || memchr(s->name.p, ':', s->name.len))
		gen_json_fail(j, "the service needs a name without ':'");
	s->language = gen_json_text(j, item, "language");
	s->n_instances = (uint32_t)gen_json_int(j, item, "instances", 1, 10000);
	if (!s->n_instances)
		gen_json_fail(j, "the service has no instances");
	gen_json_tags(j, item, &s->tags);
	parse_scope(j, item, s);
	s->n_ops = (uint32_t)gen_json_list(j, item, "operations", &list);
	s->first_op = (uint32_t)j->t->n_ops;
	mark = gen_json_enter(j, "operations");
	for (; list && j->rc >= 0; list = list->next, j->t->n_ops++) {
		at = gen_json_enter_index(j, j->t->n_ops - s->first_op);
		parse_op(j, list, i, &j->t->ops[j->t->n_ops]);
		gen_json_leave(j, at);
	}
	gen_json_leave(j, mark);
}

static void parse_services(struct gen_json *j, const cJSON *root)
{
	const cJSON *list, *item;
	size_t n = gen_json_list(j, root, "services", &list), n_ops = 0, mark;

	if (!n)
		gen_json_fail(j, "no services");
	for (item = list; item; item = item->next)
		n_ops += (size_t)cJSON_GetArraySize(
			gen_json_get(item, "operations"));
	j->t->services = gen_json_alloc(j, n, sizeof(*j->t->services));
	j->t->ops = gen_json_alloc(j, n_ops, sizeof(*j->t->ops));
	mark = gen_json_enter(j, "services");
	for (size_t i = 0; list && j->rc >= 0; list = list->next, i++) {
		size_t at = gen_json_enter_index(j, i);

		parse_service(j, list, (uint32_t)i);
		gen_json_leave(j, at);
	}
	gen_json_leave(j, mark);
	j->t->n_services = n;
}

static void parse_root(struct gen_json *j, const cJSON *root)
{
	static const char *const keys[] = {"values",   "tag_sets", "depth",
					   "services", "comment",  NULL};
	uint64_t lo = 64, hi = 64;

	if (!gen_json_object(j, root, keys))
		return;
	j->tag_sets = gen_json_get(root, "tag_sets");
	gen_json_range(j, root, "depth", &lo, &hi, GEN_MAX_DEPTH);
	j->t->depth_lo_log2 = gen_log2(lo);
	j->t->depth_hi_log2 = gen_log2(hi + 1);
	parse_named(j, root);
	parse_services(j, root);
}

static int syntax_error(struct gen_json *j, const char *json, const char *at)
{
	unsigned int line = 1, column = 1;

	for (const char *p = json; p < at; p++) {
		column = *p == '\n' ? 1 : column + 1;
		line += *p == '\n';
	}
	return span_error_set(j->err, SPAN_E_INVALID,
			      "%s: line %u, column %u: not JSON", j->name, line,
			      column);
}

int gen_topology_parse(struct gen_topology *t, const char *name,
		       const char *json, size_t len, struct span_error *err)
{
	struct gen_json j = {.t = t, .name = name, .err = err};
	const char *end = json;
	cJSON *root;

	if (len > GEN_MAX_FILE)
		return span_error_set(err, SPAN_E_LIMIT,
				      "%s: more than %u bytes", name,
				      GEN_MAX_FILE);
	root = cJSON_ParseWithLengthOpts(json, len, &end, false);
	if (!root)
		return syntax_error(&j, json, end);
	parse_root(&j, root);
	cJSON_Delete(root);
	return j.rc;
}
