/* SPDX-License-Identifier: Apache-2.0 */
/*
 * render-probe - traces drawn for the tests
 *
 *   render-probe WHAT TRACE COLUMNS [colour] [ascii] [local] [match]
 *
 * WHAT is tree, traces or spans; TRACE one of those below. match emphasises
 * the errors.
 */
#include <span/render.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define MS 1000000u
#define START 1795341600482000000u

struct row {
	int id, parent;
	uint64_t start_us, duration_us;
	const char *service, *name;
	int kind;
	bool error, follows;
};

enum { INT = 1, SRV, CLI, PRD, CON };

static const struct row shop[] = {
	{1, 0, 0, 1240000, "checkout", "POST /pay", SRV, true, false},
	{2, 1, 11900, 41200, "checkout", "validate", INT, false, false},
	{3, 1, 80100, 802300, "payments", "POST /charge", SRV, true, false},
	{4, 3, 90200, 48000, "payments", "SELECT accounts", CLI, false, false},
	{5, 3, 139000, 1900, "payments", "SELECT limits", CLI, false, false},
	{6, 3, 151000, 710400, "payments", "bank.call", CLI, true, false},
	{7, 1, 884000, 210000, "checkout",
	 "UPDATE orders SET state = ? WHERE id = ?", CLI, false, false},
	{8, 1, 1100000, 96000, "checkout", "publish order", PRD, false, false},
	{9, 8, 1150000, 90000, "mail", "send receipt", CON, false, true},
	{10, 8, 1160000, 15, "audit", "write", CON, false, true},
};

static const struct row odd[] = {
	{1, 0, 1000, 500, "a", "root", SRV, false, false},
	{2, 1, 1100, 0, "a", "no time at all", INT, false, false},
	{3, 1, 1499, 90000000, "a", "outlives its parent", INT, false, false},
	{4, 77, 1200, 100, "b", "parent missing", SRV, true, false},
	{5, 4, 1210, 20, "b", "child of it", INT, false, false},
	{6, 7, 1300, 10, "c", "circle one", INT, false, false},
	{7, 6, 1310, 10, "c", "circle two", INT, false, false},
	{8, 0, 1400, 10, "d", "another root", INT, false, false},
	{8, 0, 1400, 10, "d", "another root", INT, false, false},
	{9, 1, 1, 1, "a", "starts before all", INT, false, false},
};

static const struct row hostile[] = {
	{1, 0, 0, 3000, "\x1b[31mred\x1b[0m", "\x1b]0;title\x07 clear\x1b[2J",
	 SRV, false, false},
	{2, 1, 100, 900,
	 "\xe4\xb8\xad\xe6\x96\x87\xe6\x9c\x8d\xe5\x8a\xa1\xe5\x99\xa8",
	 "\xe8\xae\xa2\xe5\x8d\x95 \xf0\x9f\x98\x80\xf0\x9f\x9a\x80 "
	 "\xe6\x9f\xa5\xe8\xaf\xa2",
	 SRV, true, false},
	{3, 1, 200, 900, "caf\xc3\xa9", "e\xcc\x81t\xcc\x81 \xcc\x81x", INT,
	 false, false},
	{4, 1, 300, 900, "\xff\xfe", "\xe2\x80\xaeuser\xe2\x80\xac\xe2\x80\x8b",
	 INT, false, false},
	{5, 1, 400, 900, "", "", INT, false, false},
	{6, 1, 500, 900, "a\nb\tc\rd", "line\nline\r\nline", INT, false, false},
	{7, 1, 600, 900,
	 "a service with a name that is far too long for any column",
	 "Z\xcc\x80\xcc\x80\xcc\x80\xcc\x80\xcc\x80\xcc\x80\xcc\x80\xcc\x80"
	 "algo \xc2\x9b"
	 "31m",
	 INT, false, false},
};

static const char *const services[] = {"front", "users", "orders", "stock",
				       "mail"};

