/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store in memory: a ring of frames, of which the oldest make room for new
 * ones. For tests, demos and pipelines that look back a little.
 *
 * A cursor holds a copy of the frame it is in and the sequence number of the
 * next one, so that appends go on while it is open; frames that were dropped
 * before it came to them it passes over, as it would an expired file.
 */
#include "store/store_ops.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/store_calls.h"
#include "store/store_cursor.h"

#include "base/banned.h"

struct slot {
	char *p;
	size_t len;
	uint64_t arrival_ns, min_start_ns, max_end_ns;
	uint32_t n_spans;
};

struct memory {
	struct span_store base;
	uint64_t size; /* bytes of frames at most */
	/* Frame SEQ is in ring[SEQ % cap]; those from first to next - 1 are. */
	struct slot *ring;
	size_t cap;
	uint64_t first, next;
	uint64_t bytes;
	uint64_t last; /* of the snapshot: scans end before it */
	struct span_store_counts counts;
};

static struct slot *slot(const struct memory *m, uint64_t seq)
{
	return &m->ring[seq % m->cap];
}

static void drop_oldest(struct memory *m)
{
	struct slot *s = slot(m, m->first++);

	m->bytes -= s->len;
	free(s->p);
	s->p = NULL;
}

static int grow(struct memory *m, struct span_error *err)
{
	struct memory bigger = *m;

	if (m->next - m->first < m->cap)
		return 0;
	bigger.cap = m->cap ? m->cap * 2 : 64;
	bigger.ring = calloc(bigger.cap, sizeof(*bigger.ring));
	if (!bigger.ring)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	for (uint64_t seq = m->first; seq < m->next; seq++)
		*slot(&bigger, seq) = *slot(m, seq);
	free(m->ring);
	m->ring = bigger.ring;
	m->cap = bigger.cap;
	return 0;
}

static int append(struct span_store *st, const struct span_frame_info *info,
		  uint32_t future, struct span_error *err)
{
	struct memory *m = (struct memory *)st;
	const struct span__io *io = st->io;
	struct span_store_ack ack = {0, 0, m->next, info->n_spans};
	size_t len = info->bytes.len;
	struct slot s = {
		.p = malloc(len),
		.len = len,
		.arrival_ns = io->clock(io->self, CLOCK_REALTIME),
		.min_start_ns = info->min_start_ns,
		.max_end_ns = info->max_end_ns,
		.n_spans = info->n_spans,
	};

	if (!s.p || grow(m, err) < 0) {
		free(s.p);
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	}
	memcpy(s.p, info->bytes.p, len);
	while (m->first < m->next && m->bytes + len > m->size)
		drop_oldest(m);
	*slot(m, m->next++) = s;
	m->bytes += len;
	m->counts.frames++;
	m->counts.spans += s.n_spans;
	m->counts.acknowledged += s.n_spans;
	m->counts.bytes += len;
	m->counts.future += future;
	ack.end = m->counts.bytes;
	return st->opts.ack ? st->opts.ack(st->opts.arg, &ack, err) : 0;
}

static void counts(const struct span_store *st, struct span_store_counts *out)
{
	*out = ((const struct memory *)st)->counts;
}

static int refresh(struct span_store *st, struct span_error *err)
{
	struct memory *m = (struct memory *)st;

	(void)err;
	m->last = m->next;
	return 0;
}

struct memory_scan {
	struct span__frame_cursor c;
	const struct memory *m;
	uint64_t seq; /* of the next frame */
	struct span_buf copy;
};

static int next_frame(struct span__frame_cursor *c, struct span_str *out,
		      struct span_error *err)
{
	struct memory_scan *s = (struct memory_scan *)c;
	const struct memory *m = s->m;
	const struct slot *f;

	do {
		if (s->seq < m->first)
			s->seq = m->first;
		if (s->seq >= m->last)
			return 0;
		f = slot(m, s->seq++);
	} while (!span__scan_overlaps(&c->filter.scan, f->min_start_ns,
				      f->max_end_ns));
	s->copy.len = 0;
	span_buf_put(&s->copy, f->p, f->len);
	if (s->copy.failed) {
		s->copy.failed = false;
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	}
	*out = (struct span_str){s->copy.p, s->copy.len};
	return 1;
}

/* Memory does not rot: append validated it. */
static void bad_frame(struct span__frame_cursor *c,
		      const struct span_error *why)
{
	(void)c;
	(void)why;
}

static void close_scan(struct span_cursor *c)
{
	struct memory_scan *s = (struct memory_scan *)c;

	span_buf_release(&s->copy);
	span__frame_cursor_release(&s->c);
	free(s);
}

static const struct span__cursor_ops cursor_ops = {
	.next = span__frame_cursor_next,
	.count = span__frame_cursor_count,
	.close = close_scan,
};

/* The first scan makes the snapshot, refresh the later ones. */
static int scan(struct span_store *st, const struct span__scan *scan,
		struct span_cursor **out, struct span_error *err)
{
	struct memory *m = (struct memory *)st;
	struct memory_scan *s = calloc(1, sizeof(*s));

	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	if (!m->last)
		m->last = m->next;
	s->m = m;
	s->c.next_frame = next_frame;
	s->c.bad_frame = bad_frame;
	if (span__frame_cursor_init(&s->c, &cursor_ops, scan, err) < 0) {
		free(s);
		return SPAN_E_NOMEM;
	}
	*out = &s->c.base;
	return 0;
}

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static int stat(struct span_store *st, struct span_store_stat *out,
		struct span_error *err)
{
	const struct memory *m = (const struct memory *)st;

