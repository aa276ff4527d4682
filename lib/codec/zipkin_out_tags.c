/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tags of a span for Zipkin: its own that Zipkin has no field for, then
 * what the model says beside them and Zipkin can only say in tags, then those
 * of the process. Of a key that comes twice the first one is written.
 */
#include "codec/zipkin.h"
#include "codec/zipkin_out.h"

#include <span/text.h>

#include "text/utf8.h"

#include "base/banned.h"

/* What the last text is, in memory that stays. */
static struct span_str keep_text(struct span__zipkin_out *o)
{
	struct span_str text = {o->text.p, o->text.len}, kept = {0};

	o->failed |= !span_arena_str(&o->arena, text, &kept);
	return kept;
}

static void add(struct span__zipkin_out *o, struct span_str key,
		struct span_value value)
{
	struct span_attr a = {key, value};

	if (o->utf8 && !span__utf8_valid(key)) {
		o->text.len = 0;
		span__utf8_put(&o->text, key);
		a.key = keep_text(o);
	}
	span_buf_put(&o->tags, &a, sizeof(a));
}

static void add_text(struct span__zipkin_out *o, const char *key,
		     struct span_str text)
{
	if (text.len)
		add(o, span_str(key),
		    (struct span_value){.type = SPAN_STRING, .str = text});
}

/* Tags that are written before, and that the readers ask. */
struct said {
	bool is_error; /* a tag "error" that says so */
	const struct span_value *error, *code;
	struct span_str message; /* of that tag */
};

/* Numbers and bytes say nothing where they keep their types. */
static bool says_error(const struct span_value *v)
{
	switch (v->type) {
	case SPAN_BOOL:
		return v->b;
	case SPAN_STRING:
		return !span_str_equal(v->str, SPAN_STR("false"));
	case SPAN_INT:
	case SPAN_DOUBLE:
	case SPAN_BYTES:
		return false;
	default:
		return true;
	}
}

static struct said find_said(const struct span_attrs *own)
{
	struct said said = {
		.error = span_attr_get(own, SPAN_STR("error")),
		.code = span_attr_get(own, SPAN_STR("otel.status_code")),
	};

	if (!said.error)
		return said;
	said.is_error = says_error(said.error);
	if (said.is_error && said.error->type == SPAN_STRING &&
	    !span_str_equal(said.error->str, SPAN_STR("true")))
		said.message = said.error->str;
	return said;
}

/* A text that a tag "error" can hold without meaning something else. */
static bool is_message(struct span_str s)
{
	return s.len && !span_str_equal(s, SPAN_STR("true")) &&
	       !span_str_equal(s, SPAN_STR("false"));
}

/*
 * What a field says and a tag of the span's denies comes before it: of a key
 * that comes twice the first is written.
 */
static void add_denied(struct span__zipkin_out *o, const struct span_attrs *own)
{
	const struct span *s = o->span;
	struct span said = {.attrs = *own};

	span_derive(&said);
	if (s->kind == SPAN_KIND_INTERNAL && said.kind != s->kind &&
	    span_attr_get(own, SPAN_STR("span.kind")))
		add_text(o, "span.kind", SPAN_STR("internal"));
	if (said.status == s->status ||
	    !span_attr_get(own, SPAN_STR("otel.status_code")))
		return;
	if (s->status == SPAN_STATUS_OK)
		add_text(o, "otel.status_code", SPAN_STR("OK"));
	if (s->status == SPAN_STATUS_ERROR)
		add_text(o, "otel.status_code", SPAN_STR("ERROR"));
}

static void add_status(struct span__zipkin_out *o, const struct span_attrs *own)
{
	const struct span *s = o->span;
	struct said said = find_said(own);
	struct span_str message = s->status_message;

	if (s->status == SPAN_STATUS_OK && !said.code)
		add_text(o, "otel.status_code", SPAN_STR("OK"));
	if (s->status == SPAN_STATUS_ERROR && !said.is_error && !said.code)
		add_text(o, "otel.status_code", SPAN_STR("ERROR"));
	if (s->status == SPAN_STATUS_ERROR && !said.error) {
		said.message = is_message(message) ? message : SPAN_STR("");
		add_text(o, "error",
			 said.message.len ? message : SPAN_STR("true"));
	}
	if (!said.message.len &&
	    !span_attr_get(own, SPAN_STR("otel.status_description")))
		add_text(o, "otel.status_description", message);
}

static const char *type_name(int type)
{
	if (type == SPAN_REF_CHILD_OF)
		return "child_of";
	return type == SPAN_REF_FOLLOWS_FROM ? "follows_from" : NULL;
}

/* An object of the attributes; OpenTracing's kind of reference is one. */
static void put_link_attrs(struct span__zipkin_out *o, const struct span_ref *r)
{
	struct span_attr type = {SPAN_STR("opentracing.ref_type"),
				 {.type = SPAN_STRING}};
	struct span_value v = {.type = SPAN_MAP};
	const char *name = type_name(r->type);
	struct span_attr *more;

	v.map.v = r->attrs.v;
	v.map.n = r->attrs.n;
	if (name && !span_attr_get(&r->attrs, type.key)) {
		more = span_arena_array(&o->arena, v.map.n + 1, sizeof(*more));
		o->failed |= !more;
		if (!more)
			return;
		type.value.str = span_str(name);
		more[0] = type;
		if (v.map.n)
			memcpy(more + 1, v.map.v, v.map.n * sizeof(*more));
		v.map.v = more;
		v.map.n++;
	}
	span_text_value_json(&o->text, &v);
}

