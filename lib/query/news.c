/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New traces of a store. A look goes through what arrived since the one before:
 * a matching span makes its trace wait, and then any span that arrives for it
 * makes it wait anew. What has waited for the window is fetched, judged and
 * told, and its id is remembered: a segment that is made of frames from before
 * and after the look shows the trace again.
 */
#include "query/news.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define DEFAULT_WINDOW_NS 10000000000u

struct span_news {
	struct span_store *st;
	const struct span_query *q;
	struct span_search_opts o;
	struct span__news_state state;
	uint64_t now_ns;	    /* of the last look */
	struct span_search *search; /* for what is complete; or NULL */
	uint64_t cut;
	/* while spans are told one by one */
	span_news_span_fn *fn;
	void *arg;
};

int span_news_open(struct span_news **out, struct span_store *st,
		   const struct span_query *q, const struct span_search_opts *o,
		   struct span_error *err)
{
	struct span_news *n = calloc(1, sizeof(*n));
	struct span_store_stat stat;
	int rc;

	*out = NULL;
	if (!n)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	n->st = st;
	n->q = q;
	n->o = *o;
	n->o.limit = 0;
	n->o.sort = SPAN_SORT_DEFAULT;
	if (!n->o.window_ns)
		n->o.window_ns = DEFAULT_WINDOW_NS;
	rc = span__news_state_init(&n->state, err);
	if (!rc)
		rc = span_store_stat(st, &stat, err);
	if (rc < 0) {
		span_news_close(&n);
		return rc;
	}
	memcpy(n->state.uuid, stat.uuid, 16);
	*out = n;
	return 0;
}

int span_news_load(struct span_news *n, const void *p, size_t len,
		   struct span_error *err)
{
	uint8_t uuid[16];
	int rc;

	memcpy(uuid, n->state.uuid, 16);
	rc = span__news_state_read(
		&n->state, (struct span_str){(const char *)p, len}, err);
	if (rc < 0)
		return rc;
	if (memcmp(uuid, n->state.uuid, 16) != 0)
		return span_error_set(err, SPAN_E_INVALID,
				      "it belongs to another store");
	return 0;
}

int span_news_save(struct span_news *n, struct span_buf *out,
		   struct span_error *err)
{
	span__news_state_write(&n->state, out);
	if (out->failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return 0;
}

/* ---- Skip what was there before ---- */

/* The numbers of another store, UUID-N.seg, mean nothing here. */
static bool has_numbers(const struct span_store_file *f)
{
	return !f->bad && !strchr(f->name, '-');
}

static int see_file(void *arg, const struct span_store_file *f,
		    const char *text, struct span_error *err)
{
	struct span_store_mark *mark = arg;

	(void)text;
	(void)err;
	if (!has_numbers(f))
		return 0;
	if (f->last_seq > mark->seq)
		mark->seq = f->last_seq;
	if (f->max_arrival_ns > mark->arrival_ns)
		mark->arrival_ns = f->max_arrival_ns;
	return 0;
}

/* ---- What is gone ---- */

static int see_first(void *arg, const struct span_store_file *f,
		     const char *text, struct span_error *err)
{
	uint64_t *first = arg;

	(void)text;
	(void)err;
	if (has_numbers(f) && f->n_frames && f->first_seq < *first)
		*first = f->first_seq;
	return 0;
}

int span_news_missed(const struct span_news *n, uint64_t *frames,
		     uint64_t *arrival_ns, struct span_error *err)
{
	const struct span_store_mark *mark = &n->state.mark;
	uint64_t first = UINT64_MAX;
	int rc = span_store_files(n->st, see_first, &first, err);

	*frames = 0;
	*arrival_ns = mark->arrival_ns;
	if (first != UINT64_MAX && first > mark->seq)
		*frames = first - mark->seq - 1;
	return rc;
}

/* ---- A look ---- */

/* Does the query hold for a span that the store found? */
static int fits(const struct span_news *n, const struct span *s,
		struct span_error *err)
{
	return n->q->headed ? span_query_match_head(n->q, s, err)
			    : span_query_match(n->q, s, err);
}

static uint64_t arrival(const struct span_news *n,
			const struct span_store_arrival *a)
{
	return a->arrival_ns < n->now_ns ? a->arrival_ns : n->now_ns;
}

static int see_match(void *arg, const struct span *s,
		     const struct span_store_arrival *a, struct span_error *err)
{
	struct span_news *n = arg;
	int rc = fits(n, s, err);

	if (rc <= 0 || span__ids_has(&n->state.told, s->trace_id))
		return rc < 0 ? rc : 0;
	rc = span__ids_put(&n->state.waiting, s->trace_id, arrival(n, a), err);
	return rc < 0 ? rc : 0;
}

static int see_any(void *arg, const struct span *s,
		   const struct span_store_arrival *a, struct span_error *err)
{
	struct span_news *n = arg;
	int rc = 0;

	/* After the clock was put back it would be new for ever. */
	if (a->arrival_ns <= n->now_ns)
		rc = span__ids_put(&n->state.waiting, s->trace_id,
				   a->arrival_ns, err);
	return rc < 0 ? rc : 0;
}

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* The frames that arrived within the last window. */
static struct span_store_mark recent(const struct span_news *n)
{
	uint64_t window = n->o.window_ns;

