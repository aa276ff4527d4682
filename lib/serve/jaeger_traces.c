/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/jaeger_traces.h"

#include <stdlib.h>
#include <string.h>

#include "serve/answers.h"
#include "serve/pool.h"

#include "base/banned.h"

#define FIRST_PIECE (1u << 20) /* bytes that are made before any is sent */
#define PIECE (64u << 10)

struct span__serve_traces {
	const struct span__serve *s;
	struct span_store *store, *archive;
	bool raw;
	bool searches;
	struct span__found found;
	uint64_t cut; /* traces that the search gave only in part */
	uint8_t (*ids)[16];
	size_t n_ids, next_id;
	struct span_trace_builder builder;
	size_t n_left; /* spans that there is room for */
	bool more;     /* the trace has more spans than were taken */
	size_t n_traces;
	struct span_buf errors;
	bool ended;
};

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

/* An archive that is not there has no traces. */
static int take_stores(struct span__serve_traces *t, bool archived_only,
		       struct span_error *err)
{
	int rc = 0;

	if (!archived_only)
		rc = span__serve_take(t->s->store, &t->store, err);
	if (rc < 0 || !t->s->archive)
		return rc;
	rc = span__serve_take(t->s->archive, &t->archive, err);
	return rc == SPAN_E_NOTFOUND ? 0 : rc;
}

static int copy_ids(struct span__serve_traces *t,
		    const struct span__serve_traces_opts *o,
		    struct span_error *err)
{
	t->ids = calloc(o->n_ids + 1, sizeof(*t->ids));
	if (!t->ids)
		return no_memory(err);
	if (o->n_ids)
		memcpy(t->ids, o->ids, o->n_ids * sizeof(*t->ids));
	t->n_ids = o->n_ids;
	return 0;
}

static int open_search(struct span__serve_traces *t,
		       const struct span__serve_traces_opts *o,
		       struct span_error *err)
{
	const struct span_search_opts so = {.limit = o->limit,
					    .sort = SPAN_SORT_NEWEST,
					    .keep_duplicates = o->raw};

	t->searches = true;
	return span__found_open(&t->found, t->s->store, o->sel, &so, err);
}

static int open_ids(struct span__serve_traces *t,
		    const struct span__serve_traces_opts *o,
		    struct span_error *err)
{
	int rc = take_stores(t, o->archived_only, err);

	return rc < 0 ? rc : copy_ids(t, o, err);
}

int span__serve_traces_open(struct span__serve_traces **out,
			    const struct span__serve *s,
			    const struct span__serve_traces_opts *o,
			    struct span_error *err)
{
	struct span__serve_traces *t = calloc(1, sizeof(*t));
	int rc;

	*out = t;
	if (!t)
		return no_memory(err);
	t->s = s;
	t->raw = o->raw;
	t->builder.keep_duplicates = o->raw;
	t->n_left = s->max_spans ? s->max_spans : SIZE_MAX;
	rc = o->sel ? open_search(t, o, err) : open_ids(t, o, err);
	if (rc < 0)
		span__serve_traces_close(out);
	return rc;
}

void span__serve_traces_close(struct span__serve_traces **traces)
{
	struct span__serve_traces *t = *traces;

	if (!t)
		return;
	span__found_close(&t->found);
	span__serve_give_back(t->s->store, t->store);
	if (t->s->archive)
		span__serve_give_back(t->s->archive, t->archive);
	span_trace_builder_release(&t->builder);
	span_buf_release(&t->errors);
	free(t->ids);
	free(t);
	*traces = NULL;
}

static size_t n_taken(const struct span__serve_traces *t)
{
	return t->builder.spans.len / sizeof(struct span);
}

static int take_span(struct span__serve_traces *t, const struct span *sp,
		     struct span_error *err)
{
	if (n_taken(t) == t->n_left) {
		t->more = true;
		return 0;
	}
	return span_trace_builder_put(&t->builder, sp, err);
}

/* The spans of trace ID that ST has, into the builder. */
static int take_from(struct span__serve_traces *t, struct span_store *st,
		     const uint8_t id[16], struct span_error *err)
{
	struct span_cursor *c = NULL;
	struct span sp;
	uint8_t ids[1][16];
	int rc;

	memcpy(ids[0], id, 16);
	rc = span_store_find(st, (const uint8_t(*)[16])ids, 1, &c, err);
	while (rc >= 0 && !t->more && (rc = span_cursor_next(c, &sp, err)) > 0)
		rc = take_span(t, &sp, err);
	span_cursor_close(&c);
	return rc < 0 ? rc : 0;
}

static void put_missing(struct span__serve_traces *t, const uint8_t id[16])
{
	char text[SPAN_TRACE_ID_TEXT];

	span_buf_printf(&t->errors,
			"%s{\"msg\":\"trace not found\",\"traceID\":\"%s\"}",
			t->errors.len ? "," : "[",
			span_trace_id_text(id, text));
}

