/* SPDX-License-Identifier: Apache-2.0 */
#include "query-news.h"

#include <string.h>

#include "base/banned.h"

/* What a look found. */
static int print_trace(struct query_news *n, struct query_print *out,
		       const struct span_trace *t, const uint8_t *matched,
		       struct span_error *err)
{
	bool alone = n->spans && out->format != QUERY_JSON;
	int rc = 0;

	if (alone || n->count) {
		out->n_traces += !alone;
		for (size_t i = 0; i < t->n && !rc && alone; i++)
			if (matched[i] && n->count)
				out->n_spans++;
			else if (matched[i])
				rc = query_print_span(out, &t->spans[i], err);
		return rc;
	}
	if (out->format == QUERY_IDS)
		return query_print_id(out, t->trace_id, err);
	return query_print_trace(out, t, cmd_source_selects() ? matched : NULL,
				 err);
}

static int print_complete(struct query_news *n, struct span_news *news,
			  struct query_print *out, struct span_error *err)
{
	const uint8_t *matched;
	struct span_trace t;
	int rc;

	while ((rc = span_news_next(news, &t, &matched, err)) > 0) {
		rc = print_trace(n, out, &t, matched, err);
		if (rc < 0)
			break;
	}
	return rc;
}

/* ---- --cursor ---- */

static int load(struct span_news *news, const char *path,
		struct span_error *err)
{
	struct span_buf text = {0};
	struct span_error why = {0};
	int rc = cmd_file_read(path, &text, err);

	if (!rc) {
		rc = span_news_load(news, text.p, text.len, &why);
		if (rc < 0)
			rc = span_error_set(err, rc, "cursor %s: %s", path,
					    why.msg);
		else
			rc = cmd_news_missed(news, path, err);
	} else if (rc == SPAN_E_NOTFOUND) {
		rc = 0; /* the first run */
	}
	span_buf_release(&text);
	return rc;
}

static void tell_waiting(uint64_t n)
{
	if (n)
		cmd_note("%llu matching trace%s not complete yet",
			 (unsigned long long)n, n == 1 ? " is" : "s are");
}

int query_since_cursor(struct query_news *n, struct query_print *out,
		       struct cmd_source *in, const char *path,
		       struct span_error *err)
{
	struct span_news *news;
	int rc = cmd_source_news(in, &news, err);

	if (rc < 0)
		return rc;
	rc = load(news, path, err);
	if (!rc)
		rc = span_news_look(news, cmd_now_ns(), err);
	if (!rc)
		rc = print_complete(n, news, out, err);
	if (!rc)
		rc = span_news_save(news, &n->cursor, err);
	if (!rc && cmd_verbose)
		tell_waiting(span_news_waiting(news));
	cmd_source_cut(span_news_cut(news));
	span_news_close(&news);
	return rc;
}

int query_cursor_write(const struct query_news *n, const char *path,
		       struct span_error *err)
{
	return cmd_file_replace(path, n->cursor.p, n->cursor.len, err);
}

/* ---- --follow ---- */

static int print_span(void *arg, const struct span *s, struct span_error *err)
{
	return query_print_span(arg, s, err);
}

static int print_news(struct query_news *n, struct span_news *news,
		      struct query_print *out, bool alone,
		      struct span_error *err)
{
	int rc;

	if (alone)
		rc = span_news_spans(news, print_span, out, err);
	else
		rc = span_news_look(news, cmd_now_ns(), err);
	if (!rc && !alone)
		rc = print_complete(n, news, out, err);
	if (!rc)
		rc = span_writer_flush(out->writer, err);
	return rc < 0 ? rc : query_print_flush(out, err);
}

int query_follow(struct query_news *n, struct query_print *out,
		 struct cmd_source *in, struct span_error *err)
{
	bool alone = n->spans && out->format != QUERY_JSON &&
		     !cmd_source_needs_trace(in);
	struct span_news *news;
	struct cmd_watch watch;
	int rc = cmd_source_news(in, &news, err);

	if (rc < 0)
		return rc;
	cmd_signals_source();
	cmd_watch_open(&watch, cmd_source_name(in));
	if (!cmd_source_has_since())
		rc = span_news_begin(news, cmd_now_ns(), err);
	while (!rc) {
		rc = print_news(n, news, out, alone, err);
		if (rc || cmd_stopped)
			break;
		cmd_watch_wait(&watch, span_news_due_ns(news));
		/* What came before the signal is still told. */
		rc = cmd_source_refresh(in, err);
	}
	cmd_source_cut(span_news_cut(news));
	cmd_watch_close(&watch);
	span_news_close(&news);
	return rc;
}
