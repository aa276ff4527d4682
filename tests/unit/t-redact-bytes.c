/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames that go through redaction as a whole take with them no byte that no
 * rule has looked at.
 */
#include "redact-frames.h"

#include "base/crc32c.h"
#include "stream/writer.h"
#include "tap.h"

#include "base/banned.h"

/* 40 spans of 2 services, of which every third has a secret. */
struct many {
	struct span_process processes[2];
	struct span_attr attrs[40];
	struct span spans[40];
};

static void many_spans(struct many *m)
{
	for (size_t i = 0; i < 2; i++)
		m->processes[i] = (struct span_process){
			.service = i ? SPAN_STR("a") : SPAN_STR("b"),
			.serial = i + 1};
	for (size_t i = 0; i < 40; i++) {
		m->attrs[i] = (struct span_attr){
			SPAN_STR("note"),
			text_value(i % 3 ? SPAN_STR("plain")
					 : SPAN_STR("at 10.11.12.13"))};
		m->spans[i] = (struct span){.process = &m->processes[i % 2],
					    .name = SPAN_STR("n"),
					    .attrs = {&m->attrs[i], 1, 0}};
	}
}

/* Those spans of many_spans() that KEEP has a bit for, with all tables. */
static void slice_of(const uint8_t keep[5], struct span_buf *out)
{
	struct span_buf in = {0};
	struct many m;
	struct span_writer *w = open_writer(out);
	struct span_frame *f;
	struct span_error err;

	many_spans(&m);
	frame_of(m.spans, 40, &in);
	f = open_frame(contents(&in));
	if (span_writer_put_slice(w, f, keep, &err) < 0)
		abort();
	span_writer_close(&w);
	span_frame_close(&f);
	span_buf_release(&in);
}

/* What spans that were left out had is still in the tables of a slice. */
static void test_unused(void)
{
	static const uint8_t keep[5] = {0xb6, 0x6d, 0xdb, 0xb6, 0x6d};
	struct span_redact *r = open_rules("mask zzz");
	struct span_buf slice = {0}, out = {0};
	uint32_t changed;

	slice_of(keep, &slice);
	ok(memmem(slice.p, slice.len, "11.12", 5), "a slice has old texts");
	is_int(whole(r, contents(&slice), &out, &changed), 1,
	       "it goes as a whole");
	ok(!memmem(out.p, out.len, "11.12", 5), "and has none after that");
	ok(is_right(r, contents(&slice), contents(&out), 0), "but its spans");
	span_buf_release(&slice);
	span_buf_release(&out);
	span_redact_close(&r);
}

static void test_unused_process(void)
{
	static const uint8_t keep[5] = {0x55, 0x55, 0x55, 0x55, 0x55};
	struct span_redact *r = open_rules("mask zzz");
	struct span_buf slice = {0}, out = {0};
	uint32_t changed;

	slice_of(keep, &slice);
	is_int(whole(r, contents(&slice), &out, &changed), 0,
	       "tables with processes of nobody are made anew");
	span_buf_release(&slice);
	span_buf_release(&out);
	span_redact_close(&r);
}

/* Put another head and WHAT at the end of a frame, whose sum is right. */
static void add_element(struct span_buf *b, const char *what)
{
	uint32_t crc;

	b->p[0] = (char)0x9c;
	crc = span__crc32c(0, b->p, b->len - 5);
	for (int i = 0; i < 4; i++)
		b->p[b->len - 4 + i] = (char)(crc >> 8 * (3 - i));
	span_buf_putc(b, (char)(0xa0 | strlen(what)));
	span_buf_puts(b, what);
}

/* What is not looked at is not passed on. */
static void test_unknown(void)
{
	struct span_redact *r = open_rules(NULL);
	struct span_buf in = {0}, out = {0};
	struct many m;
	uint32_t changed;

	many_spans(&m);
	frame_of(m.spans, 40, &in);
	is_int(whole(r, contents(&in), &out, &changed), 1, "a frame goes");
	is_int(changed, 14, "14 of its spans changed");
	is_uint(span_redact_values(r), 14, "and so many values");
	out.len = 0;
	add_element(&in, "10.1.2.3");
	is_int(whole(r, contents(&in), &out, &changed), 0,
	       "but not with an element of a later version");
	span_buf_release(&in);
	span_buf_release(&out);
	span_redact_close(&r);
}

