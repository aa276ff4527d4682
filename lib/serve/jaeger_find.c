/* SPDX-License-Identifier: Apache-2.0 */
/* Traces by search and by id, of the store and the archive. */
#include <span/text.h>

#include "serve/answers.h"
#include "serve/jaeger.h"
#include "serve/jaeger_params.h"
#include "serve/jaeger_traces.h"
#include "serve/params.h"

#include "base/banned.h"

/* Handlers return 0 when the answer says what is wrong with the request. */
static int answered(int rc)
{
	return rc == SPAN_E_INVALID ? 0 : rc;
}

static int open_and_answer(const struct span__serve *s,
			   const struct span__serve_traces_opts *o, bool must,
			   struct span__serve_answer *a, struct span_error *err)
{
	struct span__serve_traces *t = NULL;
	int rc = span__serve_traces_open(&t, s, o, err);

	if (rc == SPAN_E_INVALID)
		return span__serve_error(a, 400, "%s", err->msg);
	if (rc < 0)
		return span__serve_failed(a, rc, err);
	return span__serve_traces_answer(&t, must, a, err);
}

int span__serve_jaeger_search(const struct span__serve *s,
			      const struct span__serve_request *r,
			      struct span__serve_answer *a,
			      struct span_error *err)
{
	struct span__serve_search q;
	struct span__serve_traces_opts o;
	int rc = span__serve_read_search(s, r, &q, a, err);

	if (rc == 0) {
		o = (struct span__serve_traces_opts){
			.raw = q.raw,
			.sel = q.n_ids || q.nothing ? NULL : &q.select,
			.limit = q.limit,
			.ids = (const uint8_t(*)[16])q.ids,
			.n_ids = q.n_ids};
		rc = open_and_answer(s, &o, false, a, err);
	}
	span__serve_search_release(&q);
	return answered(rc);
}

/*
 * Jaeger's start and end of a trace by id are hints for stores that are slow
 * without them; some clients send milliseconds. They must be numbers, and mean
 * nothing here.
 */
static int check_times(const struct span__serve_request *r,
		       struct span__serve_answer *a)
{
	static const char *const names[] = {"start", "end"};

	for (size_t i = 0; i < 2; i++) {
		struct span_str text = span__serve_value(r, names[i]);
		struct span_error why = {0};
		int64_t us;
		int rc;

		if (!text.len || span__serve_int(text, &us, &why) == 0)
			continue;
		rc = span__serve_bad_param(a, names[i], &why);
		return rc < 0 ? rc : SPAN_E_INVALID;
	}
	return 0;
}

/* The id that is segment number 2 of the path. */
static int read_path_id(const struct span__serve_request *r, uint8_t id[16],
			struct span__serve_answer *a, struct span_error *err)
{
	struct span_buf text = {0};
	int rc = span__serve_segment(r->path, 2, &text, err);

	if (rc == SPAN_E_INVALID) {
		rc = span__serve_error(a, 400, "%s", err->msg);
		rc = rc < 0 ? rc : SPAN_E_INVALID;
	}
	if (rc == 0)
		rc = span__serve_read_id((struct span_str){text.p, text.len},
					 "", id, a);
	span_buf_release(&text);
	return rc;
}

static int answer_with_one(const struct span__serve *s,
			   const struct span__serve_request *r,
			   bool archived_only, struct span__serve_answer *a,
			   struct span_error *err)
{
	uint8_t id[1][16];
	struct span__serve_traces_opts o = {.ids = (const uint8_t(*)[16])id,
					    .n_ids = 1,
					    .archived_only = archived_only};
	int rc = read_path_id(r, id[0], a, err);

	if (rc == 0)
		rc = check_times(r, a);
	if (rc == 0)
		rc = span__serve_read_raw(r, &o.raw, a);
	if (rc == 0)
		rc = open_and_answer(s, &o, true, a, err);
	return answered(rc);
}

int span__serve_jaeger_trace(const struct span__serve *s,
			     const struct span__serve_request *r,
			     struct span__serve_answer *a,
			     struct span_error *err)
{
	return answer_with_one(s, r, false, a, err);
}

int span__serve_jaeger_archived(const struct span__serve *s,
				const struct span__serve_request *r,
				struct span__serve_answer *a,
				struct span_error *err)
{
	if (!s->archive)
		return span__serve_error(
			a, 500, "archive span storage was not configured");
	return answer_with_one(s, r, true, a, err);
}

/* Nothing is written by this server, whether there is an archive or not. */
int span__serve_jaeger_archive(const struct span__serve *s,
			       const struct span__serve_request *r,
			       struct span__serve_answer *a,
			       struct span_error *err)
{
	uint8_t id[16];
	int rc = read_path_id(r, id, a, err);

	if (rc == 0)
		rc = span__serve_error(
			a, 500, "archive span storage was not configured%s",
			s->archive ? " for writing: it is read only" : "");
	return answered(rc);
}

/* OTLP in, Jaeger's JSON out, trace by trace; nothing is adjusted. */
struct transform {
	struct span_arena arena;
	struct span_buf spans; /* struct span */
};

static int keep(void *arg, const struct span *sp, struct span_error *err)
{
	struct transform *t = arg;
	char *to = span_buf_reserve(&t->spans, sizeof(*sp));

	if (!to || span_copy((struct span *)(void *)to, sp, &t->arena) < 0)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	t->spans.len += sizeof(*sp);
	return 0;
}

static int transform(struct transform *t, struct span_decoder *d,
		     const struct span__serve_request *r,
		     struct span__serve_answer *a, struct span_error *err)
{
	int64_t n = span_decoder_message(d, SPAN_FORMAT_OTLP_JSON, r->body,
					 r->body_len, keep, t, err);

	if (n == SPAN_E_NOMEM)
		return SPAN_E_NOMEM;
	if (n < 0)
		return span__serve_error(a, 400,
					 "cannot unmarshal OTLP: %s, at byte "
					 "%llu",
					 err->msg,
					 (unsigned long long)err->pos);
	a->type = SPAN__SERVE_JSON;
	return span_encode_message(
		&a->body, SPAN_FORMAT_JAEGER_JSON,
		(const struct span *)(const void *)t->spans.p,
		t->spans.len / sizeof(struct span), err);
}

int span__serve_jaeger_transform(const struct span__serve *s,
				 const struct span__serve_request *r,
				 struct span__serve_answer *a,
				 struct span_error *err)
{
	struct span_decoder *d = NULL;
	struct transform t = {0};
	int rc = span_decoder_open(&d, NULL, err);

	(void)s;
	if (rc == 0)
		rc = transform(&t, d, r, a, err);
	span_decoder_close(&d);
	span_buf_release(&t.spans);
	span_arena_release(&t.arena);
	return rc;
}
