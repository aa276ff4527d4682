/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health and counts, for who watches the server: of the store what its files
 * say of themselves, without reading a span.
 */
#include <inttypes.h>

#include <span/store.h>
#include <span/text.h>

#include "serve/answers.h"
#include "serve/families.h"
#include "serve/params.h"

#include "base/banned.h"

static int stat_store(const struct span__serve *s, struct span_store_stat *st,
		      struct span_error *err)
{
	struct span_store *store;
	int rc = span__serve_take(s->store, &store, err);

	if (rc < 0)
		return rc;
	rc = span_store_stat(store, st, err);
	span__serve_give_back(s->store, store);
	return rc;
}

/* ---- /healthz ---- */

static uint64_t silence_ns(const struct span__serve *s,
			   const struct span_store_stat *st)
{
	uint64_t now = s->now();

	return now > st->max_arrival_ns ? now - st->max_arrival_ns : 0;
}

/* Limits that who asks has set: 400 when one cannot be read. */
struct limits {
	int64_t silence_ns, free_bytes; /* 0: none */
};

static int read_limits(const struct span__serve_request *r, struct limits *l,
		       struct span__serve_answer *a, struct span_error *err)
{
	const struct span_str *silence = span__serve_param(r, "silence");
	const struct span_str *free = span__serve_param(r, "free");

	*l = (struct limits){0};
	if (silence && span__serve_duration(*silence, &l->silence_ns, err) < 0)
		return span__serve_bad_param(a, "silence", err);
	if (free && span__serve_int(*free, &l->free_bytes, err) < 0)
		return span__serve_bad_param(a, "free", err);
	return 0;
}

/* What is not as it should be, or NULL. */
static const char *complaint(const struct span__serve *s,
			     const struct limits *l,
			     const struct span_store_stat *st)
{
	if (l->silence_ns > 0 && silence_ns(s, st) > (uint64_t)l->silence_ns)
		return "no span has arrived for too long";
	if (l->free_bytes > 0 && st->free_bytes < (uint64_t)l->free_bytes)
		return "too little room on the disk";
	return NULL;
}

static void put_health(struct span_buf *b, const char *wrong,
		       const struct span_store_stat *st)
{
	span_buf_puts(b, "{\"status\":");
	span_text_json(b, span_str(wrong ? wrong : "ok"));
	span_buf_printf(b, ",\"spans\":%" PRIu64 ",\"bytes\":%" PRIu64,
			st->n_spans, st->bytes);
	span_buf_puts(b, ",\"newestArrival\":");
	if (st->max_arrival_ns) {
		span_buf_putc(b, '"');
		span_text_time(b, st->max_arrival_ns, 3);
		span_buf_putc(b, '"');
	} else {
		span_buf_puts(b, "null");
	}
	span_buf_puts(b, ",\"freeBytes\":");
	if (st->free_bytes == UINT64_MAX)
		span_buf_puts(b, "null");
	else
		span_text_uint(b, st->free_bytes);
	span_buf_puts(b, "}\n");
}

static int no_store(struct span__serve_answer *a, int rc,
		    const struct span_error *err)
{
	if (rc == SPAN_E_NOMEM)
		return rc;
	a->status = 503;
	span_buf_puts(&a->body, "{\"status\":");
	span_text_json(&a->body, span_str(err->msg));
	span_buf_puts(&a->body, "}\n");
	return 0;
}

static int health(const struct span__serve *s,
		  const struct span__serve_request *r,
		  struct span__serve_answer *a, struct span_error *err)
{
	struct span_store_stat st = {0};
	const char *wrong;
	struct limits l;
	int rc = read_limits(r, &l, a, err);

	if (rc < 0 || a->status)
		return rc;
	a->type = SPAN__SERVE_JSON;
	rc = stat_store(s, &st, err);
	if (rc < 0)
		return no_store(a, rc, err);
	wrong = complaint(s, &l, &st);
	if (wrong)
		a->status = 503;
	put_health(&a->body, wrong, &st);
	return 0;
}

/* ---- /metrics ---- */

static void put_gauge(struct span_buf *b, const char *name, const char *help)
{
	span_buf_printf(b, "# HELP %s %s\n# TYPE %s gauge\n%s ", name, help,
			name, name);
}

static void put_count(struct span_buf *b, const char *name, const char *help,
		      uint64_t n)
{
	put_gauge(b, name, help);
	span_text_uint(b, n);
	span_buf_putc(b, '\n');
}

static void put_seconds(struct span_buf *b, const char *name, const char *help,
			uint64_t ns)
{
	put_gauge(b, name, help);
	span_text_double(b, (double)ns / 1e9);
	span_buf_putc(b, '\n');
}

static void put_store(struct span_buf *b, const struct span_store_stat *st)
{
	put_count(b, "span_store_spans", "Spans in the store.", st->n_spans);
	put_count(b, "span_store_bytes", "Bytes of its files.", st->bytes);
	put_count(b, "span_store_files", "Its files: segments and logs.",
		  st->n_files);
	put_count(b, "span_store_segments", "Its sealed segments.",
		  st->n_segments);
	put_count(b, "span_store_bad_files",
		  "Files that recovery has set aside.", st->n_bad);
	if (st->n_spans) {
		put_seconds(b, "span_store_oldest_span_seconds",
			    "Start of the oldest span.", st->min_start_ns);
		put_seconds(b, "span_store_newest_span_seconds",
			    "End of the newest span.", st->max_end_ns);
		put_seconds(b, "span_store_newest_arrival_seconds",
			    "When the last frame arrived.", st->max_arrival_ns);
	}
	if (st->free_bytes != UINT64_MAX)
		put_count(b, "span_store_free_bytes",
			  "Room on the disk of the store.", st->free_bytes);
}

static int metrics(const struct span__serve *s,
		   const struct span__serve_request *r,
		   struct span__serve_answer *a, struct span_error *err)
{
	struct span_store_stat st = {0};
	int rc = stat_store(s, &st, err);

	(void)r;
	if (rc == SPAN_E_NOMEM)
		return rc;
	a->type = "text/plain; version=0.0.4; charset=utf-8";
	put_count(&a->body, "span_store_up", "1 when the store can be read.",
		  rc == 0);
	if (rc == 0)
		put_store(&a->body, &st);
	if (s->metrics)
		s->metrics(s->metrics_arg, &a->body);
	return 0;
}

const struct span__serve_route span__serve_about_routes[] = {
	{"GET", "/healthz", health, true},
	{"GET", "/metrics", metrics, true},
};
const size_t span__serve_about_n_routes =
	sizeof(span__serve_about_routes) / sizeof(*span__serve_about_routes);
