/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traceql-model.h - random TraceQL, and what it means
 *
 * An expression is made as a tree and written as text; the tree is evaluated
 * as traceql(7) says, in the plainest way: values of a field in a list, a set
 * of spans as bits, relations by looking at every pair. Nothing is shared with
 * the library but the assembled trace. Traces have at most 64 spans.
 */
#ifndef TRACEQL_MODEL_H
#define TRACEQL_MODEL_H

#include <span/text.h>
#include <span/trace.h>

#include <math.h>
#include <regex.h>
#include <stdio.h>

#include "random-span.h"

#define TM_VALUES 64

enum tm_type {
	TM_NIL,
	TM_INT,
	TM_DOUBLE,
	TM_TEXT,
	TM_BOOL,
	TM_STATUS,
	TM_KIND
};

struct tm_value {
	enum tm_type type;
	int64_t i; /* also a bool, a status, a kind */
	double d;
	char text[80];
};

struct tm_list {
	struct tm_value v[TM_VALUES];
	size_t n;
};

/* ---- Fields ---- */

static const char *const tm_fields[] = {
	"name",
	"service",
	"status",
	"statusMessage",
	"duration",
	"kind",
	"span:id",
	"span:parentID",
	"trace:id",
	"event:name",
	"event:timeSinceStart",
	"link:spanID",
	"instrumentation:name",
	"span:childCount",
	"trace:duration",
	"rootName",
	"trace:rootService",
	"nestedSetParent",
	"parent", /* in this order up to here */
	".user",
	"span.user",
	"resource.user",
	"event.user",
	"link.user",
	"instrumentation.user",
	"parent.user",
	"parent.resource.user",
	".http.status_code",
	"span.http.status_code",
	".\"a b\"",
	"parent.span.http.status_code",
	".error",
};
#define TM_N_FIELDS (sizeof(tm_fields) / sizeof(*tm_fields))
#define TM_FIRST_ATTR 19

static inline void tm_text(struct tm_list *l, struct span_str s)
{
	struct tm_value *v = &l->v[l->n++];

	v->type = TM_TEXT;
	snprintf(v->text, sizeof(v->text), "%.*s", (int)s.len, s.p ? s.p : "");
}

static inline void tm_number(struct tm_list *l, enum tm_type type, int64_t i)
{
	l->v[l->n].type = type;
	l->v[l->n++].i = i;
}

static inline void tm_any(struct tm_list *l, const struct span_value *v)
{
	struct span_buf b = {0};

	switch (v->type) {
	case SPAN_NULL:
		return;
	case SPAN_INT:
		tm_number(l, TM_INT, v->i);
		return;
	case SPAN_BOOL:
		tm_number(l, TM_BOOL, v->b);
		return;
	case SPAN_DOUBLE:
		l->v[l->n].type = TM_DOUBLE;
		l->v[l->n++].d = v->d;
		return;
	default:
		span_text_value(&b, v);
		tm_text(l, (struct span_str){b.p, b.len});
		span_buf_release(&b);
	}
}

static inline void tm_attrs(struct tm_list *l, const struct span_attrs *a,
			    const char *key)
{
	for (size_t i = 0; i < a->n; i++)
		if (span_str_equal(a->v[i].key, span_str(key)))
			tm_any(l, &a->v[i].value);
}

static inline bool tm_is_link(const struct span *s, const struct span_ref *r)
{
	bool same = !memcmp(r->trace_id, s->trace_id, 16);

	return !(same && !memcmp(r->span_id, s->parent_id, 8));
}

