/* SPDX-License-Identifier: Apache-2.0 */
/* Zipkin's binary annotations, tags and endpoints to our attributes. */
#include "codec/zipkin.h"

#include <stdio.h>

#include "base/banned.h"

/* Tags that an endpoint makes. */
#define ENDPOINT_TAGS 5u

struct attr_list {
	struct span_attr *v;
	size_t n, max;
};

static void push(struct span__message *m, struct attr_list *list,
		 struct span_str key, struct span_value value)
{
	if (list->n == list->max)
		m->marks |= SPAN_MARK_CUT;
	else
		list->v[list->n++] = (struct span_attr){key, value};
}

/* Room for MAX attributes, or for SPAN_MAX_ATTRS. */
static bool list_open(struct span__message *m, struct attr_list *list,
		      size_t max)
{
	if (max > SPAN_MAX_ATTRS)
		max = SPAN_MAX_ATTRS;
	*list = (struct attr_list){.max = max};
	list->v = span__message_array(m, &m->d->arena, max, sizeof(*list->v));
	return list->v;
}

static struct span_value text_value(struct span_str s)
{
	return (struct span_value){.type = SPAN_STRING, .str = s};
}

static struct span_value int_value(int64_t i)
{
	return (struct span_value){.type = SPAN_INT, .i = i};
}

static uint64_t big_endian(struct span_str s, size_t len)
{
	uint64_t v = 0;

	for (size_t i = 0; i < len; i++)
		v = v << 8 | (unsigned char)s.p[i];
	return v;
}

static struct span_value number_value(int type, struct span_str s)
{
	struct span_value v = {.type = SPAN_DOUBLE};
	uint64_t bits;

	switch (type) {
	case ZIPKIN_I16:
		return int_value((int16_t)big_endian(s, 2));
	case ZIPKIN_I32:
		return int_value((int32_t)big_endian(s, 4));
	case ZIPKIN_I64:
		return int_value((int64_t)big_endian(s, 8));
	default:
		bits = big_endian(s, 8);
		memcpy(&v.d, &bits, sizeof(v.d));
		return v;
	}
}

static struct span_value value_of(struct span__message *m,
				  const struct span__zipkin_binary *b)
{
	static const size_t sizes[] = {
		[ZIPKIN_I16] = 2,
		[ZIPKIN_I32] = 4,
		[ZIPKIN_I64] = 8,
		[ZIPKIN_DOUBLE] = 8,
	};
	struct span_value v = {.type = SPAN_BYTES, .str = b->value};

	if (b->is_made)
		return b->made;
	switch (b->type) {
	case ZIPKIN_BOOL:
		v.type = SPAN_BOOL;
		v.b = b->value.len == 1 && b->value.p[0] == 1;
		return v;
	case ZIPKIN_I16:
	case ZIPKIN_I32:
	case ZIPKIN_I64:
	case ZIPKIN_DOUBLE:
		if (b->value.len >= sizes[b->type])
			return number_value(b->type, b->value);
		break;
	case ZIPKIN_STRING:
		v.type = SPAN_STRING;
		break;
	}
	if (v.str.len > SPAN_MAX_STRING)
		span__message_cut(m, &v.str, v.type == SPAN_STRING);
	return v;
}

/* The other side, of "sa", "ca" and "ma". */
static void push_peer(struct span__message *m, struct attr_list *list,
		      const struct span__zipkin_endpoint *e)
{
	if (!e->set)
		return;
	push(m, list, SPAN_STR("peer.service"), text_value(e->service));
	if (e->ipv4)
		push(m, list, SPAN_STR("peer.ipv4"),
		     int_value((uint32_t)e->ipv4));
	if (e->has_ipv6)
		push(m, list, SPAN_STR("peer.ipv6"),
		     (struct span_value){.type = SPAN_BYTES, .str = e->ipv6});
	if (e->odd_address.type)
		push(m, list, SPAN_STR("peer.ipv4"), e->odd_address);
	if (e->port)
		push(m, list, SPAN_STR("peer.port"), int_value(e->port));
}

/* This side: Jaeger keeps its IPv4 address only. */
static void push_local(struct span__message *m, struct attr_list *list,
		       const struct span__zipkin_endpoint *e)
{
	if (e->ipv4)
		push(m, list, SPAN_STR("ip"), int_value(e->ipv4));
	if (e->has_ipv6)
		push(m, list, SPAN_STR("ipv6"),
		     (struct span_value){.type = SPAN_BYTES, .str = e->ipv6});
	if (e->odd_address.type)
		push(m, list, SPAN_STR("ip"), e->odd_address);
	if (e->port)
		push(m, list, SPAN_STR("port"), int_value(e->port));
}

/* What says something of the process; its key there, or an empty string. */
static struct span_str process_key(struct span_str key)
{
	if (span_str_equal(key, SPAN_STR("jaegerClient")) ||
	    span_str_equal(key, SPAN_STR("jaeger.version")))
		return SPAN_STR("jaeger.version");
	if (span_str_equal(key, SPAN_STR("jaeger.hostname")))
		return SPAN_STR("hostname");
	return SPAN_STR("");
}