static void add_link(struct span__zipkin_out *o, const struct span_ref *r,
		     unsigned number)
{
	char span_id[SPAN_ID_TEXT];
	struct span_value v = {.type = SPAN_STRING};
	struct span_str key;

	o->text.len = 0;
	span_buf_printf(&o->text, "otlp.link.%u", number);
	key = keep_text(o);
	o->text.len = 0;
	span_text_hex(&o->text,
		      (struct span_str){(const char *)r->trace_id, 16});
	span_buf_printf(&o->text, "|%s|", span_id_text(r->span_id, span_id));
	span_buf_str(&o->text, r->trace_state);
	span_buf_putc(&o->text, '|');
	put_link_attrs(o, r);
	span_buf_printf(&o->text, "|%u", (unsigned)r->attrs.dropped);
	v.str = keep_text(o);
	add(o, key, v);
}

/* A reference that Zipkin's parent says, and nothing else. */
static bool is_parent(const struct span *s, const struct span_ref *r)
{
	return r->type != SPAN_REF_LINK &&
	       !memcmp(r->span_id, s->parent_id, 8) &&
	       !memcmp(r->trace_id, s->trace_id, 16);
}

static void add_links(struct span__zipkin_out *o)
{
	const struct span *s = o->span;
	unsigned n = 0;

	for (size_t i = 0; i < s->n_refs; i++)
		if (!is_parent(s, &s->refs[i]))
			add_link(o, &s->refs[i], n++);
}

/* The tag that says what the field says, or that the flag is. */
static bool is_field(const struct span__zipkin_out *o,
		     const struct span_attr *a)
{
	const struct span_value *v = &a->value;

	if (span_str_equal(a->key, SPAN_STR("span.kind")))
		return o->kind && v->type == SPAN_STRING &&
		       span_kind_parse(v->str) == o->kind;
	return o->shared && v->type == SPAN_BOOL && v->b &&
	       span_str_equal(a->key, SPAN__KEY_SHARED);
}

static bool is_shared(const struct span_attrs *own)
{
	const struct span_value *v = span_attr_get(own, SPAN__KEY_SHARED);

	return v && v->type == SPAN_BOOL && v->b;
}

/*
 * The other side is what the last tags say: readers put it behind the others,
 * and what is left of several is not changed again.
 */
static size_t take_remote(struct span__zipkin_out *o,
			  const struct span_attrs *own, size_t taken[4])
{
	size_t n = 0;

	for (size_t i = own->n; i > 0 && n < 4; i--)
		if (span__zipkin_take_peer(&o->remote, &own->v[i - 1]))
			taken[n++] = i - 1;
	return n;
}

static void add_own(struct span__zipkin_out *o, const struct span_attrs *own)
{
	size_t taken[4], n = take_remote(o, own, taken);

	o->shared = is_shared(own);
	for (size_t i = 0; i < own->n; i++) {
		if (n && taken[n - 1] == i)
			n--;
		else if (!is_field(o, &own->v[i]))
			add(o, own->v[i].key, own->v[i].value);
	}
	if (!span__zipkin_has_address(&o->remote) &&
	    (o->kind == SPAN_KIND_CLIENT || o->kind == SPAN_KIND_PRODUCER))
		span__zipkin_guess_peer(&o->remote, own);
}

/*
 * As a tag of the span it would say something of the span: there it is not
 * written.
 */
static bool is_of_span(const struct span_attr *a)
{
	static const char *const keys[] = {"error", "span.kind",
					   "otel.status_code",
					   "otel.status_description"};
	struct span__zipkin_address peer = {0};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (span_str_equal(a->key, span_str(keys[i])))
			return true;
	return span_str_equal(a->key, SPAN__KEY_SHARED) ||
	       span__zipkin_take_peer(&peer, a);
}

static void add_process(struct span__zipkin_out *o)
{
	const struct span_attrs *attrs = &o->span->process->attrs;

	for (size_t i = 0; i < attrs->n; i++) {
		const struct span_attr *a = &attrs->v[i];

		if (span__zipkin_take_local(&o->local, a) || is_of_span(a))
			continue;
		if (span_str_equal(a->key, SPAN_STR("hostname")))
			add(o, SPAN_STR("jaeger.hostname"), a->value);
		else
			add(o, a->key, a->value);
	}
}

void span__zipkin_out_tags(struct span__zipkin_out *o, size_t n)
{
	const struct span *s = o->span;
	const struct span_attrs own = {.v = s->attrs.v, .n = n};

	o->tags.len = 0;
	add_denied(o, &own);
	add_own(o, &own);
	if (s->kind == SPAN_KIND_INTERNAL &&
	    !span_attr_get(&own, SPAN_STR("span.kind")))
		add_text(o, "span.kind", SPAN_STR("internal"));
	add_status(o, &own);
	if (s->scope) {
		add_text(o, "otel.scope.name", s->scope->name);
		add_text(o, "otel.scope.version", s->scope->version);
	}
	add_links(o);
	add_text(o, "w3c.tracestate", s->trace_state);
	add_process(o);
	span__repeats_find(&o->repeats, (const void *)o->tags.p,
			   o->tags.len / sizeof(struct span_attr));
	o->failed |=
		o->tags.failed || o->text.failed || o->repeats.memory.failed;
}
