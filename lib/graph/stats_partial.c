/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A partial result, drawn in span-stats(1):
 *
 *	[ "SPM1", minor, bin body, crc32c of the body ]
 *
 * The body is read twice: nothing is added before all of it has made sense.
 */
#include "graph/stats.h"

#include "base/crc32c.h"
#include "base/dec.h"
#include "base/pack.h"

#include <stdlib.h>

#include "base/banned.h"

#define MAGIC "SPM1"
#define MINOR 1u
#define ROW_HEAD 8u /* numbers of a row behind its labels */

/* ---- Writing ---- */

static void put_uint(struct span_buf *b, uint64_t n)
{
	struct pack p = {span_buf_reserve(b, PACK_MAX)};
	char *from = p.p;

	if (!from)
		return;
	pack_uint64(&p, n);
	b->len += (size_t)(p.p - from);
}

static void put_array(struct span_buf *b, size_t n)
{
	struct pack p = {span_buf_reserve(b, PACK_MAX)};
	char *from = p.p;

	if (!from)
		return;
	pack_array(&p, n);
	b->len += (size_t)(p.p - from);
}

/* A string, or bytes. */
static void put_text(struct span_buf *b, struct span_str s, bool bin)
{
	struct pack p = {span_buf_reserve(b, PACK_MAX)};
	char *from = p.p;

	if (!from)
		return;
	if (bin)
		pack_bin(&p, s.len);
	else
		pack_str(&p, s.len);
	b->len += (size_t)(p.p - from);
	span_buf_str(b, s);
}

static void put_row(struct span_buf *b, const struct span_stats *st, uint32_t i)
{
	const struct span_stats_row *r = span__stats_row(st, i);
	const uint64_t head[ROW_HEAD] = {r->start_ns, r->spans,	   r->calls,
					 r->errors,   r->sum_high, r->sum_low,
					 r->min_ns,   r->max_ns};
	const uint64_t *counts = span__stats_counts(st, i);

	for (size_t k = 0; k < st->o.n_labels; k++)
		put_uint(b, span__stats_ids(st, i)[k]);
	for (size_t k = 0; k < ROW_HEAD; k++)
		put_uint(b, head[k]);
	put_array(b, 2 * r->durations.n);
	for (size_t k = 0; k < r->durations.n; k++) {
		put_uint(b, r->durations.v[k].bucket);
		put_uint(b, r->durations.v[k].count);
	}
	for (size_t k = 0; counts && k <= st->o.n_bounds; k++)
		put_uint(b, counts[k]);
}

static void put_body(struct span_buf *b, const struct span_stats *st,
		     struct span_str names)
{
	put_text(b, names, true);
	put_uint(b, st->o.n_labels);
	put_uint(b, st->o.width_ns);
	put_uint(b, st->o.width_ns ? st->o.since_ns % st->o.width_ns : 0);
	put_array(b, st->o.n_bounds);
	for (size_t i = 0; i < st->o.n_bounds; i++)
		put_uint(b, st->bounds[i]);
	put_uint(b, st->timed);
	put_uint(b, st->from_ns);
	put_uint(b, st->to_ns);
	put_uint(b, st->left_out);
	put_array(b, st->by_text.n);
	for (uint32_t i = 0; i < st->by_text.n; i++)
		put_text(b, span__stats_text(st, i), true);
	put_uint(b, st->by_key.n);
	for (uint32_t i = 0; i < st->by_key.n; i++)
		put_row(b, st, i);
}

int span_stats_save(const struct span_stats *st, struct span_str names,
		    struct span_buf *out, struct span_error *err)
{
	struct span_buf body = {0};

	put_body(&body, st, names);
	put_array(out, 4);
	put_text(out, SPAN_STR(MAGIC), false);
	put_uint(out, MINOR);
	put_text(out, (struct span_str){body.p, body.len}, true);
	put_uint(out, body.failed ? 0 : span__crc32c(0, body.p, body.len));
	out->failed |= body.failed;
	span_buf_release(&body);
	return out->failed ? span_error_set(err, SPAN_E_NOMEM, "memory is out")
			   : 0;
}

/* ---- Reading ---- */

struct merge {
	struct span_stats *st;
	struct dec d;
	struct span_str names;
	struct span_str *texts;
	size_t n_texts;
	bool add;
	struct span_stats_row row;
	struct span_str labels[SPAN_STATS_LABELS];
	uint64_t counts[SPAN_STATS_BOUNDS + 1];
	struct span_error *err;
};

/* Does it count the same things? False is SPAN_E_INVALID, or d->err. */
static bool same_options(struct merge *m)
{
	struct span_stats_opts *o = &m->st->o;
	struct dec *d = &m->d;
	bool same = span_str_equal(dec_bin(d, SPAN_MAX_STRING), m->names);
	uint64_t since;

	same &= dec_uint(d) == o->n_labels;
	same &= dec_uint(d) == o->width_ns;
	since = dec_uint(d);
	if (o->width_ns && !o->any_since)
		same &= since == o->since_ns % o->width_ns;
	same &= dec_array(d) == o->n_bounds;
	for (size_t i = 0; i < o->n_bounds && same; i++)
		same = dec_uint(d) == m->st->bounds[i];
	if (m->add && o->any_since) {
		o->since_ns = since;
		o->any_since = false;
	}
	return same;
}

static void read_texts(struct merge *m)
{
	struct dec *d = &m->d;

	m->n_texts = dec_array(d);
	free(m->texts);
	m->texts = calloc(m->n_texts + 1, sizeof(*m->texts));
	if (!m->texts)
		dec_fail(d, SPAN_E_NOMEM, "memory is out");
	for (size_t i = 0; i < m->n_texts && !d->err; i++)
		m->texts[i] = dec_bin(d, SPAN_STATS_TEXT);
}

