/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zipkin's JSON, version 1 and 2: a list of spans, or one span.
 *
 * The members of both versions differ in name or say the same, so each span
 * may be of either, and says itself of which.
 *
 * A member that is null is not there; one of another type than it should be
 * makes its span bad. Tags are texts; whoever sends numbers, true or false
 * means them.
 */
#include "codec/json.h"

#include "codec/zipkin_read.h"

#include <span/text.h>

#include <arpa/inet.h>
#include <math.h>

#include "base/banned.h"

struct reader {
	struct span__zipkin_reader r;
	struct span__json j;
};

/* What a scalar is, before it is known what it should be. */
struct scalar {
	enum json_type type;
	bool b;
	struct span_str text; /* of all but JSON_BOOL and JSON_NULL */
};

static bool is(struct span_str key, const char *name)
{
	return span_str_equal(key, span_str(name));
}

/*
 * True when a value of TYPE comes next. Else it has been passed over, and the
 * span is bad unless it was null.
 */
static bool wanted(struct reader *r, enum json_type type, const char *what)
{
	enum json_type is_type = span__json_peek(&r->j);

	if (is_type == type)
		return true;
	if (is_type != JSON_NULL)
		span__zipkin_bad(&r->r, r->r.m->in.p, what);
	span__json_skip(&r->j);
	return false;
}

static struct span_str text(struct reader *r, const char *what)
{
	if (!wanted(r, JSON_STRING, what))
		return SPAN_STR("");
	return span__zipkin_text(r->r.m, span__json_string(&r->j));
}

static bool flag(struct reader *r, const char *what)
{
	return wanted(r, JSON_BOOL, what) && span__json_bool(&r->j);
}

/* A whole number out of a text: what is behind the point is cut. */
static bool whole(struct span_str s, int64_t *v)
{
	double d;

	if (span__json_int_of(s, v))
		return true;
	if (!span__json_double_of(s, &d) || !(fabs(d) < 0x1p63))
		return false;
	*v = (int64_t)d;
	return true;
}

/* Where the next value begins. */
static const unsigned char *here(struct reader *r)
{
	(void)span__json_peek(&r->j);
	return r->r.m->in.p;
}

/* A number, or a text that holds one; true when there was one. */
static bool number(struct reader *r, int64_t *v, const char *what)
{
	const unsigned char *at = here(r);
	struct span_str s;

	if (span__json_peek(&r->j) == JSON_STRING)
		s = span__json_string(&r->j);
	else if (wanted(r, JSON_NUMBER, what))
		s = span__json_number(&r->j);
	else
		return false;
	if (whole(s, v))
		return true;
	span__zipkin_bad(&r->r, at, what);
	return false;
}

static void trace_id(struct reader *r)
{
	const char *what = "a trace id is not 1 to 32 hex digits";
	const unsigned char *at = here(r);
	struct span_str s;
	uint64_t id[2];

	if (!wanted(r, JSON_STRING, what))
		return;
	s = span__json_string(&r->j);
	if (span_trace_id_parse(s, (uint8_t *)id) < 0) {
		span__zipkin_bad(&r->r, at, what);
		return;
	}
	r->r.span.trace_id_high = be64toh(id[0]);
	r->r.span.trace_id = be64toh(id[1]);
}

/* An id that is "" is none: some clients write a root's parent so. */
static uint64_t span_id(struct reader *r, const char *what)
{
	const unsigned char *at = here(r);
	struct span_str s;
	uint64_t id;

	if (!wanted(r, JSON_STRING, what))
		return 0;
	s = span__json_string(&r->j);
	if (!s.len)
		return 0;
	if (span_id_parse(s, (uint8_t *)&id) < 0) {
		span__zipkin_bad(&r->r, at, what);
		return 0;
	}
	return be64toh(id);
}

/* Addresses stand where they like: clients mix up the two members. */
static void address(struct reader *r, struct span__zipkin_endpoint *e)
{
	struct span_str s = text(r, "an address is no text");
	char name[INET6_ADDRSTRLEN] = "", *v6;
	uint32_t v4;

	if (!s.len)
		return;
	if (s.len < sizeof(name) && !memchr(s.p, 0, s.len))
		memcpy(name, s.p, s.len);
	if (inet_pton(AF_INET, name, &v4) == 1) {
		e->ipv4 = (int32_t)be32toh(v4);
		return;
	}
	v6 = span__message_array(r->r.m, &r->r.m->d->arena, 16, 1);
	if (!v6)
		return;
	if (inet_pton(AF_INET6, name, v6) == 1) {
		e->has_ipv6 = true;
		e->ipv6 = (struct span_str){v6, 16};
	} else {
		e->odd_address =
			(struct span_value){.type = SPAN_STRING, .str = s};
	}
}