static inline void tm_scoped(struct tm_list *l, const struct span *s,
			     const char *scope, size_t len, const char *key)
{
	if (!strncmp(scope, "span", len)) {
		tm_attrs(l, &s->attrs, key);
		if (!len && !l->n)
			tm_attrs(l, &s->process->attrs, key);
	} else if (!strncmp(scope, "resource", len)) {
		tm_attrs(l, &s->process->attrs, key);
	} else if (!strncmp(scope, "event", len)) {
		for (size_t i = 0; i < s->n_events; i++)
			tm_attrs(l, &s->events[i].attrs, key);
	} else if (!strncmp(scope, "link", len)) {
		for (size_t i = 0; i < s->n_refs; i++)
			if (tm_is_link(s, &s->refs[i]))
				tm_attrs(l, &s->refs[i].attrs, key);
	} else if (s->scope) {
		tm_attrs(l, &s->scope->attrs, key);
	}
}

static inline void tm_attribute(struct tm_list *l, const struct span_trace *t,
				size_t at, const char *text)
{
	const char *dot = strchr(text, '.');
	char key[40];
	size_t n = 0;

	if (!strncmp(text, "parent.", 7)) {
		if (t->nodes[at].parent == SPAN_TRACE_NONE)
			return;
		at = t->nodes[at].parent;
		text += 7;
		dot = strchr(text, '.');
		/* parent.user has no scope behind it. */
		if (!dot) {
			tm_scoped(l, &t->spans[at], "", 0, text);
			return;
		}
	}
	for (const char *p = dot + 1; *p; p++)
		if (*p != '"')
			key[n++] = *p;
	key[n] = 0;
	tm_scoped(l, &t->spans[at], text, (size_t)(dot - text), key);
}

static inline void tm_events_and_links(struct tm_list *l, const struct span *s,
				       size_t f)
{
	char id[SPAN_ID_TEXT];

	for (size_t i = 0; i < s->n_events && f != 11; i++) {
		if (f == 10)
			tm_number(
				l, TM_INT,
				(int64_t)(s->events[i].time_ns - s->start_ns));
		else if (span_event_name(&s->events[i]).len)
			tm_text(l, span_event_name(&s->events[i]));
	}
	for (size_t i = 0; i < s->n_refs && f == 11; i++)
		if (tm_is_link(s, &s->refs[i]))
			tm_text(l,
				span_str(span_id_text(s->refs[i].span_id, id)));
}

/* The left numbers of a walk, by counting who begins before. */
static inline int64_t tm_left(const struct span_trace *t, uint32_t at)
{
	int64_t n = 0, depth = t->nodes[at].depth;

	for (size_t i = 0; t->order[i] != at; i++)
		n += 2;
	return n + 1 - depth;
}

static inline void tm_field(struct tm_list *l, const struct span_trace *t,
			    size_t at, size_t f)
{
	static const uint8_t none[8];
	const struct span *s = &t->spans[at];
	const struct span *root = &t->spans[t->root];
	uint32_t parent = t->nodes[at].parent;
	char id[SPAN_TRACE_ID_TEXT];
	int64_t n = 0;

	l->n = 0;
	switch (f) {
	case 0:
		tm_text(l, s->name);
		break;
	case 1:
		tm_text(l, s->process->service);
		break;
	case 2:
		tm_number(l, TM_STATUS, span_is_error(s) ? 2 : s->status);
		break;
	case 3:
		tm_text(l, s->status_message);
		break;
	case 4:
		tm_number(l, TM_INT, (int64_t)s->duration_ns);
		break;
	case 5:
		tm_number(l, TM_KIND, s->kind);
		break;
	case 6:
		tm_text(l, span_str(span_id_text(s->span_id, id)));
		break;
	case 7:
		if (memcmp(s->parent_id, none, 8) != 0)
			tm_text(l, span_str(span_id_text(s->parent_id, id)));
		break;
	case 8:
		tm_text(l, span_str(span_trace_id_text(s->trace_id, id)));
		break;
	case 9:
	case 10:
	case 11:
		tm_events_and_links(l, s, f);
		break;
	case 12:
		if (s->scope && s->scope->name.len)
			tm_text(l, s->scope->name);
		break;
	case 13:
		for (size_t i = 0; i < t->n; i++)
			n += t->nodes[i].parent == at;
		tm_number(l, TM_INT, n);
		break;
	case 14:
		tm_number(l, TM_INT, (int64_t)(t->end_ns - t->start_ns));
		break;
	case 15:
		tm_text(l, root->name);
		break;
	case 16:
		tm_text(l, root->process->service);
		break;
	case 17:
		tm_number(l, TM_INT,
			  parent != SPAN_TRACE_NONE ? tm_left(t, parent)
			  : span_is_root(s)	    ? -1
						    : 0);
		break;
	case 18:
		if (parent != SPAN_TRACE_NONE)
			tm_number(l, TM_INT, 1);
		break;
	default:
		tm_attribute(l, t, at, tm_fields[f]);
	}
}

