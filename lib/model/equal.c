/* SPDX-License-Identifier: Apache-2.0 */
/* Equality and hash of whole spans. Both visit the same fields. */
#include "model/model.h"

#include "base/bytes.h"
#include "base/scratch.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/banned.h"

static bool pairs_equal(const struct span_attr *a, size_t n_a,
			const struct span_attr *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++)
		if (!span__str_equal(a[i].key, b[i].key) ||
		    !span_value_equal(&a[i].value, &b[i].value))
			return false;
	return true;
}

static bool array_equal(const struct span_value *a, const struct span_value *b)
{
	if (a->array.n != b->array.n)
		return false;
	for (size_t i = 0; i < a->array.n; i++)
		if (!span_value_equal(&a->array.v[i], &b->array.v[i]))
			return false;
	return true;
}

bool span_value_equal(const struct span_value *a, const struct span_value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case SPAN_NULL:
		return true;
	case SPAN_STRING:
	case SPAN_BYTES:
		return span__str_equal(a->str, b->str);
	case SPAN_BOOL:
		return a->b == b->b;
	case SPAN_INT:
		return a->i == b->i;
	case SPAN_DOUBLE:
		return !memcmp(&a->d, &b->d, sizeof(a->d));
	case SPAN_ARRAY:
		return array_equal(a, b);
	case SPAN_MAP:
		return pairs_equal(a->map.v, a->map.n, b->map.v, b->map.n);
	}
	return false;
}

static bool attrs_equal(const struct span_attrs *a, const struct span_attrs *b)
{
	return a->dropped == b->dropped && pairs_equal(a->v, a->n, b->v, b->n);
}

bool span__process_equal(const struct span_process *a,
			 const struct span_process *b)
{
	return a == b || (span__str_equal(a->service, b->service) &&
			  span__str_equal(a->schema_url, b->schema_url) &&
			  attrs_equal(&a->attrs, &b->attrs));
}

bool span__scope_equal(const struct span_scope *a, const struct span_scope *b)
{
	if (a == b)
		return true;
	if (!a || !b)
		return false;
	return span__str_equal(a->name, b->name) &&
	       span__str_equal(a->version, b->version) &&
	       span__str_equal(a->schema_url, b->schema_url) &&
	       attrs_equal(&a->attrs, &b->attrs);
}

static bool event_equal(const struct span_event *a, const struct span_event *b)
{
	return a->time_ns == b->time_ns && span__str_equal(a->name, b->name) &&
	       attrs_equal(&a->attrs, &b->attrs);
}

static bool ref_equal(const struct span_ref *a, const struct span_ref *b)
{
	return !memcmp(a->trace_id, b->trace_id, 16) &&
	       !memcmp(a->span_id, b->span_id, 8) && a->type == b->type &&
	       a->flags == b->flags &&
	       span__str_equal(a->trace_state, b->trace_state) &&
	       attrs_equal(&a->attrs, &b->attrs);
}

static bool lists_equal(const struct span *a, const struct span *b)
{
	if (a->n_events != b->n_events || a->n_refs != b->n_refs)
		return false;
	for (size_t i = 0; i < a->n_events; i++)
		if (!event_equal(&a->events[i], &b->events[i]))
			return false;
	for (size_t i = 0; i < a->n_refs; i++)
		if (!ref_equal(&a->refs[i], &b->refs[i]))
			return false;
	return true;
}

static bool numbers_equal(const struct span *a, const struct span *b)
{
	return !memcmp(a->trace_id, b->trace_id, 16) &&
	       !memcmp(a->span_id, b->span_id, 8) &&
	       !memcmp(a->parent_id, b->parent_id, 8) &&
	       a->start_ns == b->start_ns && a->duration_ns == b->duration_ns &&
	       a->kind == b->kind && a->status == b->status &&
	       a->marks == b->marks && a->flags == b->flags &&
	       a->dropped_events == b->dropped_events &&
	       a->dropped_refs == b->dropped_refs;
}

bool span_equal(const struct span *a, const struct span *b)
{
	return numbers_equal(a, b) && span__str_equal(a->name, b->name) &&
	       span__str_equal(a->status_message, b->status_message) &&
	       span__str_equal(a->trace_state, b->trace_state) &&
	       attrs_equal(&a->attrs, &b->attrs) && lists_equal(a, b) &&
	       span__process_equal(a->process, b->process) &&
	       span__scope_equal(a->scope, b->scope);
}