static void endpoint(struct reader *r, struct span__zipkin_endpoint *e)
{
	struct span_str key;

	if (!wanted(r, JSON_OBJECT, "an endpoint is no object"))
		return;
	*e = (struct span__zipkin_endpoint){.set = true, .service = {"", 0}};
	if (!span__json_object(&r->j))
		return;
	while (span__json_member(&r->j, &key)) {
		if (is(key, "serviceName"))
			e->service = text(r, "a service's name is no text");
		else if (is(key, "ipv4") || is(key, "ipv6"))
			address(r, e);
		else if (is(key, "port"))
			(void)number(r, &e->port, "a port is no number");
		else
			span__json_skip(&r->j);
	}
}

static void annotation(struct reader *r)
{
	struct span__zipkin_annotation a = {.value = {"", 0}};
	struct span_str key;

	if (!wanted(r, JSON_OBJECT, "an annotation is no object") ||
	    !span__json_object(&r->j))
		return;
	while (span__json_member(&r->j, &key)) {
		if (is(key, "timestamp"))
			(void)number(r, &a.us, "a timestamp is no number");
		else if (is(key, "value"))
			a.value = text(r, "an annotation's value is no text");
		else if (is(key, "endpoint"))
			endpoint(r, &a.host);
		else
			span__json_skip(&r->j);
	}
	if (a.value.len || a.us || a.host.set)
		span__zipkin_annotate(&r->r, &a);
}

static struct scalar scalar(struct reader *r)
{
	struct scalar s = {.type = span__json_peek(&r->j)};

	switch (s.type) {
	case JSON_STRING:
		s.text = span__json_string(&r->j);
		break;
	case JSON_NUMBER:
		s.text = span__json_number(&r->j);
		break;
	case JSON_BOOL:
		s.b = span__json_bool(&r->j);
		break;
	case JSON_NULL:
		(void)span__json_null(&r->j);
		break;
	default:
		s.text = span__json_raw(&r->j);
	}
	return s;
}

static bool has_point(struct span_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] == '.' || s.p[i] == 'e' || s.p[i] == 'E')
			return true;
	return false;
}

/* What JSON says that it is; objects and arrays are their text. */
static struct span_value plain(struct reader *r, const struct scalar *s)
{
	struct span_value v = {.type = SPAN_STRING, .str = {"", 0}};

	switch (s->type) {
	case JSON_BOOL:
		v.type = SPAN_BOOL;
		v.b = s->b;
		return v;
	case JSON_NUMBER:
		v.type = SPAN_INT;
		if (!has_point(s->text) && span__json_int_of(s->text, &v.i))
			return v;
		v.type = SPAN_DOUBLE;
		if (span__json_double_of(s->text, &v.d))
			return v;
		v.type = SPAN_STRING;
		break;
	default:
		break;
	}
	v.str = span__zipkin_text(r->r.m, s->text);
	return v;
}

static bool bytes(struct reader *r, struct span_str s, struct span_value *v)
{
	char *p = span__message_array(r->r.m, &r->r.m->d->arena,
				      SPAN_BASE64_ROOM(s.len), 1);

	if (!p || !span_text_from_base64(s, p, &v->str.len))
		return false;
	v->type = SPAN_BYTES;
	v->str.p = p;
	if (v->str.len > SPAN_MAX_STRING)
		span__message_cut(r->r.m, &v->str, false);
	return true;
}

static bool truth(const struct scalar *s, struct span_value *v)
{
	bool yes = s->type == JSON_STRING && is(s->text, "true");

	v->type = SPAN_BOOL;
	v->b = yes;
	return yes || (s->type == JSON_STRING && is(s->text, "false"));
}

/* A value of version 1 that is what its TYPE says, else what JSON says. */
static struct span_value typed(struct reader *r, const struct scalar *s,
			       struct span_str type)
{
	bool is_text = s->type == JSON_STRING;
	struct span_value v = {0};

	if (!is_text && s->type != JSON_NUMBER)
		return plain(r, s);
	if (is(type, "BOOL") && truth(s, &v))
		return v;
	if (is(type, "BYTES") && is_text && bytes(r, s->text, &v))
		return v;
	if (is(type, "I16") || is(type, "I32") || is(type, "I64")) {
		v.type = SPAN_INT;
		if (span__json_int_of(s->text, &v.i))
			return v;
	}
	if (is(type, "DOUBLE")) {
		v.type = SPAN_DOUBLE;
		if (span__json_double_of(s->text, &v.d))
			return v;
	}
	return plain(r, s);
}