static void read_sketch(struct merge *m)
{
	struct dec *d = &m->d;
	size_t n = dec_array(d);
	uint64_t last = 0;

	span_sketch_reset(&m->row.durations);
	if (n % 2)
		dec_fail(d, SPAN_E_CORRUPT, "a bucket without its count");
	for (size_t i = 0; i < n && !d->err; i += 2) {
		uint64_t bucket = dec_uint_max(d, SPAN_SKETCH_BUCKETS - 1,
					       "a bucket that is none");
		uint64_t count = dec_uint(d);

		if ((i && bucket <= last) || !count)
			dec_fail(d, SPAN_E_CORRUPT, "buckets in no order");
		last = bucket;
		if (!d->err &&
		    span_sketch_put(&m->row.durations,
				    span_sketch_lower((uint32_t)bucket), count,
				    NULL) < 0)
			dec_fail(d, SPAN_E_NOMEM, "memory is out");
	}
}

static void read_row(struct merge *m)
{
	struct span_stats_row *r = &m->row;
	uint64_t *head[ROW_HEAD] = {&r->start_ns, &r->spans,	&r->calls,
				    &r->errors,	  &r->sum_high, &r->sum_low,
				    &r->min_ns,	  &r->max_ns};
	struct dec *d = &m->d;

	for (size_t i = 0; i < m->st->o.n_labels; i++) {
		uint64_t id = dec_uint(d);

		if (id >= m->n_texts)
			dec_fail(d, SPAN_E_CORRUPT, "a label that is none");
		m->labels[i] = d->err ? (struct span_str){0} : m->texts[id];
	}
	for (size_t i = 0; i < ROW_HEAD; i++)
		*head[i] = dec_uint(d);
	read_sketch(m);
	for (size_t i = 0; m->st->o.n_bounds && i <= m->st->o.n_bounds; i++)
		m->counts[i] = dec_uint(d);
}

static int add_row(struct merge *m)
{
	uint64_t *counts;
	uint32_t i;

	if (span__stats_find(m->st, m->labels, m->row.start_ns, &i) < 0)
		return span_error_set(m->err, SPAN_E_NOMEM, "memory is out");
	if (i != UINT32_MAX && (counts = span__stats_counts(m->st, i)))
		for (size_t k = 0; k <= m->st->o.n_bounds; k++)
			counts[k] = span__plus(counts[k], m->counts[k]);
	return span__stats_add_row(m->st, i, &m->row, m->err);
}

/* One pass over the body: 0 or a negative code. */
static int read_body(struct merge *m, struct span_str body)
{
	uint64_t timed, from, to, left_out, rows;
	int rc = 0;

	m->d = dec_init(body.p, body.len);
	if (!same_options(m) && !m->d.err)
		return span_error_set(m->err, SPAN_E_INVALID,
				      "a partial result of other options");
	timed = dec_uint_max(&m->d, 1, "neither 0 nor 1");
	from = dec_uint(&m->d);
	to = dec_uint(&m->d);
	left_out = dec_uint(&m->d);
	read_texts(m);
	rows = dec_uint(&m->d);
	for (uint64_t i = 0; i < rows && !m->d.err && !rc; i++) {
		read_row(m);
		if (m->add)
			rc = add_row(m);
	}
	if (!m->d.err && dec_left(&m->d))
		dec_fail(&m->d, SPAN_E_CORRUPT, "bytes behind the rows");
	if (rc || !m->add)
		return rc;
	m->st->left_out = span__plus(m->st->left_out, left_out);
	if (timed)
		span_stats_widen(m->st, from, to);
	return 0;
}

static int fail(const struct dec *d, const char *p, struct span_error *err)
{
	return span_error_at(err, d->err, (uint64_t)((const char *)d->p - p),
			     "bad partial result: %s", d->what);
}

/* The envelope: its body, or d->err. */
static struct span_str read_envelope(struct dec *d)
{
	struct span_str mark, body;

	if (dec_array(d) < 4)
		dec_fail(d, SPAN_E_CORRUPT, "it is none");
	mark = dec_str(d, 4);
	if (!d->err && !span_str_equal(mark, SPAN_STR(MAGIC)))
		dec_fail(d, SPAN_E_CORRUPT, "it is none");
	if (dec_uint(d) != MINOR)
		dec_fail(d, SPAN_E_FORMAT, "it is of another version");
	body = dec_bin(d, UINT32_MAX);
	if (dec_uint(d) != span__crc32c(0, body.p, body.len) && !d->err)
		dec_fail(d, SPAN_E_CORRUPT, "its checksum is wrong");
	return body;
}

int span_stats_names(const void *p, size_t len, struct span_str *names,
		     struct span_error *err)
{
	struct dec d = dec_init(p, len);
	struct span_str body = read_envelope(&d);

	if (d.err)
		return fail(&d, p, err);
	d = dec_init(body.p, body.len);
	*names = dec_bin(&d, SPAN_MAX_STRING);
	return d.err ? fail(&d, body.p, err) : 0;
}

int span_stats_merge(struct span_stats *st, struct span_str names,
		     const void *p, size_t len, size_t *used,
		     struct span_error *err)
{
	struct merge m = {.st = st, .names = names, .err = err};
	struct dec d = dec_init(p, len);
	struct span_str body = read_envelope(&d);
	int rc = 0;

	if (d.err)
		return fail(&d, p, err);
	for (int pass = 0; pass < 2 && !rc; pass++) {
		m.add = pass;
		rc = read_body(&m, body);
		if (!rc && m.d.err)
			rc = fail(&m.d, p, err);
	}
	*used = (size_t)((const char *)d.p - (const char *)p);
	free(m.texts);
	span_sketch_release(&m.row.durations);
	return rc;
}
