/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what a file says to what a trace walks: calls are resolved, a caller
 * in another service gets an operation of its own for the span around the
 * call, services are cut or copied to the number asked for, and processes
 * get their names, addresses and tags.
 */
#include "gen.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define CLIENT_SIGMA (3ull << 30)	   /* three quarters of an octave */
#define CLIENT_ERROR (GEN_ALWAYS / 4)	   /* against other operations */
#define PROCESS_SEED 0x70726f6365737365ull /* any number */

static void *alloc(struct gen_topology *t, size_t n, size_t size)
{
	void *p = span_arena_array(&t->arena, n, size);

	return p ? memset(p, 0, n * size) : NULL;
}

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

/* ---- Calls ---- */

static uint32_t find_op(const struct gen_topology *t,
			const struct gen_service *s, struct span_str name)
{
	for (uint32_t i = s->first_op; i < s->first_op + s->n_ops; i++)
		if (span_str_equal(t->ops[i].name, name))
			return i;
	return GEN_NO_OP;
}

/* "service:operation", or an operation of the service FROM. */
static uint32_t find_call(const struct gen_topology *t, uint32_t from,
			  struct span_str to)
{
	const char *colon = memchr(to.p, ':', to.len);
	struct span_str service, op;

	if (!colon)
		return find_op(t, &t->services[from], to);
	service = (struct span_str){to.p, (size_t)(colon - to.p)};
	op = (struct span_str){colon + 1, to.len - service.len - 1};
	for (size_t i = 0; i < t->n_services; i++)
		if (span_str_equal(t->services[i].name, service))
			return find_op(t, &t->services[i], op);
	return GEN_NO_OP;
}

/* The operation of SERVICE that wraps CALL, made when it is not there yet. */
static uint32_t client_op(struct gen_topology *t, uint32_t service,
			  size_t first, const struct gen_call *call)
{
	const struct gen_op *to = &t->ops[call->op];
	struct gen_op *client;
	struct gen_call *inner;

	for (size_t i = first; i < t->n_ops; i++)
		if (t->ops[i].calls->op == call->op &&
		    t->ops[i].calls->async == call->async)
			return (uint32_t)i;
	inner = alloc(t, 1, sizeof(*inner));
	if (!inner)
		return GEN_NO_OP;
	*inner = (struct gen_call){
		.op = call->op,
		.chance = GEN_ALWAYS,
		.lo = 1,
		.hi = 1,
		.lo_log2 = 0,
		.hi_log2 = 1ull << 32,
		.async = call->async,
	};
	client = &t->ops[t->n_ops++];
	*client = (struct gen_op){
		.name = to->client.name,
		.service = service,
		.kind = call->async ? SPAN_KIND_PRODUCER : SPAN_KIND_CLIENT,
		.is_client = true,
		.self_log2 = to->client.self_log2,
		.sigma = CLIENT_SIGMA,
		.tags = to->client.tags,
		.calls = inner,
		.n_calls = 1,
	};
	client->error.chance = CLIENT_ERROR;
	client->error.tags = to->error.tags;
	return (uint32_t)(t->n_ops - 1);
}

static int link_call(struct gen_topology *t, const struct gen_op *op,
		     size_t first_client, struct gen_call *call,
		     const char *name, struct span_error *err)
{
	call->op = find_call(t, op->service, call->to);
	if (call->op == GEN_NO_OP)
		return span_error_set(
			err, SPAN_E_INVALID,
			"%s: \"%.*s\" of service \"%.*s\" calls \"%.*s\", "
			"which is no operation",
			name, (int)op->name.len, op->name.p,
			(int)t->services[op->service].name.len,
			t->services[op->service].name.p, (int)call->to.len,
			call->to.p);
	if (t->ops[call->op].service == op->service ||
	    t->ops[call->op].client.none)
		return 0;
	call->op = client_op(t, op->service, first_client, call);
	call->async = false;
	return call->op == GEN_NO_OP ? no_memory(err) : 0;
}

static int link_calls(struct gen_topology *t, const char *name,
		      struct span_error *err)
{
	size_t n = t->n_ops, n_calls = 0, first = n;
	struct gen_op *ops;
	int rc;

