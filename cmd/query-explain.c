/* SPDX-License-Identifier: Apache-2.0 */
#include "query-explain.h"

#include "base/banned.h"

static void found(struct query_explain *e)
{
	if (!e->first_ns)
		e->first_ns = cmd_monotonic_ns();
}

static int all_traces(struct query_explain *e, struct cmd_source *in,
		      struct span_error *err)
{
	struct span_trace t;
	int rc;

	while ((rc = cmd_source_next_trace(in, &t, NULL, err)) > 0) {
		found(e);
		e->n_traces++;
		e->n_spans += t.n;
	}
	return rc;
}

static int all_ids(struct query_explain *e, struct cmd_source *in,
		   struct span_error *err)
{
	uint8_t id[16];
	int rc;

	while ((rc = cmd_source_next_id(in, id, err)) > 0) {
		found(e);
		e->n_traces++;
	}
	return rc;
}

static int all_spans(struct query_explain *e, struct cmd_source *in,
		     struct span_error *err)
{
	struct span s;
	int rc;

	while ((rc = cmd_source_next(in, &s, err)) > 0) {
		found(e);
		e->n_spans++;
	}
	return rc;
}

static int search(struct query_explain *e, struct cmd_source *in,
		  struct span_error *err)
{
	e->open_ns = cmd_monotonic_ns();
	if (e->spans && e->count)
		return cmd_source_count(in, &e->n_spans, err);
	if (e->spans)
		return all_spans(e, in, err);
	if (e->count)
		return cmd_source_count_traces(in, &e->n_traces, err);
	if (e->ids)
		return all_ids(e, in, err);
	return all_traces(e, in, err);
}

/* ---- What it says ---- */

static void put_row(struct span_buf *b, const char *name)
{
	span_buf_printf(b, "%-9s  ", name);
}

/* "1 log", "1,024 logs" */
static void put_count(struct span_buf *b, uint64_t n, const char *what)
{
	span_text_count(b, n);
	span_buf_printf(b, " %s%s", what, n == 1 ? "" : "s");
}

static void put_results(const struct query_explain *e,
			const struct cmd_source *in, struct span_buf *b)
{
	put_row(b, "results");
	if (!e->spans)
		put_count(b, e->n_traces, "trace");
	if (!e->spans && !e->count && !e->ids)
		span_buf_puts(b, " with ");
	if (e->spans || (!e->count && !e->ids))
		put_count(b, e->n_spans, "span");
	span_buf_puts(b, cmd_source_more(in) ? "; there are more\n" : "\n");
}

static int put_store(struct span_store *st, struct span_buf *b,
		     struct span_error *err)
{
	struct span_store_stat stat;
	int rc = span_store_stat(st, &stat, err);

	if (rc < 0)
		return rc;
	put_row(b, "store");
	put_count(b, stat.n_spans, "span");
	span_buf_puts(b, " in ");
	put_count(b, stat.n_segments, "segment");
	span_buf_puts(b, " and ");
	put_count(b, stat.n_files - stat.n_segments, "log");
	span_buf_putc(b, '\n');
	return 0;
}

/* How often scans came to files, and passed them over. */
static void put_files(struct span_buf *b, const char *name, uint64_t n,
		      uint64_t passed)
{
	if (!n)
		return;
	put_row(b, name);
	span_text_count(b, n - passed);
	span_buf_puts(b, " read, ");
	span_text_count(b, passed);
	span_buf_puts(b, " passed over\n");
}

static void put_work(const struct span_store_work *w, struct span_buf *b)
{
	put_row(b, "scans");
	span_text_count(b, w->n_scans);
	span_buf_putc(b, '\n');
	put_files(b, "segments", w->n_segments, w->n_segments_passed);
	put_files(b, "blocks", w->n_blocks, w->n_blocks - w->n_blocks_walked);
	if (w->n_shapes) {
		put_row(b, "shapes");
		span_text_count(b, w->n_shapes);
		span_buf_puts(b, " of traces asked\n");
	}
	put_files(b, "logs", w->n_logs, w->n_logs_passed);
	if (w->n_frames) {
		put_row(b, "frames");
		span_text_count(b, w->n_frames);
		span_buf_puts(b, " read of logs, ");
		span_text_size(b, w->log_bytes);
		span_buf_putc(b, '\n');
	}
	put_row(b, "spans");
	span_text_count(b, w->n_spans);
	span_buf_puts(b, " decoded\n");
	if (!w->packed_bytes)
		return;
	put_row(b, "unpacked");
	span_text_size(b, w->packed_bytes);
	span_buf_puts(b, " to ");
	span_text_size(b, w->unpacked_bytes);
	span_buf_putc(b, '\n');
}

static void put_times(const struct query_explain *e, bool store, uint64_t end,
		      struct span_buf *b)
{
	put_row(b, "time");
	span_text_duration(b, end - e->start_ns);
	if (store) {
		span_buf_puts(b, "; open after ");
		span_text_duration(b, e->open_ns - e->start_ns);
	}
	if (e->first_ns) {
		span_buf_puts(b, store ? ", first result after "
				       : "; first result after ");
		span_text_duration(b, e->first_ns - e->start_ns);
	}
	span_buf_putc(b, '\n');
}

int query_explain(struct query_explain *e, struct cmd_source *in,
		  struct span_buf *out, struct span_error *err)
{
	struct span_store *st = cmd_source_store(in);
	struct span_store_work work = {0};
	int rc = search(e, in, err);
	uint64_t end = cmd_monotonic_ns();

	if (rc < 0)
		return rc;
	if (st) {
		span_query_explain(cmd_source_query(in), out);
		span_store_work(st, &work);
	} else {
		span_buf_puts(out, "all spans of a stream are judged\n");
	}
	span_buf_putc(out, '\n');
	put_results(e, in, out);
	if (st) {
		rc = put_store(st, out, err);
		put_work(&work, out);
	} else {
		put_row(out, "input");
		put_count(out, cmd_source_spans(in), "span");
		span_buf_putc(out, '\n');
	}
	put_times(e, st, end, out);
	return rc;
}
