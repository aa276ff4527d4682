/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be seen in the calls of one parent. Calls are put side by side with
 * a hash of parent and target, so that nothing is compared with all others;
 * within a group they are in order of start.
 */
#include <string.h>

#include "trace/finder.h"

#include "base/banned.h"

#define NONE SPAN_TRACE_NONE

#define MAX_TARGETS 200 /* bytes of a list, before the last one */

/* What says exactly what a call is for. */
static const struct span_attr *find_key(const struct span *s,
					const char *const *keys)
{
	for (; *keys; keys++) {
		struct span_str key = span_str(*keys);

		for (size_t i = 0; i < s->attrs.n; i++)
			if (s->attrs.v[i].value.type == SPAN_STRING &&
			    span_str_equal(s->attrs.v[i].key, key))
				return &s->attrs.v[i];
	}
	return NULL;
}

static struct span_str statement_of(const struct span *s)
{
	static const char *const keys[] = {"db.query.text", "db.statement",
					   NULL};
	const struct span_attr *a = find_key(s, keys);

	return a ? a->value.str : SPAN_STR("");
}

/* A statement, else a URL. */
static struct span_str exact_text(const struct span *s)
{
	static const char *const keys[] = {
		"db.query.text", "db.statement", "url.full", "http.url",
		"url.path",	 "http.target",	 NULL};
	const struct span_attr *a = find_key(s, keys);

	return a ? a->value.str : SPAN_STR("");
}

static bool is_other_service(const struct span_trace *t, uint32_t i)
{
	const struct span_process *p = t->spans[i].process,
				  *of = t->spans[t->nodes[i].parent].process;

	return p != of && !span_str_equal(p->service, of->service);
}

static bool is_call(const struct span_trace *t, uint32_t i)
{
	int kind = t->spans[i].kind;

	return kind == SPAN_KIND_CLIENT || kind == SPAN_KIND_PRODUCER ||
	       is_other_service(t, i) || statement_of(&t->spans[i]).len;
}

/* A call, or a span of the caller's own around one. */
static bool leads_out(const struct span_trace *t, uint32_t i)
{
	uint32_t child = t->nodes[i].first_child;

	return is_call(t, i) || (child != NONE && is_call(t, child));
}

static void put_template(struct span_buf *b, const struct span *s)
{
	struct span_str text = statement_of(s);

	span_template_put(b, text.len ? text : s->name);
}

/* Service, kind and template of span I, below PARENT. */
static uint64_t target_hash(struct span__finder *w, uint32_t i)
{
	const struct span *s = &w->t->spans[i];
	uint64_t of[3] = {w->t->nodes[i].parent,
			  span__hash_str(&w->key, s->process->service),
			  s->kind};

	w->text.len = 0;
	put_template(&w->text, s);
	span_buf_put(&w->text, of, sizeof(of));
	return span__hash(&w->key, w->text.p, w->text.len);
}

static uint64_t exact_hash(const struct span__finder *w, uint32_t i)
{
	const struct span *s = &w->t->spans[i];
	uint64_t of[2] = {span__hash_str(&w->key, s->name),
			  span__hash_str(&w->key, exact_text(s))};

	return span__hash(&w->key, of, sizeof(of));
}

/* The time in which one of the N calls, by start, was running. */
static uint64_t running_ns(const struct span_trace *t,
			   const struct span__item *v, size_t n)
{
	uint64_t at = 0, sum = 0;

	for (size_t k = 0; k < n; k++) {
		uint64_t from = t->spans[v[k].i].start_ns;
		uint64_t to = span_end_ns(&t->spans[v[k].i]);

		if (from < at)
			from = at;
		if (to > from)
			sum += to - from;
		if (to > at)
			at = to;
	}
	return sum;
}

/* How many of them begin when all before have ended. */
static size_t count_in_turn(const struct span_trace *t,
			    const struct span__item *v, size_t n)
{
	uint64_t at = 0;
	size_t turns = 0;

	for (size_t k = 0; k < n; k++) {
		const struct span *s = &t->spans[v[k].i];

		turns += s->start_ns >= at;
		if (span_end_ns(s) > at)
			at = span_end_ns(s);
	}
	return turns;
}

