/* SPDX-License-Identifier: Apache-2.0 */
#include <span/text.h>

#include <string.h>

#include "trace/clock_skew.h"
#include "trace/finder.h"

#include "base/banned.h"

#define NONE SPAN_TRACE_NONE

static struct span_str first_text(const struct span_attrs *a,
				  const char *const *keys)
{
	for (; *keys; keys++) {
		const struct span_value *v = span_attr_get(a, span_str(*keys));

		if (v && v->type == SPAN_STRING && v->str.len)
			return v->str;
	}
	return SPAN_STR("");
}

struct span_str span__failure_message(const struct span *s)
{
	static const char *const of_event[] = {
		"exception.message", "message",	   "error.object",
		"exception.type",    "error.kind", NULL};
	static const char *const of_span[] = {"error.message", "error.type",
					      NULL};
	struct span_str text = s->status_message;

	for (size_t i = 0; i < s->n_events && !text.len; i++)
		text = first_text(&s->events[i].attrs, of_event);
	return text.len ? text : first_text(&s->attrs, of_span);
}

/* The number of the response to S, or NULL. */
static const struct span_value *response(const struct span *s,
					 const char **protocol)
{
	static const struct {
		const char *key, *protocol;
	} keys[] = {
		{"http.response.status_code", "HTTP"},
		{"http.status_code", "HTTP"},
		{"rpc.grpc.status_code", "gRPC"},
	};
	const struct span_value *v = NULL;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys) && !v; i++) {
		v = span_attr_get(&s->attrs, span_str(keys[i].key));
		*protocol = keys[i].protocol;
	}
	return v;
}

/* Is CODE, as text, one of a failure: of HTTP 400 and more, of gRPC not 0? */
static bool is_failure(const char *protocol, struct span_str code)
{
	if (*protocol == 'g')
		return code.len <= 2 && !span_str_equal(code, SPAN_STR("0"));
	return code.len == 3 && code.p[0] >= '4' && code.p[0] <= '9';
}

static void put_response(struct span_buf *b, const struct span *s)
{
	const char *protocol;
	const struct span_value *v = response(s, &protocol);
	size_t from = b->len, code;

	if (!v)
		return;
	span_buf_printf(b, "%s ", protocol);
	code = b->len;
	span_text_value(b, v);
	if (b->failed ||
	    !is_failure(protocol,
			(struct span_str){b->p + code, b->len - code}))
		b->len = from;
}

void span__failure_put(struct span_buf *b, const struct span *s, bool template)
{
	struct span_str text = span__failure_message(s);
	size_t from = b->len;

	put_response(b, s);
	if (text.len && b->len > from)
		span_buf_puts(b, ": ");
	if (template)
		span_template_put(b, text);
	else
		span_buf_str(b, text);
}

/* Could what fails below span I be why what is above it fails? */
static bool passes_on(const struct span_trace *t, uint32_t i)
{
	return span_trace_blocks(t, i) &&
	       (span_is_error(&t->spans[i]) ||
		t->spans[i].status != SPAN_STATUS_OK);
}

/* Parents come before their children in the order of the tree. */
void span__mark_failing_below(const struct span_trace *t, uint8_t *below)
{
	memset(below, 0, t->n);
	for (size_t k = t->n; k--;) {
		uint32_t i = t->order[k];

		if ((below[i] || span_is_error(&t->spans[i])) &&
		    passes_on(t, i))
			below[t->nodes[i].parent] = 1;
	}
}

/* DEPTHS: how many failing spans are above one for which it could be why. */
static void count_above(struct span__finder *w)
{
	const struct span_trace *t = w->t;

	for (size_t k = 0; k < t->n; k++) {
		uint32_t i = t->order[k], parent = t->nodes[i].parent;

		w->depths[i] = 0;
		if (parent != NONE && passes_on(t, i))
			w->depths[i] = w->depths[parent] +
				       span_is_error(&t->spans[parent]);
	}
}

static uint64_t error_hash(struct span__finder *w, const struct span *s)
{
	uint64_t of[4] = {span__hash_str(&w->key, s->process->service), s->kind,
			  0, 0};

	w->text.len = 0;
	span_template_put(&w->text, s->name);
	of[2] = span__hash(&w->key, w->text.p, w->text.len);
	w->text.len = 0;
	span__failure_put(&w->text, s, true);
	of[3] = span__hash(&w->key, w->text.p, w->text.len);
	return span__hash(&w->key, of, sizeof(of));
}