	return (struct span_store_mark){
		UINT64_MAX, n->now_ns > window ? n->now_ns - window : 0};
}

/* What arrived after FROM of traces that wait makes them wait on. */
static int see_rest(struct span_news *n, struct span_store_mark from,
		    struct span_error *err)
{
	const struct span__ids *waiting = &n->state.waiting;
	struct span_store_mark end;
	const struct span_range heads = {.head_only = true};
	uint8_t(*ids)[16];
	int rc;

	if (!waiting->n)
		return 0;
	ids = calloc(waiting->n, sizeof(*ids));
	if (!ids)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	for (size_t i = 0; i < waiting->n; i++)
		memcpy(ids[i], waiting->v[i].id, 16);
	qsort(ids, waiting->n, sizeof(*ids), compare_ids);
	rc = span_store_since(n->st, &from, &heads, (const uint8_t(*)[16])ids,
			      waiting->n, see_any, n, &end, err);
	free(ids);
	return rc;
}

/* Go through what arrived after FROM with FN. */
static int look(struct span_news *n, const struct span_store_mark *from,
		bool heads, span_store_since_fn *fn,
		struct span_store_mark *end, struct span_error *err)
{
	struct span_range range = n->q->range;

	range.head_only = heads;
	return span_store_since(n->st, from, &range, NULL, 0, fn, n, end, err);
}

int span_news_begin(struct span_news *n, uint64_t now_ns,
		    struct span_error *err)
{
	struct span_store_mark from, end;
	int rc;

	n->now_ns = now_ns;
	n->state.mark = (struct span_store_mark){0};
	rc = span_store_files(n->st, see_file, &n->state.mark, err);
	from = recent(n);
	if (!rc)
		rc = look(n, &from, n->q->headed, see_match, &end, err);
	return rc < 0 ? rc : see_rest(n, from, err);
}

int span_news_look(struct span_news *n, uint64_t now_ns, struct span_error *err)
{
	struct span_store_mark from = n->state.mark, late, end;
	int rc;

	n->now_ns = now_ns;
	rc = look(n, &from, n->q->headed, see_match, &end, err);
	/* What is older than the window makes nothing wait. */
	late = recent(n);
	if (!rc)
		rc = see_rest(n,
			      late.arrival_ns > from.arrival_ns ? late : from,
			      err);
	if (!rc)
		n->state.mark = end;
	return rc;
}

/* ---- Spans as they come ---- */

/* What a span is known by when a segment shows it again. */
static void span_mark(const struct span *s, uint8_t out[16])
{
	const uint64_t times[] = {s->start_ns, s->duration_ns};
	struct span_str name = s->name, service = s->process->service;
	XXH128_canonical_t canonical;
	XXH3_state_t state;

	XXH3_128bits_reset(&state);
	XXH3_128bits_update(&state, s->trace_id, sizeof(s->trace_id));
	XXH3_128bits_update(&state, s->span_id, sizeof(s->span_id));
	XXH3_128bits_update(&state, times, sizeof(times));
	XXH3_128bits_update(&state, name.len ? name.p : "", name.len);
	XXH3_128bits_update(&state, service.len ? service.p : "", service.len);
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
	memcpy(out, canonical.digest, 16);
}

static int tell_span(void *arg, const struct span *s,
		     const struct span_store_arrival *a, struct span_error *err)
{
	struct span_news *n = arg;
	uint8_t mark[16];
	int rc = span_query_match(n->q, s, err);

	if (rc <= 0)
		return rc;
	span_mark(s, mark);
	if (a->again && span__ids_has(&n->state.told, mark))
		return 0;
	rc = span__news_state_tell(&n->state, mark, err);
	return rc < 0 ? rc : n->fn(n->arg, s, err);
}

int span_news_spans(struct span_news *n, span_news_span_fn *fn, void *arg,
		    struct span_error *err)
{
	struct span_store_mark end;
	int rc;