static void binary(struct reader *r)
{
	struct span__zipkin_binary b = {.key = {"", 0}, .is_made = true};
	struct span_str key, type = SPAN_STR("");
	struct scalar value = {.type = JSON_NULL};
	bool has_key = false;

	if (!wanted(r, JSON_OBJECT, "a binary annotation is no object") ||
	    !span__json_object(&r->j))
		return;
	while (span__json_member(&r->j, &key)) {
		if (is(key, "key")) {
			b.key = text(r, "a key is no text");
			has_key = true;
		} else if (is(key, "value")) {
			value = scalar(r);
		} else if (is(key, "type")) {
			type = text(r, "a type is no text");
		} else if (is(key, "endpoint")) {
			endpoint(r, &b.host);
		} else {
			span__json_skip(&r->j);
		}
	}
	if (!has_key || r->r.m->in.failed)
		return;
	b.made = typed(r, &value, type);
	span__zipkin_add(&r->r, &b);
}

static void tags(struct reader *r)
{
	struct span__zipkin_binary b = {.is_made = true};

	if (!wanted(r, JSON_OBJECT, "tags are no object") ||
	    !span__json_object(&r->j))
		return;
	while (span__json_member(&r->j, &b.key)) {
		struct scalar value = scalar(r);

		if (value.type == JSON_NULL)
			continue;
		b.key = span__zipkin_text(r->r.m, b.key);
		b.made = plain(r, &value);
		span__zipkin_add(&r->r, &b);
	}
}

static void list(struct reader *r, void (*item)(struct reader *))
{
	if (!wanted(r, JSON_ARRAY, "annotations are no list") ||
	    !span__json_array(&r->j))
		return;
	while (span__json_item(&r->j))
		item(r);
}

/* A kind that is not known stays a tag. */
static uint8_t kind(struct reader *r)
{
	struct span__zipkin_binary b = {.key = SPAN_STR("span.kind"),
					.is_made = true};
	int k;

	b.made = (struct span_value){.type = SPAN_STRING,
				     .str = text(r, "a kind is no text")};
	k = span_kind_parse(b.made.str);
	if (k > 0)
		return (uint8_t)k;
	if (b.made.str.len)
		span__zipkin_add(&r->r, &b);
	return 0;
}

static void member(struct reader *r, struct span_str key)
{
	struct span__zipkin_span *z = &r->r.span;

	if (is(key, "traceId"))
		trace_id(r);
	else if (is(key, "id"))
		z->id = span_id(r, "an id is not 1 to 16 hex digits");
	else if (is(key, "parentId"))
		z->parent_id =
			span_id(r, "a parent's id is not 1 to 16 hex digits");
	else if (is(key, "name"))
		z->name = text(r, "a name is no text");
	else if (is(key, "timestamp"))
		z->has_start =
			number(r, &z->start_us, "a timestamp is no number");
	else if (is(key, "duration"))
		z->has_duration =
			number(r, &z->duration_us, "a duration is no number");
	else if (is(key, "kind"))
		z->kind = kind(r);
	else if (is(key, "tags"))
		tags(r);
	else if (is(key, "annotations"))
		list(r, annotation);
	else if (is(key, "binaryAnnotations"))
		list(r, binary);
	else if (is(key, "localEndpoint"))
		endpoint(r, &z->local);
	else if (is(key, "remoteEndpoint"))
		endpoint(r, &z->remote);
	else if (is(key, "debug"))
		z->debug = flag(r, "debug is not true or false");
	else if (is(key, "shared"))
		z->shared = flag(r, "shared is not true or false");
	else
		span__json_skip(&r->j);
}

static void one_span(struct reader *r)
{
	const unsigned char *at = here(r);
	struct span_str key;

	span__zipkin_begin(&r->r);
	if (span__json_peek(&r->j) != JSON_OBJECT) {
		span__zipkin_bad(&r->r, at, "a span is no object");
		span__json_skip(&r->j);
	} else if (span__json_object(&r->j)) {
		while (span__json_member(&r->j, &key))
			member(r, key);
	}
	span__zipkin_end(&r->r, at);
}

void span__zipkin_read_json(struct span__message *m)
{
	struct reader r = {.r.m = m};

	span__json_init(&r.j, &m->in, &m->d->arena);
	if (span__json_peek(&r.j) == JSON_OBJECT) {
		one_span(&r);
	} else if (span__json_array(&r.j)) {
		while (span__json_item(&r.j))
			one_span(&r);
	}
	span__json_end(&r.j);
	span__zipkin_release(&r.r);
}