static bool found_error(struct span__finder *w, const struct span__item *v,
			size_t n)
{
	struct span_finding *f = span__found(w, SPAN_FINDING_ERROR, v[0].i);

	if (!f)
		return false;
	for (size_t k = 0; k < n; k++) {
		uint64_t ns = w->t->spans[v[k].i].duration_ns;

		span__found_span(f, v[k].i);
		f->ns = ns > UINT64_MAX - f->ns ? UINT64_MAX : f->ns + ns;
	}
	f->failed = f->count;
	f->depth = w->depths[v[0].i];
	w->text.len = 0;
	span__failure_put(&w->text, &w->t->spans[v[0].i], false);
	return span__found_text(w, f, NULL);
}

/* FN for each run of equal keys among N items. */
static bool each_group(struct span__finder *w, size_t n,
		       bool (*fn)(struct span__finder *w,
				  const struct span__item *v, size_t n))
{
	span__sort(w->items, w->tmp, n, NULL, NULL);
	for (size_t from = 0, k = 1; k <= n; k++) {
		if (k < n && w->items[k].key == w->items[from].key)
			continue;
		if (!fn(w, w->items + from, k - from))
			return false;
		from = k;
	}
	return true;
}

bool span__find_errors(struct span__finder *w)
{
	uint8_t *below = (uint8_t *)w->numbers;
	size_t n = 0;

	if (!w->t->n_errors)
		return true;
	span__mark_failing_below(w->t, below);
	count_above(w);
	for (uint32_t i = 0; i < w->t->n; i++) {
		const struct span *s = &w->t->spans[i];

		if (below[i] || !span_is_error(s))
			continue;
		w->items[n++] = (struct span__item){error_hash(w, s), i};
	}
	return each_group(w, n, found_error);
}

static uint64_t amount(int64_t delta)
{
	return delta < 0 ? (uint64_t)-delta : (uint64_t)delta;
}

/* NUMBERS has by how much the children are off. */
static bool found_skew(struct span__finder *w, const struct span__item *v,
		       size_t n)
{
	struct span_finding *f = span__found(w, SPAN_FINDING_SKEW, v[0].i);
	const struct span_process *from, *to;

	if (!f)
		return false;
	for (size_t k = 0; k < n; k++) {
		span__found_span(f, v[k].i);
		if (w->numbers[v[k].i] > f->ns) {
			f->ns = w->numbers[v[k].i];
			f->span = v[k].i;
		}
	}
	f->parent = w->t->nodes[f->span].parent;
	f->start_ns = w->t->spans[f->span].start_ns;
	from = w->t->spans[f->parent].process;
	to = w->t->spans[f->span].process;
	w->text.len = 0;
	span__host_put(&w->text, from);
	span_buf_puts(&w->text, " -> ");
	span__host_put(&w->text, to);
	return span__found_text(w, f, NULL);
}

bool span__find_skew(struct span__finder *w)
{
	const struct span_trace *t = w->t;
	struct span_buf memory = {0};
	struct span__skew *skews;
	size_t n = 0;
	bool good = false;

	skews = (struct span__skew *)(void *)span_buf_reserve(
		&memory, t->n * sizeof(*skews));
	if (!skews)
		goto done;
	span__skews_find(t, UINT64_MAX, skews);
	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t parent = t->nodes[i].parent;
		uint64_t of[2];

		w->numbers[i] = amount(skews[i].delta_ns);
		if (parent == NONE || !w->numbers[i] ||
		    w->numbers[i] < w->o.skew_ns || !skews[i].host.len ||
		    !skews[parent].host.len ||
		    span_str_equal(skews[i].host, skews[parent].host) ||
		    !span_trace_blocks(t, i))
			continue;
		of[0] = span__hash_str(&w->key, skews[parent].host);
		of[1] = span__hash_str(&w->key, skews[i].host);
		w->items[n++] = (struct span__item){
			span__hash(&w->key, of, sizeof(of)), i};
	}
	good = each_group(w, n, found_skew);
done:
	span_buf_release(&memory);
	return good;
}