	(void)err;
	out->n_frames = m->next - m->first;
	out->bytes = m->bytes;
	out->free_bytes = UINT64_MAX;
	if (!out->n_frames)
		return 0;
	out->min_start_ns = out->min_arrival_ns = UINT64_MAX;
	for (uint64_t seq = m->first; seq < m->next; seq++) {
		const struct slot *s = slot(m, seq);

		out->n_spans += s->n_spans;
		out->min_start_ns = min64(out->min_start_ns, s->min_start_ns);
		out->max_end_ns = max64(out->max_end_ns, s->max_end_ns);
		out->min_arrival_ns = min64(out->min_arrival_ns, s->arrival_ns);
		out->max_arrival_ns = max64(out->max_arrival_ns, s->arrival_ns);
	}
	return 0;
}

static bool goes(const struct memory *m, const struct span_store_policy *p,
		 uint64_t now)
{
	uint64_t arrival;

	if (m->first == m->next)
		return false;
	arrival = slot(m, m->first)->arrival_ns;
	return (p->max_bytes && m->bytes > p->max_bytes) ||
	       (p->max_age_ns && now > arrival &&
		now - arrival > p->max_age_ns);
}

static int expire(struct span_store *st, const struct span_store_policy *p,
		  struct span_store_expired *out, span_store_file_fn *fn,
		  void *arg, struct span_error *err)
{
	struct memory *m = (struct memory *)st;
	const struct span__io *io = st->io;
	uint64_t now =
		p->now_ns ? p->now_ns : io->clock(io->self, CLOCK_REALTIME);

	(void)fn;
	(void)arg;
	if (p->dry_run)
		return span_error_set(err, SPAN_E_INVALID,
				      "memory has no dry run");
	while (goes(m, p, now)) {
		out->n_spans += slot(m, m->first)->n_spans;
		out->bytes += slot(m, m->first)->len;
		drop_oldest(m);
	}
	return 0;
}

static int read_all(struct memory *m, struct span__call_names *names,
		    bool names_only, struct span__calls_log **out,
		    struct span_error *err)
{
	int rc = span__calls_log_open(out, names, names_only, err);

	if (!m->last)
		m->last = m->next;
	for (uint64_t seq = m->first; seq < m->last && !rc; seq++) {
		const struct slot *s = slot(m, seq);

		rc = span__calls_log_put(*out, (struct span_str){s->p, s->len},
					 err);
	}
	if (!rc)
		rc = span__calls_log_finish(*out, err);
	return rc;
}

static int load_all(void *arg, size_t n, bool keep,
		    struct span__calls_file *out, struct span_error *err)
{
	(void)n;
	(void)keep;
	(void)err;
	*out = *(struct span__calls_file *)arg;
	return 0;
}

static void done_all(void *arg, size_t n)
{
	(void)arg;
	(void)n;
}

static int calls(struct span_store *st, const struct span_store_calls_range *r,
		 span_store_calls_fn *fn, void *arg, struct span_error *err)
{
	const struct span__calls_source bounds = {.max_end_ns = UINT64_MAX};
	struct span__call_names names;
	struct span__calls_file file = {0};
	const struct span__calls_files files = {1, &bounds, load_all, done_all,
						&file};
	int rc = span__call_names_init(&names, err);

	if (!rc)
		rc = read_all((struct memory *)st, &names, false, &file.log,
			      err);
	if (!rc)
		rc = span__calls_count(&files, &names, r, fn, arg, err);
	span__calls_log_close(&file.log);
	span__call_names_release(&names);
	return rc;
}

static int names(struct span_store *st, span_store_name_fn *fn, void *arg,
		 struct span_error *err)
{
	struct span__name_counts c = {0};
	struct span__calls_log *l = NULL;
	int rc = span__call_names_init(&c.names, err);

	if (!rc)
		rc = read_all((struct memory *)st, &c.names, true, &l, err);
	if (!rc)
		rc = span__name_counts_log(&c, l, err);
	if (!rc)
		rc = span__name_counts_give(&c, fn, arg, err);
	span__calls_log_close(&l);
	span__name_counts_release(&c);
	return rc;
}

static int close_memory(struct span_store *st, struct span_error *err)
{
	struct memory *m = (struct memory *)st;

	(void)err;
	while (m->first < m->next)
		drop_oldest(m);
	free(m->ring);
	free(m);
	return 0;
}

static const struct span__store_ops ops = {
	.append = append,
	.counts = counts,
	.scan = scan,
	.refresh = refresh,
	.stat = stat,
	.expire = expire,
	.calls = calls,
	.names = names,
	.close = close_memory,
};

int span__store_open_memory(struct span_store **out, uint64_t size,
			    const char *name, const struct span_store_opts *o,
			    const struct span__io *io, struct span_error *err)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (m)
		m->base = (struct span_store){.ops = &ops,
					      .io = io,
					      .opts = *o,
					      .name = strdup(name)};
	if (!m || !m->base.name) {
		free(m);
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	}
	m->size = size;
	m->first = m->next = 1;
	*out = &m->base;
	return 0;
}
