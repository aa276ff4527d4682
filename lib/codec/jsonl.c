/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes are objects, because that is what jq users ask for, and yet
 * nothing is lost: types that JSON has not are objects with a $ key, and a
 * list beside the object says what an object cannot, keys that come twice.
 */
#include <span/codec.h>
#include <span/text.h>

#include <math.h>
#include <string.h>

#include "codec/repeats.h"

#include "base/banned.h"

static void put_value(struct span_buf *b, const struct span_value *v,
		      unsigned depth);

static void put_object(struct span_buf *b, const struct span_attr *v, size_t n,
		       const uint8_t *repeated, unsigned depth)
{
	bool first = true;

	span_buf_putc(b, '{');
	for (size_t i = 0; i < n; i++) {
		if (repeated && repeated[i])
			continue;
		if (!first)
			span_buf_putc(b, ',');
		first = false;
		span_text_json(b, v[i].key);
		span_buf_putc(b, ':');
		put_value(b, &v[i].value, depth);
	}
	span_buf_putc(b, '}');
}

static void put_list(struct span_buf *b, const struct span_attr *v, size_t n,
		     unsigned depth)
{
	span_buf_putc(b, '[');
	for (size_t i = 0; i < n; i++) {
		span_buf_puts(b, i ? ",[" : "[");
		span_text_json(b, v[i].key);
		span_buf_putc(b, ',');
		put_value(b, &v[i].value, depth);
		span_buf_putc(b, ']');
	}
	span_buf_putc(b, ']');
}

static void put_map(struct span_buf *b, const struct span_value *v,
		    unsigned depth)
{
	const struct span_attr *pairs = v->map.v;
	struct span__repeats r = {0};

	span__repeats_find(&r, pairs, v->map.n);
	if (r.repeated ||
	    (v->map.n && pairs->key.len && *pairs->key.p == '$')) {
		span_buf_puts(b, "{\"$map\":");
		put_list(b, pairs, v->map.n, depth);
		span_buf_putc(b, '}');
	} else {
		put_object(b, pairs, v->map.n, NULL, depth);
	}
	b->failed |= r.memory.failed;
	span_buf_release(&r.memory);
}

static void put_array(struct span_buf *b, const struct span_value *v,
		      unsigned depth)
{
	span_buf_putc(b, '[');
	for (size_t i = 0; i < v->array.n; i++) {
		if (i)
			span_buf_putc(b, ',');
		put_value(b, &v->array.v[i], depth);
	}
	span_buf_putc(b, ']');
}

/* A double always shows that it is one. */
static void put_double(struct span_buf *b, double d)
{
	size_t from = b->len;

	if (!isfinite(d)) {
		span_buf_puts(b, "{\"$double\":\"");
		span_text_double(b, d);
		span_buf_puts(b, "\"}");
		return;
	}
	span_text_double(b, d);
	for (size_t i = from; i < b->len; i++)
		if (b->p[i] == '.' || b->p[i] == 'e')
			return;
	span_buf_puts(b, ".0");
}

static void put_value(struct span_buf *b, const struct span_value *v,
		      unsigned depth)
{
	if (depth > SPAN_MAX_DEPTH) {
		span_buf_puts(b, "null");
		return;
	}
	switch (v->type) {
	case SPAN_DOUBLE:
		put_double(b, v->d);
		return;
	case SPAN_BYTES:
		span_buf_puts(b, "{\"$bytes\":");
		span_text_value_json(b, v);
		span_buf_putc(b, '}');
		return;
	case SPAN_ARRAY:
		put_array(b, v, depth + 1);
		return;
	case SPAN_MAP:
		put_map(b, v, depth + 1);
		return;
	default:
		span_text_value_json(b, v);
	}
}

/* ,"NAME": */
static void put_name(struct span_buf *b, const char *name)
{
	span_buf_puts(b, ",\"");
	span_buf_puts(b, name);
	span_buf_puts(b, "\":");
}

static void put_word(struct span_buf *b, const char *word)
{
	span_buf_putc(b, '"');
	span_buf_puts(b, word);
	span_buf_putc(b, '"');
}

/* ,"NAME":{...} and, where keys come twice, ,"NAME_list":[...]. */
static void put_attrs(struct span_buf *b, const char *name,
		      const struct span_attrs *a)
{
	struct span__repeats r = {0};

	span__repeats_find(&r, a->v, a->n);
	put_name(b, name);
	put_object(b, a->v, a->n, r.repeated, 0);
	if (r.repeated) {
		span_buf_printf(b, ",\"%s_list\":", name);
		put_list(b, a->v, a->n, 0);
	}
	b->failed |= r.memory.failed;
	span_buf_release(&r.memory);
}

static void put_text(struct span_buf *b, const char *name, struct span_str s)
{
	put_name(b, name);
	span_text_json(b, s);
}

static void put_text_if(struct span_buf *b, const char *name, struct span_str s)
{
	if (s.len)
		put_text(b, name, s);
}

static void put_number_if(struct span_buf *b, const char *name, uint32_t n)
{
	if (!n)
		return;
	put_name(b, name);
	span_text_uint(b, n);
}

static void put_time(struct span_buf *b, const char *name, const char *name_ns,
		     uint64_t ns)
{
	put_word(b, name);
	span_buf_puts(b, ":\"");
	span_text_time(b, ns, 9);
	span_buf_putc(b, '"');
	put_name(b, name_ns);
	span_text_uint(b, ns);
}