/* Frames by their bytes: strings, processes and scopes; the body's one span. */
static const struct packed {
	const char *what;
	const char *tables;
	size_t n_tables;
	const char *span;
	size_t n_span;
	bool goes;
} packed[] = {
#define HEAD "\x01\x02\0\0\x01\0\0\0\0\0" /* trace id to flags */
#define TABLES(process, scope)                                                 \
	"\x92\xa1n\xa1k"                                                       \
	"\x91" process "\x91" scope
#define PACKED(what, tables, span, goes)                                       \
	{                                                                      \
		what, tables, sizeof(tables) - 1, span, sizeof(span) - 1, goes \
	}
#define GOOD TABLES("\x91\0", "\x90")
	PACKED("what is known", GOOD, "\x9e" HEAD "\x90\x90\x90\x90", true),
	PACKED("a span's 15th element", GOOD,
	       "\x9f" HEAD "\x90\x90\x90\x90\xa6secret", false),
	PACKED("an event's 5th", GOOD,
	       "\x9c" HEAD "\x90\x91\x95\0\x90\0\0\xa6secret", false),
	PACKED("a reference's 8th", GOOD,
	       "\x9d" HEAD "\x90\x90\x91\x98\0\x01\x02\x90\0\0\0\xa6secret",
	       false),
	PACKED("a sixth one of extras", GOOD,
	       "\x9e" HEAD "\x90\x90\x90\x96\0\0\0\0\0\xa6secret", false),
	PACKED("a process's 5th", TABLES("\x95\0\x90\0\0\xa6secret", "\x90"),
	       "\x9a" HEAD, false),
	PACKED("a scope's 6th", TABLES("\x91\0", "\x96\0\0\x90\0\0\xa6secret"),
	       "\x9a" HEAD, false),
	PACKED("an attribute of a string without a number", GOOD,
	       "\x9b" HEAD "\x92\x03\x02", false),
	PACKED("an event of all there is", GOOD,
	       "\x9c" HEAD "\x90\x91\x94\0\x92\x02\xa1v\x01\0", true),
	PACKED("bytes behind a span", GOOD, "\x9a" HEAD "\xa6secret", false),
	PACKED("a scope that is none", GOOD,
	       "\x9a\x01\x02\0\0\xcf\xff\xff\xff\xff\xff\xff\xff\xff"
	       "\0\0\0\0\0",
	       false),
#undef GOOD
#undef PACKED
#undef TABLES
#undef HEAD
};

static void compose(struct span_buf *out, const struct packed *p,
		    uint64_t min_start_ns)
{
	char body[64];
	struct span__parts parts = {
		.n_spans = 1,
		.min_start_ns = min_start_ns,
		.max_end_ns = UINT64_MAX,
		.tables = {{p->tables, p->n_tables}},
		.body = {body, p->n_span + 1},
	};

	body[0] = (char)p->n_span;
	memcpy(body + 1, p->span, p->n_span);
	span__frame_compose(out, &parts);
}

/* Neither is what is not known, deeper in. */
static void test_packed(void)
{
	struct span_redact *r = open_rules("mask *");
	struct span_buf in = {0}, out = {0};
	uint32_t changed;

	for (size_t i = 0; i < sizeof(packed) / sizeof(*packed); i++) {
		in.len = out.len = 0;
		compose(&in, &packed[i], 0);
		is_int(whole(r, contents(&in), &out, &changed), packed[i].goes,
		       "%s", packed[i].what);
		if (packed[i].goes)
			ok(is_right(r, contents(&in), contents(&out), 1),
			   "and it is right");
		/* After some that do not go others have to wait. */
		span_redact_close(&r);
		r = open_rules("mask *");
	}
	in.len = 0;
	compose(&in, packed, 1);
	is_int(whole(r, contents(&in), &out, &changed), 0,
	       "a span before its frame");
	span_redact_close(&r);
	span_buf_release(&in);
	span_buf_release(&out);
}

int main(void)
{
	test_unused();
	test_unused_process();
	test_unknown();
	test_packed();
	return done_testing();
}