static bool all_the_same(const struct span_trace *t, const struct span__item *v,
			 size_t n)
{
	struct span_str first = exact_text(&t->spans[v[0].i]);

	for (size_t k = 1; k < n; k++)
		if (!span_str_equal(first, exact_text(&t->spans[v[k].i])))
			return false;
	return first.len;
}

static bool found_group(struct span__finder *w, enum span_finding_kind kind,
			const struct span__item *v, size_t n, uint64_t ns)
{
	struct span_finding *f = span__found(w, kind, v[0].i);

	if (!f)
		return false;
	for (size_t k = 0; k < n; k++) {
		span__found_span(f, v[k].i);
		f->failed += span_is_error(&w->t->spans[v[k].i]);
	}
	f->ns = ns;
	f->share = span__found_share(ns, w->t->end_ns - w->t->start_ns);
	w->text.len = 0;
	put_template(&w->text, &w->t->spans[v[0].i]);
	return span__found_text(w, f, NULL);
}

/* How many of the N calls at V are attempts at the same thing. */
static size_t count_attempts(const struct span_trace *t,
			     const struct span__item *v, size_t n)
{
	size_t k = 0;

	while (k < n && span_is_error(&t->spans[v[k].i])) {
		uint64_t end = span_end_ns(&t->spans[v[k].i]);

		if (++k == n || t->spans[v[k].i].start_ns < end)
			return k;
	}
	return k < n ? k + 1 : k;
}

/* The N calls at V are attempts at one thing; all but the last get a mark. */
static bool found_attempts(struct span__finder *w, const struct span__item *v,
			   size_t n)
{
	const struct span_trace *t = w->t;

	for (size_t k = 0; k + 1 < n; k++)
		w->depths[v[k].i] = 1;
	return found_group(w, SPAN_FINDING_RETRY, v, n,
			   t->spans[v[n - 1].i].start_ns -
				   t->spans[v[0].i].start_ns);
}

/* The N calls have one name and one text. */
static bool find_retries(struct span__finder *w, const struct span__item *v,
			 size_t n)
{
	bool known = exact_text(&w->t->spans[v[0].i]).len;

	for (size_t k = 0; k < n;) {
		size_t attempts = count_attempts(w->t, v + k, n - k);

		if (attempts > 1 && !found_attempts(w, v + k, attempts))
			return false;
		/* Without a text only the first call says what is tried. */
		if (!known)
			break;
		k += attempts;
	}
	return true;
}

static bool find_same_calls(struct span__finder *w, struct span__item *v,
			    size_t n)
{
	for (size_t k = 0; k < n; k++)
		v[k].key = exact_hash(w, v[k].i);
	span__sort(v, w->tmp, n, NULL, NULL);
	for (size_t from = 0, k = 1; k <= n; k++) {
		if (k < n && v[k].key == v[from].key)
			continue;
		if (k - from > 1 && !find_retries(w, v + from, k - from))
			return false;
		from = k;
	}
	return true;
}

/* Those without a mark, by start again; how many there are. */
static size_t leave_out_marked(struct span__finder *w, struct span__item *v,
			       size_t n)
{
	size_t kept = 0;

	for (size_t k = 0; k < n; k++)
		if (!w->depths[v[k].i])
			v[kept++] = (struct span__item){v[k].i, v[k].i};
	span__sort(v, w->tmp, kept, NULL, NULL);
	return kept;
}

static size_t count_failed(const struct span_trace *t,
			   const struct span__item *v, size_t n)
{
	size_t failed = 0;

	for (size_t k = 0; k < n; k++)
		failed += span_is_error(&t->spans[v[k].i]);
	return failed;
}

static bool find_in_group(struct span__finder *w, struct span__item *v,
			  size_t n)
{
	if (count_failed(w->t, v, n)) {
		if (!find_same_calls(w, v, n))
			return false;
		n = leave_out_marked(w, v, n);
	}
	if (count_failed(w->t, v, n) > n / 2 ||
	    count_in_turn(w->t, v, n) < w->o.repeat)
		return true;
	return found_group(w,
			   all_the_same(w->t, v, n) ? SPAN_FINDING_REPEATED
						    : SPAN_FINDING_N_PLUS_1,
			   v, n, running_ns(w->t, v, n));
}

/* Calls one after another, from FIRST to LAST of one parent's children. */
struct chain {
	uint32_t first, last;
	size_t n;
	uint64_t sum, longest;
	bool differ; /* not all of one target */
};