/* ---- Comparing ---- */

/* The number that a text is written as. */
static inline bool tm_as_number(const struct tm_value *v, long double *out)
{
	struct span_value parsed = {.type = SPAN_DOUBLE};
	struct span_buf b = {0};
	char *end;
	bool same;

	*out = v->type == TM_DOUBLE ? (long double)v->d : (long double)v->i;
	if (v->type == TM_INT || v->type == TM_DOUBLE)
		return true;
	if (v->type != TM_TEXT || !strpbrk(v->text, "0123456789"))
		return false;
	parsed.d = strtod(v->text, &end);
	*out = parsed.d;
	span_text_value(&b, &parsed);
	same = !*end &&
	       span_str_equal((struct span_str){b.p, b.len}, span_str(v->text));
	span_buf_release(&b);
	return same;
}

static inline const char *tm_name(const struct tm_value *v)
{
	if (v->type == TM_BOOL)
		return v->i ? "true" : "false";
	if (v->type == TM_STATUS)
		return span_status_name((int)v->i);
	return v->i ? span_kind_name((int)v->i) : "unspecified";
}

/* -1, 0, 1; 2: different, 3: in no order */
static inline int tm_compare(const struct tm_value *a, const struct tm_value *b)
{
	bool names = a->type >= TM_BOOL || b->type >= TM_BOOL;
	long double x, y;
	int c;

	if (a->type == TM_TEXT && b->type == TM_TEXT) {
		c = strcmp(a->text, b->text);
		return (c > 0) - (c < 0);
	}
	if (!names)
		return tm_as_number(a, &x) && tm_as_number(b, &y)
			       ? (x > y) - (x < y)
			       : 3;
	if (a->type == b->type)
		return a->i == b->i ? 0 : 3;
	if (a->type == TM_TEXT)
		return strcmp(a->text, tm_name(b)) ? 3 : 0;
	if (b->type == TM_TEXT)
		return strcmp(b->text, tm_name(a)) ? 3 : 0;
	return 3;
}

static inline bool tm_holds(const char *op, int c)
{
	if (!strcmp(op, "="))
		return c == 0;
	if (!strcmp(op, "!="))
		return c != 0;
	if (op[0] == '<')
		return c == -1 || (op[1] && c == 0);
	return c == 1 || (op[1] && c == 0);
}

static inline bool tm_matches(const char *pattern, const struct tm_value *v)
{
	char whole[100], text[100];
	struct span_value d = {.type = SPAN_DOUBLE, .d = v->d};
	struct span_buf b = {0};
	regex_t re;
	bool match;

	snprintf(whole, sizeof(whole), "^(%s)$", pattern);
	if (v->type == TM_INT)
		snprintf(text, sizeof(text), "%lld", (long long)v->i);
	else if (v->type == TM_TEXT)
		snprintf(text, sizeof(text), "%s", v->text);
	else if (v->type == TM_DOUBLE) {
		span_text_value(&b, &d);
		snprintf(text, sizeof(text), "%.*s", (int)b.len, b.p);
		span_buf_release(&b);
	} else
		snprintf(text, sizeof(text), "%s", tm_name(v));
	if (regcomp(&re, whole, REG_EXTENDED | REG_NOSUB))
		abort();
	match = !regexec(&re, text, 0, NULL, 0);
	regfree(&re);
	return match;
}

#endif