/* A span is many small pieces: they are put together before they are hashed. */
struct hash {
	size_t len; /* of the pieces in BYTES */
	bool begun; /* STATE has what came before them */
	uint8_t bytes[2048];
	XXH3_state_t state;
};

static void flush(struct hash *h)
{
	if (!h->begun)
		XXH3_64bits_reset(&h->state);
	h->begun = true;
	XXH3_64bits_update(&h->state, h->bytes, h->len);
	h->len = 0;
}

static inline void add(struct hash *h, const void *p, size_t len)
{
	if (len > sizeof(h->bytes) - h->len)
		flush(h);
	if (len > sizeof(h->bytes)) {
		XXH3_64bits_update(&h->state, p, len);
		return;
	}
	memcpy(h->bytes + h->len, p, len);
	h->len += len;
}

/* A length before each text and list keeps neighbours apart. */
static void add_u64(struct hash *h, uint64_t v)
{
	add(h, &v, sizeof(v));
}

static void add_str(struct hash *h, struct span_str s)
{
	add_u64(h, s.len);
	if (s.len)
		add(h, s.p, s.len);
}

static void add_pairs(struct hash *h, const struct span_attr *v, size_t n);

static void add_value(struct hash *h, const struct span_value *v)
{
	add_u64(h, v->type);
	switch (v->type) {
	case SPAN_STRING:
	case SPAN_BYTES:
		add_str(h, v->str);
		return;
	case SPAN_BOOL:
		add_u64(h, v->b);
		return;
	case SPAN_INT:
		add_u64(h, (uint64_t)v->i);
		return;
	case SPAN_DOUBLE:
		add(h, &v->d, sizeof(v->d));
		return;
	case SPAN_ARRAY:
		add_u64(h, v->array.n);
		for (size_t i = 0; i < v->array.n; i++)
			add_value(h, &v->array.v[i]);
		return;
	case SPAN_MAP:
		add_pairs(h, v->map.v, v->map.n);
		return;
	case SPAN_NULL:
		return;
	}
}

static void add_pairs(struct hash *h, const struct span_attr *v, size_t n)
{
	add_u64(h, n);
	for (size_t i = 0; i < n; i++) {
		add_str(h, v[i].key);
		add_value(h, &v[i].value);
	}
}

static void add_attrs(struct hash *h, const struct span_attrs *a)
{
	add_u64(h, a->dropped);
	add_pairs(h, a->v, a->n);
}

static void add_owner(struct hash *h, const struct span *s)
{
	add_str(h, s->process->service);
	add_str(h, s->process->schema_url);
	add_attrs(h, &s->process->attrs);
	add_u64(h, s->scope != NULL);
	if (!s->scope)
		return;
	add_str(h, s->scope->name);
	add_str(h, s->scope->version);
	add_str(h, s->scope->schema_url);
	add_attrs(h, &s->scope->attrs);
}

static void add_numbers(struct hash *h, const struct span *s)
{
	add(h, s->trace_id, 16);
	add(h, s->span_id, 8);
	add(h, s->parent_id, 8);
	add_u64(h, s->start_ns);
	add_u64(h, s->duration_ns);
	add_u64(h,
		(uint64_t)s->kind << 32 | (uint64_t)s->status << 16 | s->marks);
	add_u64(h, s->flags);
	add_u64(h, (uint64_t)s->dropped_events << 32 | s->dropped_refs);
}

static void add_lists(struct hash *h, const struct span *s)
{
	add_u64(h, s->n_events);
	for (size_t i = 0; i < s->n_events; i++) {
		add_u64(h, s->events[i].time_ns);
		add_str(h, s->events[i].name);
		add_attrs(h, &s->events[i].attrs);
	}
	add_u64(h, s->n_refs);
	for (size_t i = 0; i < s->n_refs; i++) {
		const struct span_ref *r = &s->refs[i];

		add(h, r->trace_id, 16);
		add(h, r->span_id, 8);
		add_u64(h, (uint64_t)(uint32_t)r->type << 32 | r->flags);
		add_str(h, r->trace_state);
		add_attrs(h, &r->attrs);
	}
}

uint64_t span_hash(const struct span *s)
{
	SPAN__SCRATCH struct hash h;

	h.len = 0;
	h.begun = false;
	add_numbers(&h, s);
	add_str(&h, s->name);
	add_str(&h, s->status_message);
	add_str(&h, s->trace_state);
	add_attrs(&h, &s->attrs);
	add_lists(&h, s);
	add_owner(&h, s);
	if (!h.begun)
		return XXH3_64bits(h.bytes, h.len);
	flush(&h);
	return XXH3_64bits_digest(&h.state);
}