	for (size_t i = 0; i < n; i++)
		n_calls += t->ops[i].n_calls;
	if (n + n_calls > GEN_MAX_OPS)
		return span_error_set(err, SPAN_E_LIMIT,
				      "%s: more than %u operations and calls",
				      name, GEN_MAX_OPS);
	ops = alloc(t, n + n_calls, sizeof(*ops));
	if (!ops)
		return no_memory(err);
	memcpy(ops, t->ops, n * sizeof(*ops));
	t->ops = ops;
	for (size_t i = 0; i < n; i++) {
		if (i && ops[i].service != ops[i - 1].service)
			first = t->n_ops;
		for (size_t k = 0; k < ops[i].n_calls; k++)
			if ((rc = link_call(t, &ops[i], first, &ops[i].calls[k],
					    name, err)) < 0)
				return rc;
	}
	return 0;
}

/* ---- --services ---- */

/* Does CALL lead to one of the first N services of the copy? */
static bool leads_somewhere(const struct gen_topology *t,
			    const struct gen_call *call, size_t n)
{
	const struct gen_op *to = &t->ops[call->op];

	if (to->is_client)
		to = &t->ops[to->calls->op];
	return to->service < n;
}

static bool copy_op(struct gen_topology *t, const struct gen_op *from,
		    size_t copy, size_t n, struct gen_op *to)
{
	struct gen_call *calls = alloc(t, from->n_calls, sizeof(*calls));

	if (!calls)
		return false;
	*to = *from;
	to->service += (uint32_t)(copy * t->n_services);
	to->calls = calls;
	to->n_calls = 0;
	if (from->service >= n)
		to->weight = 0;
	for (size_t i = 0; i < from->n_calls; i++) {
		if (!leads_somewhere(t, &from->calls[i], n))
			continue;
		calls[to->n_calls] = from->calls[i];
		calls[to->n_calls++].op += (uint32_t)(copy * t->n_ops);
	}
	return true;
}

static bool copy_service(struct gen_topology *t, size_t i,
			 struct gen_service *to)
{
	char digits[24];
	struct gen_text text = {digits, 0, sizeof(digits)};
	struct span_str base;
	char *name;

	*to = t->services[i % t->n_services];
	if (i < t->n_services)
		return true;
	base = to->name;
	gen_text_puts(&text, "-");
	gen_text_number(&text, i / t->n_services + 1);
	name = alloc(t, 1, base.len + text.len);
	if (!name)
		return false;
	memcpy(name, base.p, base.len);
	memcpy(name + base.len, digits, text.len);
	to->name = (struct span_str){name, base.len + text.len};
	return true;
}

static int scale(struct gen_topology *t, size_t n, struct span_error *err)
{
	size_t copies = (n + t->n_services - 1) / t->n_services;
	struct gen_service *services;
	struct gen_op *ops;

	if (n > GEN_MAX_SERVICES || copies * t->n_ops > GEN_MAX_OPS)
		return span_error_set(err, SPAN_E_LIMIT,
				      "%zu services are too many", n);
	services = alloc(t, n, sizeof(*services));
	ops = alloc(t, copies * t->n_ops, sizeof(*ops));
	if (!services || !ops)
		return no_memory(err);
	for (size_t i = 0; i < n; i++)
		if (!copy_service(t, i, &services[i]))
			return no_memory(err);
	for (size_t i = 0; i < copies * t->n_ops; i++) {
		size_t copy = i / t->n_ops, left = n - copy * t->n_services;

		if (!copy_op(t, &t->ops[i % t->n_ops], copy, left, &ops[i]))
			return no_memory(err);
	}
	t->services = services;
	t->n_services = n;
	t->ops = ops;
	t->n_ops *= copies;
	return 0;
}

static int list_roots(struct gen_topology *t, const char *name,
		      struct span_error *err)
{
	for (size_t i = 0; i < t->n_ops; i++)
		t->n_roots += t->ops[i].weight > 0;
	if (!t->n_roots)
		return span_error_set(err, SPAN_E_INVALID,
				      "%s: no operation has a weight, so that "
				      "traces start there",
				      name);
	t->roots = alloc(t, t->n_roots, sizeof(*t->roots));
	if (!t->roots)
		return no_memory(err);
	t->n_roots = 0;
	for (uint32_t i = 0; i < t->n_ops; i++) {
		if (!t->ops[i].weight)
			continue;
		t->weight += t->ops[i].weight;
		t->roots[t->n_roots++] = (struct gen_root){i, t->weight};
	}
	return 0;
}

/* ---- Processes ---- */

