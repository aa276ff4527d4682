/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan-model.h - random conditions of a scan, and what they mean
 *
 * The meaning is written down in the plainest way, to judge the fast ones by.
 */
#ifndef SCAN_MODEL_H
#define SCAN_MODEL_H

#include <span/store.h>
#include <span/text.h>

#include "random-span.h"

#define MODEL_NAMES 4

/* What a test asks of a value. */
struct model_wish {
	enum {
		WISH_ANY,
		WISH_TEXT,
		WISH_INSIDE,
		WISH_OUTSIDE,
		WISH_PRINT
	} kind;
	struct span_str text;
	int64_t min, max;
};

struct scan_model {
	struct span_range range;
	struct span_str services[MODEL_NAMES], operations[MODEL_NAMES];
	struct span_tag_eq tags[MODEL_NAMES];
	struct span_attr_test tests[MODEL_NAMES];
	struct model_wish wishes[MODEL_NAMES];
};

static inline bool model_text_is(const struct span_value *v,
				 struct span_str text)
{
	struct span_buf b = {0};
	bool equal;

	span_text_value(&b, v);
	equal = span_str_equal((struct span_str){b.p, b.len}, text);
	span_buf_release(&b);
	return equal;
}

static inline bool model_attrs(const struct span_attrs *a,
			       const struct span_tag_eq *tag)
{
	for (size_t i = 0; i < a->n; i++) {
		if (span_str_equal(a->v[i].key, tag->key) &&
		    model_text_is(&a->v[i].value, tag->value))
			return true;
	}
	return false;
}

static inline bool model_field(const struct span_tag_eq *tag, const char *key,
			       struct span_str value)
{
	return value.len && span_str_equal(tag->key, span_str(key)) &&
	       span_str_equal(tag->value, value);
}

static inline bool model_fields(const struct span *s,
				const struct span_tag_eq *tag)
{
	static const char *const codes[] = {"", "OK", "ERROR"};
	bool any = model_field(tag, "error",
			       span_str(span_is_error(s) ? "true" : "false"));

	any |= model_field(tag, "span.kind", span_str(span_kind_name(s->kind)));
	any |= model_field(tag, "service.name", s->process->service);
	any |= model_field(tag, "status",
			   span_str(span_status_name(s->status)));
	if (s->status < 3)
		any |= model_field(tag, "otel.status_code",
				   span_str(codes[s->status]));
	any |= model_field(tag, "otel.status_description", s->status_message);
	any |= model_field(tag, "w3c.tracestate", s->trace_state);
	if (s->scope)
		any |= model_field(tag, "otel.scope.name", s->scope->name) ||
		       model_field(tag, "otel.scope.version",
				   s->scope->version);
	for (size_t i = 0; i < s->n_events; i++)
		any |= model_field(tag, "event", s->events[i].name);
	return any;
}

static inline bool model_tag(const struct span *s,
			     const struct span_tag_eq *tag)
{
	bool any = model_attrs(&s->attrs, tag) ||
		   model_attrs(&s->process->attrs, tag) || model_fields(s, tag);

	if (s->scope)
		any |= model_attrs(&s->scope->attrs, tag);
	for (size_t i = 0; i < s->n_events; i++)
		any |= model_attrs(&s->events[i].attrs, tag);
	for (size_t i = 0; i < s->n_refs; i++)
		any |= model_attrs(&s->refs[i].attrs, tag);
	return any;
}

static inline bool model_prints_one(const struct span_value *v)
{
	struct span_buf b = {0};
	bool one;

	span_text_value(&b, v);
	one = b.len && memchr(b.p, '1', b.len);
	span_buf_release(&b);
	return one;
}

static inline bool model_inside(const struct model_wish *w,
				const struct span_value *v)
{
	if (v->type == SPAN_INT)
		return v->i >= w->min && v->i <= w->max;
	return v->d >= (double)w->min && v->d <= (double)w->max;
}

static inline bool model_wishes(const struct model_wish *w,
				const struct span_value *v)
{
	bool number = v->type == SPAN_INT || v->type == SPAN_DOUBLE;

	switch (w->kind) {
	case WISH_TEXT:
		return v->type == SPAN_STRING &&
		       span_str_equal(v->str, w->text);
	case WISH_INSIDE:
		return number && model_inside(w, v);
	case WISH_OUTSIDE:
		return number && !model_inside(w, v);
	case WISH_PRINT:
		return model_prints_one(v);
	default:
		return true;
	}
}

/* The function of a test, which is not asked where there is another way. */
static inline int model_wish_fn(void *arg, const struct span_value *v,
				struct span_error *err)
{
	(void)err;
	return model_wishes(arg, v);
}

static inline bool model_wished(const struct span_attrs *a,
				const struct span_attr_test *t)
{
	for (size_t i = 0; i < a->n; i++) {
		if (span_str_equal(a->v[i].key, t->key) &&
		    model_wishes(t->arg, &a->v[i].value))
			return true;
	}
	return false;
}