static bool follows(const struct span_trace *t, uint32_t a, uint32_t b)
{
	uint64_t end = span_end_ns(&t->spans[a]);
	uint64_t from = t->spans[b].start_ns;
	uint64_t longer = t->spans[a].duration_ns > t->spans[b].duration_ns
				  ? t->spans[a].duration_ns
				  : t->spans[b].duration_ns;

	return from >= end && from - end <= longer / 10 &&
	       !span_is_error(&t->spans[a]);
}

/* A call, which has a number, that its caller waits for. */
static bool is_in_chain(const struct span__finder *w, uint32_t i)
{
	return w->numbers[i] && span_trace_blocks(w->t, i);
}

/* A list of targets, of which LAST is the one before; not too long. */
static void put_target(struct span__finder *w, uint32_t i, uint32_t last)
{
	if (last != NONE && w->numbers[last] == w->numbers[i])
		return;
	if (w->text.len > MAX_TARGETS)
		return;
	if (w->text.len)
		span_buf_puts(&w->text, ", ");
	if (w->text.len < MAX_TARGETS)
		put_template(&w->text, &w->t->spans[i]);
	else
		span_buf_puts(&w->text, "...");
}

static bool end_chain(struct span__finder *w, const struct chain *c)
{
	const struct span_trace *t = w->t;
	struct span_finding *f;

	if (c->n < 2 || !c->differ || !span__is_much(w, c->sum - c->longest))
		return true;
	f = span__found(w, SPAN_FINDING_SERIAL, c->first);
	if (!f)
		return false;
	w->text.len = 0;
	for (uint32_t i = c->first, last = NONE;;
	     i = t->nodes[i].next_sibling) {
		if (is_in_chain(w, i)) {
			span__found_span(f, i);
			put_target(w, i, last);
			last = i;
		}
		if (i == c->last)
			break;
	}
	if (!span__found_text(w, f, NULL))
		return false;
	f->ns = c->sum - c->longest;
	f->share = span__found_share(f->ns, w->path_ns);
	return true;
}

static void lengthen(struct chain *c, const struct span__finder *w, uint32_t i)
{
	uint64_t ns = w->t->spans[i].duration_ns;

	if (!c->n)
		*c = (struct chain){.first = i};
	else if (w->numbers[i] != w->numbers[c->last])
		c->differ = true;
	c->n++;
	c->last = i;
	c->sum = ns > UINT64_MAX - c->sum ? UINT64_MAX : c->sum + ns;
	if (ns > c->longest)
		c->longest = ns;
}

static bool find_serial(struct span__finder *w, uint32_t parent)
{
	const struct span_trace_node *nodes = w->t->nodes;
	struct chain c = {0};

	for (uint32_t i = nodes[parent].first_child; i != NONE;
	     i = nodes[i].next_sibling) {
		if (!is_in_chain(w, i))
			continue;
		if (c.n && !follows(w->t, c.last, i)) {
			if (!end_chain(w, &c))
				return false;
			c = (struct chain){0};
		}
		lengthen(&c, w, i);
	}
	return end_chain(w, &c);
}

/* A number for each call that is not alone; how many there are. */
static size_t number_calls(struct span__finder *w)
{
	const struct span_trace *t = w->t;
	size_t n = 0;

	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t parent = t->nodes[i].parent;

		w->numbers[i] = w->depths[i] = 0;
		if (parent == NONE ||
		    (t->nodes[parent].first_child == i &&
		     t->nodes[i].next_sibling == NONE) ||
		    !leads_out(t, i))
			continue;
		w->numbers[i] = target_hash(w, i) | 1;
		w->items[n++] = (struct span__item){w->numbers[i], i};
	}
	return n;
}

bool span__find_calls(struct span__finder *w)
{
	size_t n = number_calls(w);

	span__sort(w->items, w->tmp, n, NULL, NULL);
	for (size_t from = 0, k = 1; k <= n; k++) {
		if (k < n && w->items[k].key == w->items[from].key)
			continue;
		if (k - from > 1 &&
		    !find_in_group(w, w->items + from, k - from))
			return false;
		from = k;
	}
	for (uint32_t i = 0; i < w->t->n; i++)
		if (w->t->nodes[i].first_child != NONE && !find_serial(w, i))
			return false;
	return !w->text.failed;
}