static void put_ids(struct span_buf *b, const struct span *s)
{
	static const uint8_t none[8];
	char trace[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

	span_buf_puts(b, "\"trace_id\":");
	put_word(b, span_trace_id_text(s->trace_id, trace));
	put_name(b, "span_id");
	put_word(b, span_id_text(s->span_id, id));
	put_name(b, "parent_id");
	if (memcmp(s->parent_id, none, sizeof(none)) != 0)
		put_word(b, span_id_text(s->parent_id, id));
	else
		span_buf_puts(b, "null");
}

static void put_kind(struct span_buf *b, int kind)
{
	put_name(b, "kind");
	if (kind == SPAN_KIND_UNSPECIFIED)
		span_buf_puts(b, "null");
	else if (*span_kind_name(kind))
		put_word(b, span_kind_name(kind));
	else
		span_text_int(b, kind);
}

static void put_status(struct span_buf *b, const struct span *s)
{
	put_name(b, "status");
	if (s->status <= SPAN_STATUS_ERROR)
		put_word(b, span_status_name(s->status));
	else
		span_text_uint(b, s->status);
	put_text_if(b, "status_message", s->status_message);
}

static void put_events(struct span_buf *b, const struct span *s)
{
	span_buf_puts(b, ",\"events\":[");
	for (size_t i = 0; i < s->n_events; i++) {
		const struct span_event *e = &s->events[i];

		span_buf_puts(b, i ? ",{" : "{");
		put_time(b, "time", "time_ns", e->time_ns);
		put_text_if(b, "name", e->name);
		put_attrs(b, "fields", &e->attrs);
		put_number_if(b, "dropped_fields", e->attrs.dropped);
		span_buf_putc(b, '}');
	}
	span_buf_putc(b, ']');
}

static void put_ref(struct span_buf *b, const struct span_ref *r)
{
	char trace[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

	span_buf_puts(b, "{\"type\":");
	if (r->type == SPAN_REF_LINK)
		span_buf_puts(b, "\"link\"");
	else if (r->type == SPAN_REF_CHILD_OF)
		span_buf_puts(b, "\"child_of\"");
	else if (r->type == SPAN_REF_FOLLOWS_FROM)
		span_buf_puts(b, "\"follows_from\"");
	else
		span_text_int(b, r->type);
	put_name(b, "trace_id");
	put_word(b, span_trace_id_text(r->trace_id, trace));
	put_name(b, "span_id");
	put_word(b, span_id_text(r->span_id, id));
	put_number_if(b, "flags", r->flags);
	put_text_if(b, "trace_state", r->trace_state);
	if (r->attrs.n)
		put_attrs(b, "tags", &r->attrs);
	put_number_if(b, "dropped_tags", r->attrs.dropped);
	span_buf_putc(b, '}');
}

static void put_refs(struct span_buf *b, const struct span *s)
{
	span_buf_puts(b, ",\"refs\":[");
	for (size_t i = 0; i < s->n_refs; i++) {
		if (i)
			span_buf_putc(b, ',');
		put_ref(b, &s->refs[i]);
	}
	span_buf_putc(b, ']');
}

static void put_scope(struct span_buf *b, const struct span_scope *c)
{
	span_buf_puts(b, ",\"scope\":{\"name\":");
	span_text_json(b, c->name);
	put_text_if(b, "version", c->version);
	if (c->attrs.n)
		put_attrs(b, "tags", &c->attrs);
	put_number_if(b, "dropped_tags", c->attrs.dropped);
	put_text_if(b, "schema_url", c->schema_url);
	span_buf_putc(b, '}');
}

static void put_marks(struct span_buf *b, unsigned marks)
{
	static const char *const names[] = {"cut", "clamped", "renamed"};
	bool first = true;

	if (!marks)
		return;
	span_buf_puts(b, ",\"marks\":[");
	for (unsigned i = 0; i < 3; i++) {
		if (!(marks & 1u << i))
			continue;
		if (!first)
			span_buf_putc(b, ',');
		first = false;
		put_word(b, names[i]);
	}
	span_buf_putc(b, ']');
}

void span_encode_jsonl(struct span_buf *b, const struct span *s)
{
	span_buf_putc(b, '{');
	put_ids(b, s);
	put_text(b, "service", s->process->service);
	put_text(b, "name", s->name);
	put_kind(b, s->kind);
	span_buf_putc(b, ',');
	put_time(b, "start", "start_ns", s->start_ns);
	put_name(b, "duration_ns");
	span_text_uint(b, s->duration_ns);
	put_status(b, s);
	put_number_if(b, "flags", s->flags);
	put_text_if(b, "trace_state", s->trace_state);
	put_attrs(b, "tags", &s->attrs);
	put_attrs(b, "process", &s->process->attrs);
	put_events(b, s);
	put_refs(b, s);
	if (s->scope)
		put_scope(b, s->scope);
	put_text_if(b, "schema_url", s->process->schema_url);
	put_number_if(b, "dropped_tags", s->attrs.dropped);
	put_number_if(b, "dropped_process", s->process->attrs.dropped);
	put_number_if(b, "dropped_events", s->dropped_events);
	put_number_if(b, "dropped_refs", s->dropped_refs);
	put_marks(b, s->marks);
	span_buf_puts(b, "}\n");
}