static inline bool model_has(const struct span_attrs *a, struct span_str key)
{
	for (size_t i = 0; i < a->n; i++) {
		if (span_str_equal(a->v[i].key, key) &&
		    a->v[i].value.type != SPAN_NULL)
			return true;
	}
	return false;
}

/* How many values there are, and of how many the wish comes true. */
struct model_sum {
	size_t n, good;
};

static inline void model_sum(struct model_sum *m, const struct span_attrs *a,
			     const struct span_attr_test *t)
{
	for (size_t i = 0; i < a->n; i++) {
		if (!span_str_equal(a->v[i].key, t->key) ||
		    a->v[i].value.type == SPAN_NULL)
			continue;
		m->n++;
		m->good += model_wishes(t->arg, &a->v[i].value);
	}
}

static inline bool model_every(const struct span *s,
			       const struct span_attr_test *t)
{
	struct model_sum m = {0};

	if (t->of & SPAN_ATTRS_SPAN)
		model_sum(&m, &s->attrs, t);
	if (t->of & SPAN_ATTRS_PROCESS ||
	    (t->of & SPAN_ATTRS_PROCESS_ELSE && !model_has(&s->attrs, t->key)))
		model_sum(&m, &s->process->attrs, t);
	if (t->of & SPAN_ATTRS_SCOPE && s->scope)
		model_sum(&m, &s->scope->attrs, t);
	for (size_t i = 0; i < s->n_events && t->of & SPAN_ATTRS_EVENTS; i++)
		model_sum(&m, &s->events[i].attrs, t);
	for (size_t i = 0; i < s->n_refs && t->of & SPAN_ATTRS_REFS; i++)
		model_sum(&m, &s->refs[i].attrs, t);
	return m.n && m.good == m.n;
}

static inline bool model_test(const struct span *s,
			      const struct span_attr_test *t)
{
	if (t->every)
		return model_every(s, t);
	bool any = t->of & SPAN_ATTRS_SPAN && model_wished(&s->attrs, t);

	if (t->of & SPAN_ATTRS_PROCESS ||
	    (t->of & SPAN_ATTRS_PROCESS_ELSE && !model_has(&s->attrs, t->key)))
		any |= model_wished(&s->process->attrs, t);
	any |= t->of & SPAN_ATTRS_SCOPE && s->scope &&
	       model_wished(&s->scope->attrs, t);
	for (size_t i = 0; i < s->n_events; i++)
		any |= t->of & SPAN_ATTRS_EVENTS &&
		       model_wished(&s->events[i].attrs, t);
	for (size_t i = 0; i < s->n_refs; i++)
		any |= t->of & SPAN_ATTRS_REFS &&
		       model_wished(&s->refs[i].attrs, t);
	return any;
}

static inline bool model_name(struct span_str name, const struct span_str *v,
			      size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (span_str_equal(name, v[i]))
			return true;
	}
	return !n;
}

/* Is the span in the range? */
static inline bool model_in(const struct span_range *r, const struct span *s)
{
	bool in =
		s->start_ns >= r->since_ns &&
		(!r->until_ns || s->start_ns < r->until_ns) &&
		s->duration_ns >= r->min_duration_ns &&
		(!r->max_duration_ns || s->duration_ns <= r->max_duration_ns) &&
		model_name(s->process->service, r->services, r->n_services) &&
		model_name(s->name, r->operations, r->n_operations) &&
		(!r->error || span_is_error(s));

	if (in && r->service_fn)
		in = r->service_fn(r->fn_arg, s->process->service, NULL) > 0;
	if (in && r->operation_fn)
		in = r->operation_fn(r->fn_arg, s->name, NULL) > 0;
	for (size_t i = 0; i < r->n_tags && in; i++)
		in = model_tag(s, &r->tags[i]);
	for (size_t i = 0; i < r->n_tests && in; i++)
		in = model_test(s, &r->tests[i]);
	return in;
}

/* Names with an "e" or a "G" in them. */
static inline int model_fits(void *arg, struct span_str name,
			     struct span_error *err)
{
	(void)arg;
	(void)err;
	return name.len &&
	       (memchr(name.p, 'e', name.len) || memchr(name.p, 'G', name.len));
}

/* An attribute of some span, which a condition may ask for. */
static inline void model_some_attr(struct rnd *r, const struct span *s,
				   struct span_tag_eq *tag)
{
	const struct span_attrs *a = &s->attrs;
	struct span_buf b = {0};

	switch (rnd_below(r, 5)) {
	case 0:
		a = &s->process->attrs;
		break;
	case 1:
		a = s->scope ? &s->scope->attrs : a;
		break;
	case 2:
		a = s->n_events ? &s->events[0].attrs : a;
		break;
	case 3:
		a = s->n_refs ? &s->refs[0].attrs : a;
		break;
	default:
		break;
	}
	if (a->n) {
		const struct span_attr *attr = &a->v[rnd_below(r, a->n)];
		char *text;

		span_text_value(&b, &attr->value);
		text = rnd_alloc(r, b.len + 1);
		if (b.len)
			memcpy(text, b.p, b.len);
		*tag = (struct span_tag_eq){attr->key, {text, b.len}};
	}
	span_buf_release(&b);
}

