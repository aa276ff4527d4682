/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks that are off: the cases that Jaeger's own adjuster is known by, in
 * milliseconds, and times that do not fit.
 */
#include <span/trace.h>

#include <stdlib.h>

#include "tap.h"

#include "base/banned.h"

#define MS UINT64_C(1000000)
#define MAX_SPANS 4

/* A span has an event a tenth into it; its parent is the one before. */
struct row {
	uint64_t start, duration;
	const char *host;
};

static void put(struct span_trace_builder *b, uint8_t id, const struct row *r,
		uint64_t unit)
{
	struct span_attr host = {.key = SPAN_STR("host.name")};
	struct span_process process = {.service = SPAN_STR("s")};
	struct span_event event = {.time_ns = (r->start + r->duration / 10) *
					      unit};
	struct span s = {
		.trace_id = {1},
		.span_id = {id},
		.parent_id = {(uint8_t)(id - 1)},
		.start_ns = r->start * unit,
		.duration_ns = r->duration * unit,
		.process = &process,
		.events = &event,
		.n_events = 1,
	};

	host.value.type = SPAN_STRING;
	host.value.str = span_str(r->host);
	process.attrs = (struct span_attrs){&host, 1, 0};
	if (span_trace_builder_put(b, &s, NULL) < 0)
		abort();
}

static const struct {
	const char *name;
	uint64_t max;
	struct row rows[MAX_SPANS + 1];
	const char *want; /* start, event, and the attribute */
} cases[] = {
	{"before its parent: to the middle",
	 1000,
	 {{10, 100, "a"}, {0, 50, "b"}},
	 "10/20 35/40(moved 35)"},
	{"longer than its parent: to its start",
	 1000,
	 {{10, 100, "a"}, {0, 150, "b"}},
	 "10/25(moved 10) 10/20"},
	{"longer, but behind the start: it stays",
	 1000,
	 {{10, 100, "a"}, {20, 150, "b"}},
	 "10/20 20/35"},
	{"inside: it stays",
	 1000,
	 {{10, 100, "a"}, {20, 50, "b"}},
	 "10/20 20/25"},
	{"too far",
	 10,
	 {{10, 100, "a"}, {80, 50, "b"}},
	 "10/20 80/85(refused -45)"},
	{"its own child on the same host moves along",
	 1000,
	 {{10, 100, "a"}, {50, 70, "b"}, {60, 20, "b"}},
	 "10/20 25/32(moved -25) 35/37(moved -25)"},
	{"on the host of its parent nothing moves",
	 1000,
	 {{10, 100, "a"}, {0, 50, "a"}},
	 "0/5 10/20"},
	{"where no host is known nothing moves",
	 1000,
	 {{10, 100, ""}, {0, 50, ""}},
	 "0/5 10/20"},
	{"below a host that is not known nothing moves",
	 1000,
	 {{10, 100, ""}, {0, 50, "a"}},
	 "0/5 10/20"},
	{"one that does not say its host moves with its service",
	 1000,
	 {{10, 100, "a"}, {0, 50, "b"}, {10, 20, ""}},
	 "10/20 35/40(moved 35) 45/47(moved 35)"},
	{"what is refused is refused below, too",
	 10,
	 {{10, 100, "a"}, {80, 50, "b"}, {90, 10, "b"}},
	 "10/20 80/85(refused -45) 90/91(refused -45)"},
};

static void draw(struct span_buf *b, const struct span_trace *t, uint64_t unit)
{
	const struct span_value *v;

	for (size_t i = 0; i < t->n; i++) {
		const struct span *s = &t->spans[i];

		span_buf_printf(b, "%s%" PRIu64 "/%" PRIu64, i ? " " : "",
				s->start_ns / unit, s->events->time_ns / unit);
		v = span_attr_get(&s->attrs,
				  SPAN_STR("spantools.clock_skew_ns"));
		if (v)
			span_buf_printf(b, "(moved %" PRId64 ")",
					v->i / (int64_t)unit);
		v = span_attr_get(&s->attrs,
				  SPAN_STR("spantools.clock_skew_refused_ns"));
		if (v)
			span_buf_printf(b, "(refused %" PRId64 ")",
					v->i / (int64_t)unit);
	}
	span_buf_putc(b, 0);
}

static void check(const char *name, const struct row *rows, uint64_t max,
		  uint64_t unit, const char *want)
{
	struct span_trace_builder b = {0};
	struct span_buf text = {0};
	struct span_trace t;

	for (uint8_t i = 0; rows[i].host; i++)
		put(&b, (uint8_t)(i + 1), &rows[i], unit);
	if (span_trace_builder_build(&b, &t, NULL) < 0 ||
	    span_trace_builder_adjust(&b, max * unit, &t, NULL) < 0)
		abort();
	draw(&text, &t, unit);
	is_str(text.p, want, "%s", name);
	span_buf_release(&text);
	span_trace_builder_release(&b);
}

int main(void)
{
	static const struct row far[] = {
		{UINT64_MAX - 10, 10, "a"}, {0, 5, "b"}, {0, 0, NULL}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(cases[i].name, cases[i].rows, cases[i].max, MS,
		      cases[i].want);
	check("a distance that does not fit", far, UINT64_MAX, 1,
	      "9223372036854775807/9223372036854775807"
	      "(moved 9223372036854775807) "
	      "18446744073709551605/18446744073709551606");
	return done_testing();
}