static void put(struct span_trace_builder *b, const struct row *r)
{
	struct span_process process = {.service = span_str(r->service)};
	struct span_ref ref = {.type = SPAN_REF_FOLLOWS_FROM};
	struct span s = {
		.trace_id = {0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6,
			     0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36},
		.start_ns = START + r->start_us * 1000,
		.duration_ns = r->duration_us * 1000,
		.name = span_str(r->name),
		.process = &process,
		.kind = (uint8_t)r->kind,
		.status = r->error ? SPAN_STATUS_ERROR : SPAN_STATUS_UNSET,
		.refs = &ref,
		.n_refs = r->follows,
	};

	for (int i = 0; i < 4; i++) {
		s.span_id[7 - i] = (uint8_t)(r->id >> 8 * i);
		s.parent_id[7 - i] = (uint8_t)(r->parent >> 8 * i);
	}
	memcpy(ref.span_id, s.parent_id, 8);
	memcpy(ref.trace_id, s.trace_id, 16);
	if (span_trace_builder_put(b, &s, NULL) < 0)
		abort();
}

static void put_rows(struct span_trace_builder *b, const struct row *rows,
		     size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(b, &rows[i]);
}

/* A chain, or a root and its children. */
static void put_many(struct span_trace_builder *b, int n, bool chain)
{
	for (int i = 1; i <= n; i++) {
		struct row r = {i,
				chain ? i - 1 : i > 1,
				(uint64_t)i,
				(uint64_t)(2 * n - 2 * i + 1),
				services[i % 5],
				chain ? "step" : "item",
				INT,
				i % 97 == 0,
				false};

		put(b, &r);
	}
}

static void fill(struct span_trace_builder *b, const char *name)
{
	if (!strcmp(name, "shop"))
		put_rows(b, shop, sizeof(shop) / sizeof(*shop));
	else if (!strcmp(name, "odd"))
		put_rows(b, odd, sizeof(odd) / sizeof(*odd));
	else if (!strcmp(name, "hostile"))
		put_rows(b, hostile, sizeof(hostile) / sizeof(*hostile));
	else if (!strcmp(name, "deep"))
		put_many(b, 1000, true);
	else if (!strcmp(name, "steps"))
		put_many(b, 20, true);
	else if (!strcmp(name, "wide"))
		put_many(b, 10000, false);
	else if (!strcmp(name, "huge"))
		put_many(b, 200000, true);
}

static void draw(struct span_buf *out, const struct span_render_opts *o,
		 const char *what, const struct span_trace *t, bool match)
{
	uint8_t *matched = calloc(t->n, 1);

	for (size_t i = 0; matched && i < t->n; i++)
		matched[i] = span_is_error(&t->spans[i]);
	if (!strcmp(what, "tree"))
		span_render_tree(out, o, t, match ? matched : NULL);
	if (!strcmp(what, "traces")) {
		span_render_traces_head(out, o);
		span_render_traces_row(out, o, t);
	}
	if (!strcmp(what, "spans")) {
		span_render_spans_head(out, o);
		for (size_t i = 0; i < t->n; i++)
			span_render_spans_row(out, o, &t->spans[i]);
	}
	free(matched);
}

int main(int argc, char **argv)
{
	struct span_trace_builder b = {0};
	struct span_render_opts o = {0};
	struct span_buf out = {0};
	struct span_trace t;
	bool match = false;

	if (argc < 4)
		return 2;
	o.columns = strtoul(argv[3], NULL, 10);
	o.full_ns = strcmp(argv[1], "tree") ? 2000 * (uint64_t)MS : 0;
	for (int i = 4; i < argc; i++) {
		o.colour |= !strcmp(argv[i], "colour");
		o.ascii |= !strcmp(argv[i], "ascii");
		o.local_time |= !strcmp(argv[i], "local");
		match |= !strcmp(argv[i], "match");
	}
	fill(&b, argv[2]);
	if (span_trace_builder_build(&b, &t, NULL) < 0)
		return 2;
	draw(&out, &o, argv[1], &t, match);
	fwrite(out.p, 1, out.len, stdout);
	span_buf_release(&out);
	span_trace_builder_release(&b);
	return 0;
}