static bool is_address(struct span_str key)
{
	return key.len == 2 && key.p[1] == 'a' &&
	       (key.p[0] == 's' || key.p[0] == 'c' || key.p[0] == 'm');
}

static bool has_service(const struct span__zipkin_endpoint *e)
{
	return e->set && e->service.len;
}

/*
 * Who sent the span: the host of its first core annotation, of "lc", of any
 * annotation, of any binary annotation; NULL when nobody says.
 */
static const struct span__zipkin_endpoint *
local_endpoint(const struct span__zipkin_span *z)
{
	if (z->local.set)
		return &z->local;
	for (size_t i = 0; i < z->n_annotations; i++) {
		if (span__zipkin_side(z->annotations[i].value) &&
		    has_service(&z->annotations[i].host))
			return &z->annotations[i].host;
	}
	for (size_t i = 0; i < z->n_binaries; i++) {
		if (span_str_equal(z->binaries[i].key, SPAN_STR("lc")) &&
		    has_service(&z->binaries[i].host))
			return &z->binaries[i].host;
	}
	for (size_t i = 0; i < z->n_annotations; i++) {
		if (has_service(&z->annotations[i].host))
			return &z->annotations[i].host;
	}
	for (size_t i = 0; i < z->n_binaries; i++) {
		if (has_service(&z->binaries[i].host))
			return &z->binaries[i].host;
	}
	return NULL;
}

/* How many of the binary annotations are of the process, or are addresses. */
static void count_kinds(const struct span__zipkin_span *z, size_t *process,
			size_t *addresses)
{
	*process = *addresses = 0;
	for (size_t i = 0; i < z->n_binaries; i++) {
		*process += process_key(z->binaries[i].key).len != 0;
		*addresses += is_address(z->binaries[i].key);
	}
}

/* "lc" with no text only says who sent the span. */
static void push_component(struct span__message *m, struct attr_list *list,
			   const struct span__zipkin_binary *b)
{
	const struct span_value v = b->is_made ? b->made : text_value(b->value);

	if (v.type != SPAN_STRING || v.str.len)
		push(m, list, SPAN_STR("component"), v);
}

static void push_binary(struct span__message *m, struct attr_list *list,
			const struct span__zipkin_binary *b)
{
	if (process_key(b->key).len)
		return;
	if (is_address(b->key) && (b->host.set || !b->is_made))
		push_peer(m, list, &b->host);
	else if (span_str_equal(b->key, SPAN_STR("lc")))
		push_component(m, list, b);
	else
		push(m, list, b->key, value_of(m, b));
}

/* What Jaeger's collector says of a span that it had to mend. */
static void push_errors(struct span__message *m,
			const struct span__zipkin_span *z,
			struct attr_list *list)
{
	size_t room = sizeof("-9223372036854775808");
	char *text;

	if (z->zero_parent)
		push(m, list, SPAN_STR("errZeroParentID"),
		     text_value(SPAN_STR("0")));
	if (z->duration_us >= 0)
		return;
	m->marks |= SPAN_MARK_CLAMPED;
	text = span__message_array(m, &m->d->arena, room, 1);
	if (!text)
		return;
	snprintf(text, room, "%lld", (long long)z->duration_us);
	push(m, list, SPAN_STR("errNegativeDuration"),
	     text_value(span_str(text)));
}

void span__zipkin_tags(struct span__message *m,
		       const struct span__zipkin_span *z, int kind,
		       struct span_attrs *out)
{
	struct attr_list list;
	size_t process, addresses;

	count_kinds(z, &process, &addresses);
	addresses += z->remote.set;
	if (!list_open(m, &list,
		       z->n_binaries - process + addresses * ENDPOINT_TAGS + 4))
		return;
	for (size_t i = 0; i < z->n_binaries; i++)
		push_binary(m, &list, &z->binaries[i]);
	push_errors(m, z, &list);
	push_peer(m, &list, &z->remote);
	if (kind)
		push(m, &list, SPAN_STR("span.kind"),
		     text_value(span_str(span_kind_name(kind))));
	if (z->shared)
		push(m, &list, SPAN__KEY_SHARED,
		     (struct span_value){.type = SPAN_BOOL, .b = true});
	*out = (struct span_attrs){.v = list.v, .n = list.n};
}

void span__zipkin_process(struct span__message *m,
			  const struct span__zipkin_span *z,
			  struct span_process *p)
{
	const struct span__zipkin_endpoint *local = local_endpoint(z);
	struct attr_list list;
	size_t process, addresses;

	*p = (struct span_process){.service = SPAN_STR("unknown-service-name")};
	if (local && local->service.len)
		p->service = local->service;
	else
		m->marks |= SPAN_MARK_RENAMED;
	count_kinds(z, &process, &addresses);
	if (!list_open(m, &list, process + (local ? ENDPOINT_TAGS : 0)))
		return;
	for (size_t i = 0; process && i < z->n_binaries; i++) {
		struct span_str key = process_key(z->binaries[i].key);

		if (key.len)
			push(m, &list, key, value_of(m, &z->binaries[i]));
	}
	if (local)
		push_local(m, &list, local);
	p->attrs = (struct span_attrs){.v = list.v, .n = list.n};
	span__message_process(m, p, &m->d->arena);
}
