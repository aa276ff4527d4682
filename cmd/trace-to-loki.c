/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans and their events as log entries, in the JSON of Loki's push request:
 *
 *	{"streams":[{"stream":{LABELS},"values":[["NS","LINE",{METADATA}]]}]}
 *
 * loki-entry.c makes entries; here they gather to batches, and those are
 * sorted by stream and time.
 */
#include "cmd_source.h"
#include "loki-entry.h"

#include <stdlib.h>

#include "base/banned.h"

#define SECOND 1000000000ull
#define REFUSED_AGE (7 * 86400 * SECOND) /* by Loki, unless told otherwise */

static const char *const whats[] = {"all", "span", "event", NULL};
enum what { ALL, SPANS, EVENTS };

static struct {
	uint64_t batch_size, batch_wait;
	int what;
	bool no_metadata;
} opt = {.batch_size = 1 << 20, .batch_wait = SECOND};

static const struct cmd_option options[] = {
	{CMD_CHOICE, 0, "per", &opt.what, "WHAT",
	 "an entry per span, per event, or both", whats},
	{CMD_FLAG, 0, "no-structured-metadata", &opt.no_metadata, NULL,
	 "trace_id and span_id go into the line", NULL},
	{CMD_SIZE, 0, "batch-size", &opt.batch_size, "SIZE",
	 "about the size of a request (1M)", NULL},
	{CMD_DURATION, 0, "batch-wait", &opt.batch_wait, "TIME",
	 "write what waited this long (1s)", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_source_options, NULL, "Source", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_output_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

/* An entry of the batch: where its labels and its JSON are in the text. */
struct entry {
	uint64_t time_ns, number;
	const char *labels, *value; /* set when the batch is whole */
	uint32_t labels_at, labels_len, value_at, value_len;
};

static struct {
	int fd;
	struct span_buf text, entries, out;
	uint64_t since; /* when the first entry came, CLOCK_MONOTONIC */
	struct loki_writer writer;
	uint64_t n_batches, n_old;
} batch;

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order =
		span_str_compare((struct span_str){x->labels, x->labels_len},
				 (struct span_str){y->labels, y->labels_len});

	if (order)
		return order;
	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static bool same_stream(const struct entry *a, const struct entry *b)
{
	return span_str_equal((struct span_str){a->labels, a->labels_len},
			      (struct span_str){b->labels, b->labels_len});
}

static void put_streams(struct entry *e, size_t n)
{
	struct span_buf *out = &batch.out;

	span_buf_puts(out, "{\"streams\":[");
	for (size_t i = 0; i < n; i++) {
		if (i && same_stream(&e[i - 1], &e[i])) {
			span_buf_putc(out, ',');
		} else {
			span_buf_puts(out,
				      i ? "]},{\"stream\":" : "{\"stream\":");
			span_buf_put(out, e[i].labels, e[i].labels_len);
			span_buf_puts(out, ",\"values\":[");
		}
		span_buf_put(out, e[i].value, e[i].value_len);
	}
	span_buf_puts(out, "]}]}\n");
}

static int write_batch(struct span_error *err)
{
	struct entry *e = (struct entry *)batch.entries.p;
	size_t n = batch.entries.len / sizeof(*e);
	int rc;

	if (!n)
		return 0;
	for (size_t i = 0; i < n; i++) {
		e[i].labels = batch.text.p + e[i].labels_at;
		e[i].value = batch.text.p + e[i].value_at;
	}
	qsort(e, n, sizeof(*e), compare);
	batch.out.len = 0;
	put_streams(e, n);
	if (batch.out.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	rc = span_write_all(batch.fd, batch.out.p, batch.out.len, err);
	batch.entries.len = batch.text.len = 0;
	batch.n_batches++;
	return rc;
}

/* One entry; I is the event's number, or LOKI_SPAN. */
static int put_entry(const struct span *s, size_t i, struct span_error *err)
{
	struct span_buf *text = &batch.text;
	struct entry e = {.labels_at = (uint32_t)text->len};

	loki_labels(text, s, i);
	e.value_at = (uint32_t)text->len;
	e.labels_len = e.value_at - e.labels_at;
	e.time_ns = loki_value(&batch.writer, text, s, i);
	e.value_len = (uint32_t)text->len - e.value_at;
	if (!batch.entries.len)
		batch.since = cmd_monotonic_ns();
	e.number = batch.entries.len;
	span_buf_put(&batch.entries, &e, sizeof(e));
	if (text->failed || batch.entries.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (e.time_ns < cmd_now_ns() - REFUSED_AGE)
		batch.n_old++;
	return text->len >= opt.batch_size ? write_batch(err) : 0;
}

static int put_span(const struct span *s, struct span_error *err)
{
	int rc = opt.what == EVENTS ? 0 : put_entry(s, LOKI_SPAN, err);

	for (size_t i = 0; !rc && opt.what != SPANS && i < s->n_events; i++)
		rc = put_entry(s, i, err);
	return rc;
}

/* Before a read that would block: write what waited long enough. */
static int before_wait(void *arg, uint64_t *wait_ns, struct span_error *err)
{
	uint64_t waited = cmd_monotonic_ns() - batch.since;

	(void)arg;
	if (!batch.entries.len)
		return 0;
	if (waited >= opt.batch_wait)
		return write_batch(err);
	if (*wait_ns > opt.batch_wait - waited)
		*wait_ns = opt.batch_wait - waited;
	return 0;
}

static void report(uint64_t since)
{
	const struct loki_writer *c = &batch.writer;

	if (batch.n_old)
		cmd_warn("%llu entries are older than 7 days: by default Loki "
			 "refuses them",
			 (unsigned long long)batch.n_old);
	if (c->cut)
		cmd_warn("%llu lines were cut to 256 KB",
			 (unsigned long long)c->cut);
	if (c->clamped)
		cmd_warn("%llu times do not fit Loki's and were clamped",
			 (unsigned long long)c->clamped);
	if (cmd_verbose)
		cmd_note("%llu spans and %llu events in %llu requests, %.2f s",
			 (unsigned long long)c->spans,
			 (unsigned long long)c->events,
			 (unsigned long long)batch.n_batches,
			 (double)(cmd_monotonic_ns() - since) / 1e9);
}

static int run(int argc, char **argv, struct span_error *err)
{
	uint64_t since = cmd_monotonic_ns();
	struct cmd_source *in = NULL;
	struct span span;
	int rc;

	if (!opt.batch_size || opt.batch_size > LOKI_MAX_BATCH)
		cmd_usage("--batch-size is not from 1 to 512M");
	batch.writer.no_metadata = opt.no_metadata;
	cmd_source_on_idle(before_wait, NULL);
	if ((rc = cmd_output_open(&batch.fd, false, err)) < 0 ||
	    (rc = cmd_source_open(&in, argc, argv, NULL, err)) < 0)
		goto done;
	while ((rc = cmd_source_next(in, &span, err)) > 0)
		if ((rc = put_span(&span, err)) < 0)
			goto done;
	/* Damage ends the input, but what came before it counts. */
	if (rc == 0)
		rc = write_batch(err);
	else
		(void)write_batch(NULL);
	if (rc >= 0)
		rc = cmd_output_close(batch.fd, err);
	if (rc != SPAN_E_PIPE)
		report(since);
done:
	cmd_source_close(&in);
	loki_release(&batch.writer);
	span_buf_release(&batch.text);
	span_buf_release(&batch.entries);
	span_buf_release(&batch.out);
	return rc;
}

static const struct cmd trace_to_loki = {
	.name = "trace-to-loki",
	.operands = "[FILE...]",
	.summary = "write spans as push requests of Grafana Loki",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&trace_to_loki, argc, argv);
}
