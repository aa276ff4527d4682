/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plant-secret.h - secrets of each kind, and how to put one into every place of
 * a span that has texts
 */
#ifndef PLANT_SECRET_H
#define PLANT_SECRET_H

#include "random-span.h"

/* WANT is what TEXT becomes; NEEDLE is nowhere then. */
static const struct secret {
	const char *text, *want, *needle;
} secrets[] = {
	{"card 4111 1111 1111 1111.", "card [card].", "1111"},
	{"to jo.e@mail.example.org!", "to [email]!", "jo.e"},
	{"at 10.11.12.13;", "at [ip];", "11.12"},
	{"v6 2001:db8::17,", "v6 [ip],", "db8"},
	{"Bearer s3cr3t.TOKEN-abc", "Bearer [token]", "s3cr3t"},
	{"jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "jwt [token]", "eyJ"},
	{"pwd=hushhush&a", "pwd=[secret]&a", "hushhush"},
	{"{\"api_key\": \"hush hush\"}", "{\"api_key\": \"[secret]\"}",
	 "hush hush"},
	{"<ns:apiKey>hush hush</ns:apiKey>", "<ns:apiKey>[secret]</ns:apiKey>",
	 "hush hush"},
	{"<db user='a' pwd='hush hush'/>", "<db user='a' pwd='[secret]'/>",
	 "hush hush"},
	{"Authorization: Basic eDp5", "Authorization: [secret] [token]",
	 "eDp5"},
	{"Cookie: a=b; sid=hushhush", "Cookie: [secret]", "hushhush"},
	{"SELECT a FROM t WHERE b='hush hush'", "SELECT a FROM t WHERE b=?",
	 "hush hush"},
	{"/find?q=hushhush#top", "/find?q=[query]#top", "hushhush"},
	{"https://me:hushhush@host/x", "https://[query]@host/x", "hushhush"},
	{"id 987654321098 end", "id [digits] end", "987654321098"},
};
#define N_SECRETS (sizeof(secrets) / sizeof(*secrets))

enum place {
	IN_NAME,
	IN_STATUS,
	IN_STATE,
	IN_SERVICE,
	IN_PROCESS_SCHEMA,
	IN_PROCESS_VALUE,
	IN_PROCESS_KEY,
	IN_SCOPE_NAME,
	IN_SCOPE_VERSION,
	IN_SCOPE_SCHEMA,
	IN_SCOPE_VALUE,
	IN_SCOPE_KEY,
	IN_VALUE,
	IN_BYTES,
	IN_KEY,
	IN_ARRAY,
	IN_MAP,
	IN_MAP_KEY,
	IN_DEEP,
	IN_EVENT_NAME,
	IN_EVENT_VALUE,
	IN_EVENT_KEY,
	IN_LINK_STATE,
	IN_LINK_VALUE,
	IN_LINK_KEY,
	N_PLACES,
};

/* Default rules leave these: versions look like addresses, states have ids. */
static inline bool stays(enum place place, const struct secret *secret)
{
	return (place == IN_SCOPE_VERSION && strstr(secret->want, "[ip]")) ||
	       ((place == IN_STATE || place == IN_LINK_STATE) &&
		strstr(secret->want, "[digits]"));
}

/* A copy of N elements of SIZE with one more at the end, of zeros. */
static inline void *with_one_more(struct rnd *r, const void *v, size_t n,
				  size_t size)
{
	char *copy = rnd_alloc(r, (n + 1) * size);

	if (n)
		memcpy(copy, v, n * size);
	memset(copy + n * size, 0, size);
	return copy;
}

static inline void add_attr(struct rnd *r, struct span_attrs *a,
			    struct span_str key, struct span_value value)
{
	struct span_attr *v;

	a->n = a->n < SPAN_MAX_ATTRS ? a->n : SPAN_MAX_ATTRS - 1;
	v = with_one_more(r, a->v, a->n, sizeof(*v));
	v[a->n].key = key;
	v[a->n].value = value;
	a->v = v;
	a->n++;
}

static inline struct span_value text_value(struct span_str text)
{
	return (struct span_value){SPAN_STRING, {.str = text}};
}

static inline struct span_value in_array(struct rnd *r, struct span_value v)
{
	struct span_value *items = rnd_alloc(r, 2 * sizeof(*items));

	items[0] = (struct span_value){SPAN_INT, {.i = 7}};
	items[1] = v;
	return (struct span_value){SPAN_ARRAY, {.array = {items, 2}}};
}

static inline struct span_value in_map(struct rnd *r, struct span_str key,
				       struct span_value v)
{
	struct span_attr *pairs = rnd_alloc(r, sizeof(*pairs));

	pairs[0] = (struct span_attr){key, v};
	return (struct span_value){SPAN_MAP, {.map = {pairs, 1}}};
}

static inline void plant_value(struct rnd *r, enum place place,
			       struct span_str text, struct span_attrs *a)
{
	const struct span_str note = SPAN_STR("note");
	const struct span_value one = {SPAN_INT, {.i = 1}};
	struct span_value v = text_value(text);

	switch (place) {
	case IN_BYTES:
		v.type = SPAN_BYTES;
		break;
	case IN_KEY:
	case IN_PROCESS_KEY:
	case IN_SCOPE_KEY:
	case IN_EVENT_KEY:
	case IN_LINK_KEY:
		add_attr(r, a, text, one);
		return;
	case IN_ARRAY:
		v = in_array(r, v);
		break;
	case IN_MAP:
		v = in_map(r, note, v);
		break;
	case IN_MAP_KEY:
		v = in_map(r, text, one);
		break;
	case IN_DEEP:
		v = in_array(r, in_map(r, note, in_array(r, v)));
		break;
	default:
		break;
	}
	add_attr(r, a, note, v);
}

static inline void plant_in_scope(struct rnd *r, enum place place,
				  struct span_str text, struct span *s)
{
	struct span_scope *scope = rnd_alloc(r, sizeof(*scope));

	*scope = s->scope ? *s->scope : (struct span_scope){0};
	if (place == IN_SCOPE_NAME)
		scope->name = text;
	else if (place == IN_SCOPE_VERSION)
		scope->version = text;
	else if (place == IN_SCOPE_SCHEMA)
		scope->schema_url = text;
	else
		plant_value(r, place, text, &scope->attrs);
	s->scope = scope;
}

static inline void plant_in_process(struct rnd *r, enum place place,
				    struct span_str text, struct span *s)
{
	struct span_process *process = rnd_alloc(r, sizeof(*process));

	*process = *s->process;
	process->serial = 0;
	if (place == IN_SERVICE)
		process->service = text;
	else if (place == IN_PROCESS_SCHEMA)
		process->schema_url = text;
	else
		plant_value(r, place, text, &process->attrs);
	s->process = process;
}

static inline void plant_in_event(struct rnd *r, enum place place,
				  struct span_str text, struct span *s)
{
	struct span_event *events =
		with_one_more(r, s->events, s->n_events, sizeof(*events));
	struct span_event *event = &events[s->n_events++];

	if (place == IN_EVENT_NAME)
		event->name = text;
	else
		plant_value(r, place, text, &event->attrs);
	s->events = events;
}

static inline void plant_in_link(struct rnd *r, enum place place,
				 struct span_str text, struct span *s)
{
	struct span_ref *refs =
		with_one_more(r, s->refs, s->n_refs, sizeof(*refs));
	struct span_ref *ref = &refs[s->n_refs++];

	ref->type = SPAN_REF_LINK;
	ref->span_id[0] = 1;
	if (place == IN_LINK_STATE)
		ref->trace_state = text;
	else
		plant_value(r, place, text, &ref->attrs);
	s->refs = refs;
}

static inline struct span plant(struct rnd *r, const struct span *in,
				enum place place, const char *what)
{
	struct span_str text = span_str(what);
	struct span s = *in;

	if (place == IN_NAME)
		s.name = text;
	else if (place == IN_STATUS)
		s.status_message = text;
	else if (place == IN_STATE)
		s.trace_state = text;
	else if (place <= IN_PROCESS_KEY)
		plant_in_process(r, place, text, &s);
	else if (place <= IN_SCOPE_KEY)
		plant_in_scope(r, place, text, &s);
	else if (place <= IN_DEEP)
		plant_value(r, place, text, &s.attrs);
	else if (place <= IN_EVENT_KEY)
		plant_in_event(r, place, text, &s);
	else
		plant_in_link(r, place, text, &s);
	return s;
}

#endif
