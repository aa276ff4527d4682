/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	{"streams":[{"stream":{LABELS},"values":[["NS","LINE",{METADATA}]]}]}
 */
#include "loki-batch.h"

#include <stdlib.h>

#include "base/banned.h"

#define SECOND 1000000000ull
#define REFUSED_AGE (7 * 86400 * SECOND) /* by Loki, unless told otherwise */
#define REFUSED_EARLY (600 * SECOND)	 /* creation_grace_period */
#define REFUSED_BEHIND (3600 * SECOND)	 /* half of max_chunk_age */

uint64_t loki_batches;

/* Entries that Loki's defaults would refuse. */
static struct {
	uint64_t old, early, behind;
} refused;

/* An entry of the batch, and where it is in the text. */
struct entry {
	struct loki_stream *stream; /* NULL where only lines are wanted */
	uint64_t time_ns, number;
	uint32_t at, len;
};

static struct {
	size_t size;
	loki_batch_fn *fn;
	struct span_buf text, entries;
	uint64_t since;
} batch;

static struct entry *entries(void)
{
	return (struct entry *)(void *)batch.entries.p;
}

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = 0;

	if (x->stream != y->stream)
		order = span_str_compare(x->stream->labels, y->stream->labels);
	if (order)
		return order;
	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static void put_streams(struct span_buf *out, const struct entry *e, size_t n)
{
	span_buf_puts(out, "{\"streams\":[");
	for (size_t i = 0; i < n; i++) {
		if (i && e[i - 1].stream == e[i].stream) {
			span_buf_putc(out, ',');
		} else {
			span_buf_puts(out,
				      i ? "]},{\"stream\":" : "{\"stream\":");
			span_buf_str(out, e[i].stream->labels);
			span_buf_puts(out, ",\"values\":[");
		}
		span_buf_put(out, batch.text.p + e[i].at, e[i].len);
	}
	span_buf_puts(out, "]}]}");
}

void loki_batch_body(struct span_buf *out, size_t at, size_t n)
{
	const struct entry *e = entries() + at;

	if (loki_opts.format == LOKI_PUSH) {
		put_streams(out, e, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		span_buf_put(out, batch.text.p + e[i].at, e[i].len);
}

/* What Loki's defaults would refuse. */
static void look_at_times(const struct entry *e, size_t n)
{
	uint64_t now = cmd_now_ns();

	for (size_t i = 0; i < n; i++) {
		struct loki_stream *s = e[i].stream;

		if (!s)
			continue;
		refused.old += e[i].time_ns < now - REFUSED_AGE;
		refused.early += e[i].time_ns > now + REFUSED_EARLY;
		if (s->newest_ns > REFUSED_BEHIND &&
		    e[i].time_ns < s->newest_ns - REFUSED_BEHIND)
			refused.behind++;
		if (e[i].time_ns > s->newest_ns)
			s->newest_ns = e[i].time_ns;
	}
}

int loki_batch_flush(struct span_error *err)
{
	size_t n = batch.entries.len / sizeof(struct entry);
	int rc;

	if (!n)
		return 0;
	qsort(entries(), n, sizeof(struct entry), compare);
	look_at_times(entries(), n);
	rc = batch.fn(0, n, err);
	batch.entries.len = batch.text.len = 0;
	loki_batches++;
	return rc;
}

void loki_batch_init(size_t size, loki_batch_fn *fn)
{
	batch.size = size;
	batch.fn = fn;
}

int loki_batch_put(const struct loki_subject *s, struct span_error *err)
{
	struct span_buf *text = &batch.text;
	struct entry e = {.at = (uint32_t)text->len};
	bool fine = true;

	if (loki_opts.format == LOKI_PUSH) {
		e.stream = loki_labels_of(s->span, loki_is_error(s));
		fine = e.stream;
	}
	fine = fine && loki_entry(text, s, e.stream, &e.time_ns);
	e.len = (uint32_t)text->len - e.at;
	if (!batch.entries.len)
		batch.since = cmd_monotonic_ns();
	e.number = batch.entries.len;
	span_buf_put(&batch.entries, &e, sizeof(e));
	if (!fine || batch.entries.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return text->len >= batch.size ? loki_batch_flush(err) : 0;
}

uint64_t loki_batch_since(void)
{
	return batch.entries.len ? batch.since : 0;
}

static void warn_count(uint64_t n, const char *text)
{
	if (n)
		cmd_warn("%llu %s", (unsigned long long)n, text);
}

void loki_batch_warn(void)
{
	warn_count(refused.old,
		   "entries are older than 7 days: by default Loki refuses "
		   "them");
	warn_count(refused.early,
		   "entries are more than 10 minutes in the future: by "
		   "default Loki refuses them");
	warn_count(refused.behind,
		   "entries are more than an hour before others of their "
		   "stream: by default Loki refuses them");
	warn_count(loki_counts.cut, "lines were cut to 256 KB");
	warn_count(loki_counts.clamped,
		   "times do not fit Loki's and were clamped");
}

void loki_batch_release(void)
{
	span_buf_release(&batch.text);
	span_buf_release(&batch.entries);
}