static inline struct span_tag_eq model_rnd_tag(struct rnd *r,
					       const struct span *s)
{
	static const char *const keys[] = {
		"error",
		"event",
		"otel.scope.name",
		"otel.scope.version",
		"otel.status_code",
		"otel.status_description",
		"service.name",
		"span.kind",
		"status",
		"w3c.tracestate",
	};
	static const char *const values[] = {
		"true", "false", "server", "ERROR", "OK",
		"ok",	"error", "GET",	   "",	    "72.5",
	};
	struct span_tag_eq tag = {rnd_str(r), rnd_str(r)};

	if (rnd_below(r, 4))
		model_some_attr(r, s, &tag);
	else
		tag.value = span_str(values[rnd_below(r, 10)]);
	if (!rnd_below(r, 3))
		tag.key = span_str(keys[rnd_below(r, 10)]);
	return tag;
}

/* A test of an attribute of S, or of any. */
static inline void model_rnd_test(struct rnd *r, const struct span *s,
				  struct span_attr_test *t,
				  struct model_wish *w)
{
	const struct span_attrs *a = &s->attrs;
	const struct span_value *v = NULL;

	*t = (struct span_attr_test){
		.key = rnd_str(r),
		.of = (unsigned)(rnd_below(r, 2) ? 1 + rnd_below(r, 63) : 63),
		.fn = model_wish_fn,
		.arg = w,
		.any_thread = rnd_below(r, 2),
	};
	*w = (struct model_wish){.kind = (int)rnd_below(r, 5),
				 .text = rnd_str(r)};
	if (!rnd_below(r, 3))
		a = s->n_events && rnd_below(r, 2) ? &s->events[0].attrs
						   : &s->process->attrs;
	if (a->n && rnd_below(r, 5)) {
		const struct span_attr *attr = &a->v[rnd_below(r, a->n)];

		t->key = attr->key;
		v = &attr->value;
	}
	if (v && v->type == SPAN_STRING)
		w->text = v->str;
	w->min = v && v->type == SPAN_INT ? v->i
					  : (int64_t)rnd_below(r, 40) - 20;
	w->max = w->min > INT64_MAX - 100 ? w->min
					  : w->min + (int64_t)rnd_below(r, 100);
	if (w->kind == WISH_TEXT && rnd_below(r, 2))
		t->text = &w->text;
	if (w->kind == WISH_INSIDE || w->kind == WISH_OUTSIDE) {
		t->numbers = rnd_below(r, 2);
		t->outside = w->kind == WISH_OUTSIDE;
		t->min = w->min;
		t->max = w->max;
		t->double_min = (double)w->min;
		t->double_max = (double)w->max;
	}
	if (w->kind != WISH_ANY && !rnd_below(r, 3)) {
		static const unsigned places[] = {1, 2, 4, 8, 16, 33};

		t->every = true;
		t->of = places[rnd_below(r, 6)];
	}
	if (w->kind == WISH_ANY && rnd_below(r, 2)) {
		t->numbers = t->outside = true;
		t->min = 1; /* outside of nothing */
		t->double_min = 1;
	}
}

/* Conditions of which each is there now and then; S lends what may match. */
static inline void model_rnd(struct scan_model *m, struct rnd *r,
			     const struct span *s)
{
	struct span_range *range = &m->range;

	*m = (struct scan_model){0};
	range->services = m->services;
	range->operations = m->operations;
	range->tags = m->tags;
	if (!rnd_below(r, 3))
		range->n_services = 1 + rnd_below(r, MODEL_NAMES);
	for (size_t i = 0; i < range->n_services; i++)
		m->services[i] = i ? rnd_str(r) : s->process->service;
	if (!rnd_below(r, 3))
		range->n_operations = 1 + rnd_below(r, MODEL_NAMES);
	for (size_t i = 0; i < range->n_operations; i++)
		m->operations[i] = i ? rnd_str(r) : s->name;
	if (!rnd_below(r, 6))
		range->service_fn = model_fits;
	if (!rnd_below(r, 6))
		range->operation_fn = model_fits;
	if (!rnd_below(r, 5))
		range->since_ns = rnd_below(r, 2) ? s->start_ns : rnd_number(r);
	if (!rnd_below(r, 5))
		range->until_ns = rnd_number(r);
	if (!rnd_below(r, 5))
		range->min_duration_ns =
			rnd_below(r, 2) ? s->duration_ns : rnd_number(r);
	if (!rnd_below(r, 5))
		range->max_duration_ns = rnd_number(r);
	range->error = !rnd_below(r, 5);
	if (rnd_below(r, 3))
		range->n_tags = 1 + rnd_below(r, rnd_below(r, 2) ? 1 : 3);
	for (size_t i = 0; i < range->n_tags; i++)
		m->tags[i] = model_rnd_tag(r, s);
	range->tests = m->tests;
	if (rnd_below(r, 2))
		range->n_tests = 1 + rnd_below(r, rnd_below(r, 2) ? 1 : 3);
	for (size_t i = 0; i < range->n_tests; i++)
		model_rnd_test(r, s, &m->tests[i], &m->wishes[i]);
}

#endif
