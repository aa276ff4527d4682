/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/adjust.h"

#include <string.h>

#include "base/sort.h"

#include "base/banned.h"

#define N_LIBRARY 5u
static const struct span_str library_keys[N_LIBRARY] = {
	{"telemetry.sdk.language", 22},	  {"telemetry.sdk.name", 18},
	{"telemetry.sdk.version", 21},	  {"telemetry.distro.name", 21},
	{"telemetry.distro.version", 24},
};

/* The 32 bits that Go makes of a number; false: it is none. */
static bool address_of(const struct span_value *v, uint32_t *out)
{
	if (v->type == SPAN_INT) {
		*out = (uint32_t)v->i;
		return true;
	}
	if (v->type != SPAN_DOUBLE || !(v->d > -0x1p63 && v->d < 0x1p63))
		return false;
	*out = (uint32_t)(int64_t)v->d;
	return true;
}

static int address_to_text(struct span_arena *a, struct span_attr *attr)
{
	struct span_buf text = {0};
	struct span_str copy;
	uint32_t ip;
	bool good;

	if (!span_str_equal(attr->key, SPAN_STR("ip")) &&
	    !span_str_equal(attr->key, SPAN_STR("peer.ipv4")))
		return 0;
	if (!address_of(&attr->value, &ip))
		return 0;
	span_buf_printf(&text, "%u.%u.%u.%u", (unsigned)(ip >> 24),
			(unsigned)(ip >> 16 & 255), (unsigned)(ip >> 8 & 255),
			(unsigned)(ip & 255));
	good = !text.failed &&
	       span_arena_str(a, (struct span_str){text.p, text.len}, &copy);
	span_buf_release(&text);
	if (!good)
		return SPAN_E_NOMEM;
	attr->value = (struct span_value){.type = SPAN_STRING, .str = copy};
	return 0;
}

static int addresses_to_texts(struct span_arena *a,
			      const struct span_attrs *attrs)
{
	struct span_attr *v = (struct span_attr *)(uintptr_t)attrs->v;
	int rc = 0;

	for (size_t i = 0; i < attrs->n && !rc; i++)
		rc = address_to_text(a, &v[i]);
	return rc;
}

int span_adjust_addresses(struct span_trace_builder *b, struct span_trace *t,
			  struct span_error *err)
{
	struct span__item *v = span__by_process(b);
	size_t n;
	struct span *spans = span__adjusted(b, &n);
	int rc = v ? 0 : SPAN_E_NOMEM;

	for (size_t k = 0; k < n && !rc; k++) {
		struct span *s = &spans[v[k].i];

		rc = addresses_to_texts(&b->arena, &s->attrs);
		if (rc || (k && v[k].key == v[k - 1].key))
			continue;
		((struct span_process *)(uintptr_t)s->process)->serial = 0;
		rc = addresses_to_texts(&b->arena, &s->process->attrs);
	}
	return rc < 0 ? span__adjust_end(rc, err)
		      : span_trace_builder_build(b, t, err);
}

/* What spans bring to a process: at most one of each key. */
struct brought {
	struct span_attr v[N_LIBRARY];
	size_t n;
};

static bool is_library(struct span_str key)
{
	for (size_t i = 0; i < N_LIBRARY; i++)
		if (span_str_equal(key, library_keys[i]))
			return true;
	return false;
}

/* The value of KEY that the process P will have, or NULL. */
static const struct span_value *value_in(const struct span_process *p,
					 const struct brought *brought,
					 struct span_str key)
{
	struct span_attrs more = {.v = brought->v, .n = brought->n};
	const struct span_value *v = span_attr_get(&p->attrs, key);

	return v ? v : span_attr_get(&more, key);
}

static int warn_of_conflict(struct span_arena *a, struct span *s,
			    struct span_str key, struct span_buf *text)
{
	text->len = 0;
	span_buf_puts(text, "conflicting values between Span and Resource "
			    "for attribute ");
	span_buf_str(text, key);
	return span__warn_text(a, s, text);
}

/* Move what can be moved from S to its process; the rest keeps its order. */
static int move_library(struct span_arena *a, struct span *s,
			struct brought *brought, struct span_buf *text)
{
	struct span_attr *v = (struct span_attr *)(uintptr_t)s->attrs.v;
	struct span_str refused[N_LIBRARY];
	size_t to = 0, n_refused = 0;
	int rc = 0;

	for (size_t i = 0; i < s->attrs.n; i++) {
		const struct span_value *there =
			is_library(v[i].key)
				? value_in(s->process, brought, v[i].key)
				: &v[i].value;

		if (!there)
			brought->v[brought->n++] = v[i];
		else if (there == &v[i].value)
			v[to++] = v[i];
		else if (!span_value_equal(there, &v[i].value)) {
			if (n_refused < N_LIBRARY)
				refused[n_refused++] = v[i].key;
			v[to++] = v[i];
		}
	}
	s->attrs.n = to;
	for (size_t i = 0; i < n_refused && !rc; i++)
		rc = warn_of_conflict(a, s, refused[i], text);
	return rc;
}

static int add_brought(struct span_arena *a, struct span_process *p,
		       const struct brought *brought)
{
	struct span_attr *v;

	if (!brought->n)
		return 0;
	v = span_arena_array(a, p->attrs.n + brought->n, sizeof(*v));
	if (!v)
		return SPAN_E_NOMEM;
	if (p->attrs.n)
		memcpy(v, p->attrs.v, p->attrs.n * sizeof(*v));
	memcpy(v + p->attrs.n, brought->v, brought->n * sizeof(*v));
	p->attrs.v = v;
	p->attrs.n += brought->n;
	p->serial = 0;
	return 0;
}

int span_adjust_library(struct span_trace_builder *b, struct span_trace *t,
			struct span_error *err)
{
	struct span__item *v = span__by_process(b);
	struct brought brought = {.n = 0};
	struct span_buf text = {0};
	size_t n;
	struct span *spans = span__adjusted(b, &n);
	int rc = v ? 0 : SPAN_E_NOMEM;

	for (size_t k = 0; k < n && !rc; k++) {
		struct span *s = &spans[v[k].i];

		if (!k || v[k].key != v[k - 1].key)
			brought.n = 0;
		rc = move_library(&b->arena, s, &brought, &text);
		if (!rc && (k + 1 == n || v[k].key != v[k + 1].key))
			rc = add_brought(
				&b->arena,
				(struct span_process *)(uintptr_t)s->process,
				&brought);
	}
	span_buf_release(&text);
	return rc < 0 ? span__adjust_end(rc, err)
		      : span_trace_builder_build(b, t, err);
}