static struct span_str keep(struct gen_topology *t, struct gen_text *text)
{
	struct span_str s = {NULL, 0};

	if (!span_arena_str(&t->arena, (struct span_str){text->p, text->len},
			    &s))
		s.p = NULL;
	text->len = 0;
	return s;
}

/* As in a cluster: name-hash-five, and an address of 10.0.0.0/8. */
static bool name_process(struct gen_topology *t, struct gen_process *p,
			 struct span_str service, struct gen_text *text)
{
	uint64_t r = gen_mix(PROCESS_SEED, p->service);
	uint64_t own = gen_mix(r, p->instance);

	gen_text_put(text, service.p, span_text_cut(service, 63));
	gen_text_puts(text, "-");
	gen_text_hex(text, r, 9);
	gen_text_puts(text, "-");
	gen_text_hex(text, own, 5);
	p->host = keep(t, text);
	gen_text_puts(text, "10");
	for (int shift = 20; shift <= 36; shift += 8) {
		gen_text_puts(text, ".");
		gen_text_number(text, own >> shift & 255);
	}
	p->ip = keep(t, text);
	return p->host.p && p->ip.p;
}

static bool tag_process(struct gen_topology *t, const struct gen_service *s,
			struct gen_process *p, struct gen_text *text)
{
	struct span_attr *attrs = alloc(t, s->tags.n, sizeof(*attrs));
	uint64_t seed = gen_mix(PROCESS_SEED, (uint64_t)(p - t->processes));
	struct gen_context c = {t->named, seed, seed, p, p, text};

	if (!attrs)
		return false;
	for (size_t i = 0; i < s->tags.n; i++) {
		struct span_attr *a = &attrs[p->process.attrs.n];

		if (!gen_chance(&seed, s->tags.v[i].chance))
			continue;
		text->len = 0;
		a->key = s->tags.v[i].key;
		gen_value_draw(&s->tags.v[i].value, &c, &seed, &a->value);
		if (a->value.type == SPAN_STRING &&
		    !span_arena_str(&t->arena, a->value.str, &a->value.str))
			return false;
		p->process.attrs.v = attrs;
		p->process.attrs.n++;
	}
	text->len = 0;
	return true;
}

static int make_processes(struct gen_topology *t, struct span_error *err)
{
	struct gen_text text = {NULL, 0, GEN_MAX_TEXT};
	size_t n = 0;

	for (size_t i = 0; i < t->n_services; i++)
		n += t->services[i].n_instances;
	if (n > GEN_MAX_PROCESSES)
		return span_error_set(err, SPAN_E_LIMIT,
				      "%zu instances are too many", n);
	t->processes = alloc(t, n, sizeof(*t->processes));
	text.p = malloc(text.cap);
	for (size_t i = 0; t->processes && text.p && i < t->n_services; i++) {
		struct gen_service *s = &t->services[i];

		s->first_process = (uint32_t)t->n_processes;
		for (uint32_t k = 0; k < s->n_instances; k++) {
			struct gen_process *p = &t->processes[t->n_processes++];

			p->service = (uint32_t)i;
			p->instance = k + 1;
			p->process.service = s->name;
			if (!name_process(t, p, s->name, &text) ||
			    !tag_process(t, s, p, &text))
				goto no_memory;
		}
	}
	if (!t->processes || !text.p)
		goto no_memory;
	free(text.p);
	return 0;
no_memory:
	free(text.p);
	return no_memory(err);
}

int gen_topology_open(struct gen_topology **out, const char *name,
		      const char *json, size_t len,
		      const struct gen_topology_opts *o, struct span_error *err)
{
	struct gen_topology *t = calloc(1, sizeof(*t));
	int rc;

	*out = NULL;
	if (!t)
		return no_memory(err);
	if ((rc = gen_topology_parse(t, name, json, len, err)) < 0 ||
	    (rc = link_calls(t, name, err)) < 0 ||
	    (o->n_services && (rc = scale(t, o->n_services, err)) < 0) ||
	    (rc = list_roots(t, name, err)) < 0 ||
	    (rc = make_processes(t, err)) < 0)
		goto done;
	rc = gen_topology_estimate(t, o->error_rate, err);
done:
	if (rc < 0)
		gen_topology_close(&t);
	*out = t;
	return rc;
}

void gen_topology_close(struct gen_topology **t)
{
	if (!*t)
		return;
	span_arena_release(&(*t)->arena);
	free(*t);
	*t = NULL;
}
