/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of CSV behind a header: a span each. What is in a column its name
 * says, in any case, with or without _ between words; a name that says nothing
 * is a tag's. libcsv takes a record apart; where it ends is found first, so
 * that a bad one costs only itself.
 */
#include "codec/lines.h"

#include <csv.h>

#include "codec/csv_field.h"

#include "base/banned.h"

size_t span__csv_record(struct span__csv_scan *s, const unsigned char *p,
			size_t len)
{
	size_t at = 0;

	while (at < len && !s->ended) {
		unsigned char c = p[at++];

		if (s->quoted && c == '"') {
			s->quoted = false;
			s->closing = true;
			continue;
		}
		if (s->quoted)
			continue;
		if (c == '"' && (s->closing || !s->inside))
			s->quoted = true;
		s->ended = c == '\n';
		s->inside = c != ',' && c != '\n';
		s->closing = false;
	}
	return at;
}

struct reader {
	struct span__message *m;
	struct span__list columns,
		fields; /* struct span__csv_column, span_str */
	struct csv_parser csv;
	bool ended; /* the record */
};

static void take_field(void *p, size_t len, void *arg)
{
	struct reader *r = arg;
	struct span_str *s;

	s = span__message_push(r->m, &r->m->d->arena, &r->fields, sizeof(*s));
	if (s && !span_arena_str(&r->m->d->arena, (struct span_str){p, len}, s))
		span__cursor_fail(&r->m->in, r->m->in.p, SPAN_E_NOMEM,
				  "out of memory");
}

static void take_record(int c, void *arg)
{
	struct reader *r = arg;

	(void)c;
	r->ended = true;
}

/* The fields of a record; false when its quotes are wrong. */
static bool split(struct reader *r, struct span_str record)
{
	bool good;

	r->fields = (struct span__list){0};
	good = csv_parse(&r->csv, record.p, record.len, take_field, take_record,
			 r) == record.len &&
	       csv_fini(&r->csv, take_field, take_record, r) == 0;
	if (!good) {
		csv_free(&r->csv);
		csv_init(&r->csv, CSV_STRICT | CSV_STRICT_FINI);
	}
	return good;
}

static void read_record(struct reader *r, const unsigned char *at,
			struct span_str record)
{
	struct span__message *m = r->m;
	struct span__csv_span s = {0};
	const struct span__csv_column *c = r->columns.v;
	const struct span_str *f;
	struct span_process *p;

	m->marks = m->process_marks = 0;
	if (!split(r, record)) {
		span__message_bad_span(m, at, "quotes that do not match");
		return;
	}
	f = r->fields.v;
	if (!r->fields.n || m->in.failed)
		return;
	if (r->fields.n != r->columns.n) {
		span__message_bad_span(m, at,
				       r->fields.n < r->columns.n
					       ? "fewer fields than the header"
					       : "more fields than the header");
		return;
	}
	for (size_t i = 0; i < r->fields.n && !s.bad; i++)
		span__csv_field(m, &s, &c[i], f[i]);
	p = span__message_array(m, &m->d->arena, 1, sizeof(*p));
	if (!span__csv_finish(&s) || !p) {
		span__message_bad_span(m, at, s.bad);
		return;
	}
	*p = s.process;
	span__message_process(m, p, &m->d->arena);
	s.s.marks = m->marks | m->process_marks;
	m->process_marks = 0;
	span__message_span(m, &s.s, p);
}

/* The header's names stay for the whole message. */
static void read_header(struct reader *r, struct span_str record)
{
	struct span__message *m = r->m;
	const struct span_str *f;
	bool known = false;

	if (!split(r, record)) {
		span__cursor_fail(&m->in, (const unsigned char *)record.p,
				  SPAN_E_CORRUPT,
				  "quotes in the header that do not match");
		return;
	}
	f = r->fields.v;
	for (size_t i = 0; i < r->fields.n && !m->in.failed; i++) {
		struct span__csv_column *c = span__message_push(
			m, &m->d->keep, &r->columns, sizeof(*c));

		if (!c || !span_arena_str(&m->d->keep, f[i], &c->name))
			return;
		known |= span__csv_column(c);
	}
	if (!known)
		span__cursor_fail(&m->in, (const unsigned char *)record.p,
				  SPAN_E_CORRUPT,
				  "a header without a column trace_id");
}

void span__csv_read(struct span__message *m)
{
	struct reader r = {.m = m};
	struct span__cursor *in = &m->in;
	bool header = true;

	if (csv_init(&r.csv, CSV_STRICT | CSV_STRICT_FINI) != 0)
		return;
	/* A byte order mark, which spreadsheets write. */
	if (cursor_left(in) > 2 && !memcmp(in->p, "\xef\xbb\xbf", 3))
		in->p += 3;
	while (in->p < in->end) {
		struct span__csv_scan scan = {0};
		const unsigned char *at = in->p;
		size_t len = span__csv_record(&scan, at, cursor_left(in));
		struct span_str record = {(const char *)at, len};

		if (header)
			read_header(&r, record);
		else
			read_record(&r, at, record);
		header = false;
		if (m->pass != SPAN__COLLECT)
			span_arena_reset(&m->d->arena);
		if (!in->failed)
			in->p = at + len;
	}
	csv_free(&r.csv);
}