	n->fn = fn;
	n->arg = arg;
	rc = look(n, &n->state.mark, false, tell_span, &end, err);
	n->state.mark = end;
	return rc;
}

/* ---- Traces that are complete ---- */

static bool complete(const struct span_news *n, const struct span__ranked_id *v)
{
	return n->now_ns >= v->key && n->now_ns - v->key >= n->o.window_ns;
}

/* Forget those that are complete. */
static int drop_complete(struct span_news *n, struct span_error *err)
{
	struct span__ids left;
	int rc = span__ids_init(&left, err);

	for (size_t i = 0; i < n->state.waiting.n && rc >= 0; i++) {
		const struct span__ranked_id *v = &n->state.waiting.v[i];

		if (!complete(n, v))
			rc = span__ids_put(&left, v->id, v->key, err);
	}
	if (rc < 0) {
		span__ids_release(&left);
		return rc;
	}
	span__ids_release(&n->state.waiting);
	n->state.waiting = left;
	return 0;
}

/* A search for all that is complete: 1, 0 when nothing is, or a code. */
static int open_search(struct span_news *n, struct span_error *err)
{
	const struct span__ids *waiting = &n->state.waiting;
	struct span__ids ids;
	int rc = span__ids_init(&ids, err);

	for (size_t i = 0; i < waiting->n && rc >= 0; i++)
		if (complete(n, &waiting->v[i]))
			rc = span__ids_put(&ids, waiting->v[i].id, 0, err);
	if (rc >= 0 && ids.n)
		rc = span__search_given(&n->search, n->st, n->q, &n->o, &ids,
					err);
	else
		span__ids_release(&ids);
	if (rc < 0)
		return rc;
	return n->search ? 1 : 0;
}

int span_news_next(struct span_news *n, struct span_trace *out,
		   const uint8_t **matched, struct span_error *err)
{
	int rc = 1;

	if (!n->search)
		rc = open_search(n, err);
	if (rc <= 0)
		return rc;
	rc = span_search_next(n->search, out, matched, err);
	if (rc > 0) {
		rc = span__news_state_tell(&n->state, out->trace_id, err);
		return rc < 0 ? rc : 1;
	}
	n->cut += span_search_cut(n->search);
	span_search_close(&n->search);
	return rc < 0 ? rc : drop_complete(n, err);
}

uint64_t span_news_due_ns(const struct span_news *n)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < n->state.waiting.n; i++)
		if (n->state.waiting.v[i].key < due)
			due = n->state.waiting.v[i].key;
	return due > UINT64_MAX - n->o.window_ns ? UINT64_MAX
						 : due + n->o.window_ns;
}

uint64_t span_news_waiting(const struct span_news *n)
{
	return n->state.waiting.n;
}

uint64_t span_news_cut(const struct span_news *n)
{
	return n->cut;
}

void span_news_close(struct span_news **n)
{
	if (!*n)
		return;
	span_search_close(&(*n)->search);
	span__news_state_release(&(*n)->state);
	free(*n);
	*n = NULL;
}