/* The next trace that was named: 1 with its spans, 0 after the last one. */
static int next_named(struct span__serve_traces *t, struct span_error *err)
{
	int rc = 0;

	while (rc == 0 && !n_taken(t) && t->next_id < t->n_ids) {
		const uint8_t *id = t->ids[t->next_id++];

		if (t->store)
			rc = take_from(t, t->store, id, err);
		if (rc == 0 && !n_taken(t) && t->archive)
			rc = take_from(t, t->archive, id, err);
		if (rc == 0 && !n_taken(t))
			put_missing(t, id);
	}
	return rc < 0 ? rc : n_taken(t) > 0;
}

static int next_found(struct span__serve_traces *t, struct span_error *err)
{
	struct span_trace found;
	int rc = span_search_next(t->found.search, &found, NULL, err);

	if (rc <= 0)
		return rc;
	for (size_t i = 0; i < found.n && !t->more && rc >= 0; i++)
		rc = take_span(t, &found.spans[i], err);
	t->more |= span_search_cut(t->found.search) > t->cut;
	t->cut = span_search_cut(t->found.search);
	return rc < 0 ? rc : 1;
}

static bool more_may_come(const struct span__serve_traces *t)
{
	return t->searches || t->next_id < t->n_ids;
}

/* What was left out of the trace, and of the answer. */
static int warn(struct span__serve_traces *t, struct span_trace *trace,
		struct span_error *err)
{
	struct span_buf text = {0};
	int rc = 0;

	if (t->more) {
		span_buf_printf(&text,
				"trace has more than %zu spans, showing first "
				"%zu spans only",
				trace->n, trace->n);
		rc = span_adjust_warn(&t->builder, 0, &text, err);
	}
	if (rc == 0 && !t->n_left && more_may_come(t)) {
		text.len = 0;
		span_buf_puts(&text, "the answer has as many spans as it may: "
				     "what comes after this trace is left out");
		rc = span_adjust_warn(&t->builder, 0, &text, err);
	}
	span_buf_release(&text);
	return rc;
}

static int put_trace(struct span__serve_traces *t, struct span_buf *out,
		     struct span_error *err)
{
	struct span_trace trace;
	int rc = span_trace_builder_build(&t->builder, &trace, err);

	t->n_left -= n_taken(t);
	if (rc == 0)
		rc = warn(t, &trace, err);
	if (rc == 0 && !t->raw)
		rc = span_adjust_all(&t->builder, SPAN_ADJUST_JAEGER,
				     t->s->max_skew_ns, &trace, err);
	if (rc < 0)
		return rc;
	if (t->n_traces++)
		span_buf_putc(out, ',');
	span_encode_jaeger_json(out, trace.spans, trace.n);
	return out->failed ? no_memory(err) : 1;
}

/* Append the next trace: 1, 0 at the end, or an error. */
static int next(struct span__serve_traces *t, struct span_buf *out,
		struct span_error *err)
{
	int rc = 0;

	span_trace_builder_reset(&t->builder);
	t->more = false;
	if (t->n_left)
		rc = t->searches ? next_found(t, err) : next_named(t, err);
	return rc > 0 ? put_trace(t, out, err) : rc;
}

/* Append traces until OUT has LEN bytes, and what comes after the last. */
static int fill(struct span__serve_traces *t, struct span_buf *out, size_t len,
		struct span_error *err)
{
	int rc = 1;

	while (rc > 0 && out->len < len)
		rc = next(t, out, err);
	if (rc == 0) {
		t->ended = true;
		span_buf_putc(out, ']');
		if (t->errors.len)
			span_buf_putc(&t->errors, ']');
		span__serve_put_data_end(out, 0, &t->errors);
		if (out->failed || t->errors.failed)
			rc = no_memory(err);
	}
	return rc < 0 ? rc : 0;
}

static int next_piece(void *arg, struct span_buf *out, struct span_error *err)
{
	struct span__serve_traces *t = arg;
	int rc;

	if (t->ended)
		return 0;
	rc = fill(t, out, PIECE, err);
	return rc < 0 ? rc : 1;
}

static void close_traces(void *arg)
{
	struct span__serve_traces *t = arg;

	span__serve_traces_close(&t);
}

int span__serve_traces_answer(struct span__serve_traces **traces, bool must,
			      struct span__serve_answer *a,
			      struct span_error *err)
{
	struct span__serve_traces *t = *traces;
	int rc;

	span__serve_data(a);
	span_buf_putc(&a->body, '[');
	rc = fill(t, &a->body, FIRST_PIECE, err);
	if (rc < 0)
		rc = span__serve_failed(a, rc, err);
	else if (must && !t->n_traces)
		rc = span__serve_error(a, 404, "trace not found");
	else if (!t->ended) {
		a->more = next_piece;
		a->close = close_traces;
		a->arg = t;
		*traces = NULL;
	}
	span__serve_traces_close(traces);
	return rc;
}
