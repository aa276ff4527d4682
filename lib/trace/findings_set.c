/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/slots.h"
#include "trace/finder.h"

#include "base/banned.h"

#define SLOTS (2 * SPAN_FINDINGS_GROUPS)

struct group {
	struct span_findings_group is;
	uint64_t hash, last_trace;
};

struct span_findings_set {
	struct span__key key;
	struct span_arena arena;
	struct group *slots[SLOTS];
	const struct span_findings_group **sorted;
	size_t n;
	uint64_t traces, found_in, left_out;
	struct span_buf name, text;
};

int span_findings_set_open(struct span_findings_set **out,
			   struct span_error *err)
{
	struct span_findings_set *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	rc = span__key_init(&s->key, err);
	if (rc < 0)
		span_findings_set_close(&s);
	*out = s;
	return rc;
}

static struct span_str made(const struct span_buf *b)
{
	return (struct span_str){b->p, b->len};
}

static bool is_of(const struct span_findings_set *s, const struct group *g,
		  const struct span_findings_group *want)
{
	return g->is.kind == want->kind &&
	       span_str_equal(g->is.service, want->service) &&
	       span_str_equal(g->is.name, made(&s->name)) &&
	       span_str_equal(g->is.text, made(&s->text));
}

static struct group *add(struct span_findings_set *s,
			 const struct span_findings_group *want)
{
	struct group *g = span_arena_alloc(&s->arena, sizeof(*g));

	if (!g)
		return NULL;
	*g = (struct group){.is = {.kind = want->kind}};
	if (!span_arena_str(&s->arena, want->service, &g->is.service) ||
	    !span_arena_str(&s->arena, made(&s->name), &g->is.name) ||
	    !span_arena_str(&s->arena, made(&s->text), &g->is.text))
		return NULL;
	s->n++;
	return g;
}

/* *OUT is NULL when there is no room for one more. */
static bool group_of(struct span_findings_set *s,
		     const struct span_findings_group *want, struct group **out)
{
	uint64_t of[4] = {want->kind, span__hash_str(&s->key, want->service),
			  span__hash_str(&s->key, made(&s->name)),
			  span__hash_str(&s->key, made(&s->text))};
	uint64_t hash = span__hash(&s->key, of, sizeof(of));
	size_t at = hash % SLOTS;

	while (s->slots[at] &&
	       (s->slots[at]->hash != hash || !is_of(s, s->slots[at], want)))
		at = (at + 1) % SLOTS;
	*out = s->slots[at];
	if (*out || s->n == SPAN_FINDINGS_GROUPS)
		return true;
	*out = add(s, want);
	if (!*out)
		return false;
	(*out)->hash = hash;
	s->slots[at] = *out;
	return true;
}

/* The trace with the longest one comes first. */
static void sample(struct group *g, const uint8_t id[16], uint64_t ns)
{
	uint8_t(*v)[16] = g->is.samples;
	size_t at = 0, n = g->is.n_samples;

	while (at < n && memcmp(v[at], id, 16))
		at++;
	if (at == n && n < SPAN_FINDINGS_SAMPLES) {
		memcpy(v[n], id, 16);
		g->is.n_samples++;
	}
	if (n && ns <= g->is.max_ns)
		return;
	if (at == SPAN_FINDINGS_SAMPLES)
		at--;
	memmove(v[1], v[0], at * sizeof(v[0]));
	memcpy(v[0], id, 16);
}

static void count(struct span_findings_set *s, struct group *g,
		  const struct span_trace *t, const struct span_finding *f)
{
	sample(g, t->trace_id, f->ns);
	g->is.traces += g->last_trace != s->traces;
	g->last_trace = s->traces;
	g->is.findings++;
	g->is.spans += f->count;
	g->is.total_ns = span__plus(g->is.total_ns, f->ns);
	if (f->ns > g->is.max_ns)
		g->is.max_ns = f->ns;
}

/*
 * What calls are about is their caller: the same query of two operations is
 * two findings.
 */
static uint32_t about(const struct span_finding *f)
{
	switch (f->kind) {
	case SPAN_FINDING_N_PLUS_1:
	case SPAN_FINDING_REPEATED:
	case SPAN_FINDING_RETRY:
	case SPAN_FINDING_SERIAL:
		return f->parent;
	default:
		return f->span;
	}
}

/* Name and text of the group of F, as templates, into S. */
static void describe(struct span_findings_set *s, const struct span_finding *f,
		     const struct span *of, struct span_findings_group *want)
{
	*want = (struct span_findings_group){.kind = f->kind};
	s->name.len = s->text.len = 0;
	/* Between hosts it does not matter who called, and names count. */
	if (f->kind == SPAN_FINDING_SKEW) {
		span_buf_str(&s->text, f->text);
		return;
	}
	want->service = of->process->service;
	span_template_put(&s->name, of->name);
	if (f->kind == SPAN_FINDING_ERROR)
		span__failure_put(&s->text, of, true);
	else
		span_template_put(&s->text, f->text);
}

int span_findings_set_put(struct span_findings_set *s,
			  const struct span_trace *t,
			  const struct span_findings *f, struct span_error *err)
{
	s->traces++;
	s->found_in += f->n != 0;
	for (size_t k = 0; k < f->n; k++) {
		struct span_findings_group want;
		struct group *g;

		describe(s, &f->v[k], &t->spans[about(&f->v[k])], &want);
		if (s->name.failed || s->text.failed || !group_of(s, &want, &g))
			return span_error_set(err, SPAN_E_NOMEM,
					      "out of memory");
		if (g)
			count(s, g, t, &f->v[k]);
		else
			s->left_out++;
	}
	return 0;
}

static int compare(const void *pa, const void *pb)
{
	const struct span_findings_group *a = *(const void *const *)pa;
	const struct span_findings_group *b = *(const void *const *)pb;
	int rc;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->total_ns != b->total_ns)
		return a->total_ns < b->total_ns ? 1 : -1;
	if ((rc = span_str_compare(a->service, b->service)) ||
	    (rc = span_str_compare(a->name, b->name)))
		return rc;
	return span_str_compare(a->text, b->text);
}

int span_findings_set_view(struct span_findings_set *s,
			   struct span_findings_view *v, struct span_error *err)
{
	size_t n = 0;

	free(s->sorted);
	s->sorted = calloc(s->n + 1, sizeof(const void *));
	if (!s->sorted)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	for (size_t i = 0; i < SLOTS; i++)
		if (s->slots[i])
			s->sorted[n++] = &s->slots[i]->is;
	if (n)
		qsort(s->sorted, n, sizeof(const void *), compare);
	*v = (struct span_findings_view){s->sorted, n, s->traces, s->found_in,
					 s->left_out};
	return 0;
}

void span_findings_set_close(struct span_findings_set **sp)
{
	struct span_findings_set *s = *sp;

	*sp = NULL;
	if (!s)
		return;
	span_arena_release(&s->arena);
	span_buf_release(&s->name);
	span_buf_release(&s->text);
	free(s->sorted);
	free(s);
}
