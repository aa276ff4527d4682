/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces of a log become shapes when their parent ids alone make a tree, with
 * what segments have of them, and are given otherwise.
 */
#include "store/shapes_log.h"

#include <inttypes.h>

#include "tests/unit/tap.h"

#define BASE 1795341600000000000u

/* What was handed out of the trace: a shape, or it was given. */
struct got {
	char text[128];
	unsigned shapes, given;
};

static struct span_error err;

static void must(bool good)
{
	if (good)
		return;
	diag("%s", err.msg);
	abort();
}

static int no_type(void *arg, const struct span *what, uint64_t *chosen,
		   struct span_error *e)
{
	(void)arg, (void)what, (void)chosen, (void)e;
	abort();
}

/* Chosen is a span for its flags; the name tells what else. */
static int see_span(void *arg, const struct span *s, uint64_t *chosen,
		    bool *needed, struct span_error *e)
{
	(void)arg, (void)e;
	*chosen = s->flags;
	*needed = !span_str_equal(s->name, span_str("other"));
	return !span_str_equal(s->name, span_str("odd"));
}

static int see_shape(void *arg, const struct span__shape_node *v, size_t n,
		     uint32_t *matched, struct span_error *e)
{
	struct got *got = arg;
	size_t len = 0;

	(void)e;
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(got->text + len,
					sizeof(got->text) - len,
					"%s%" PRIu64 ":%" PRIu64, i ? " " : "",
					v[i].depth, v[i].chosen);
	got->shapes++;
	*matched = 2;
	return 0;
}

static int see_trace(void *arg, const uint8_t id[16], struct span_error *e)
{
	struct got *got = arg;

	(void)e;
	got->given += id[0] == 7;
	return 0;
}

/*
 * Spans in turn: the id, a digit, then of what follows any: "<" and that of its
 * parent, "@" and when it starts, "?" when it does not tell, "-" when it is not
 * needed. What is chosen of the first is 1, of the next 2.
 */
static const struct {
	const char *name, *spans;
	const char *shape; /* "": none */
	unsigned given;
} tests[] = {
	{"a tree", "1 2<1 3<2 4<1", "0:1 1:2 2:3 1:4", 0},
	{"children first", "4<1 3<2 2<1 1", "0:4 1:1 1:3 2:2", 0},
	{"two roots", "1 2 3<2", "0:1 0:2 1:3", 0},
	{"one id twice", "1 2<1 2<1", "", 1},
	{"a parent that is elsewhere", "1 2<9", "", 1},
	{"a circle", "1 2<3 3<2", "", 1},
	{"its own parent", "1 2<2", "", 1},
	{"one that does not tell", "1 2<1? 3<1", "", 1},
	{"one before the times", "1 2<1@99", "", 1},
	{"one behind the times", "1 2<1@200", "", 1},
	{"at the ends of the times", "1@100 2<1@199", "0:1 1:2", 0},
	{"nothing that is needed", "1-", "", 0},
	{"one that is needed", "1- 2<1", "0:1 1:2", 0},
};

/* The span at TEXT. Returns where the next one is. */
static const char *make_span(const char *text, struct span *s)
{
	uint64_t offset;

	s->span_id[7] = (uint8_t)*text++;
	s->start_ns = BASE + 100;
	for (; *text && *text != ' '; text++) {
		if (*text == '<')
			s->parent_id[7] = (uint8_t) * ++text;
		else if (*text == '?')
			s->name = span_str("odd");
		else if (*text == '-')
			s->name = span_str("other");
		else if (sscanf(text, "@%" SCNu64, &offset) == 1) {
			s->start_ns = BASE + offset;
			text += 2;
		}
	}
	return *text ? text + 1 : text;
}

/* Each in a frame of its own. */
static void feed(struct span__shapes_log *l, const char *text)
{
	const struct span_process process = {.service = span_str("shop")};

	for (unsigned i = 1; *text; i++) {
		struct span s = {
			.trace_id = {7}, .flags = i, .process = &process};
		struct span_buf mem = {0};
		struct span_writer *w;

		text = make_span(text, &s);
		must(span_writer_open_mem(&w, &mem, &err) == 0);
		must(span_writer_put(w, &s, &err) == 0);
		must(span_writer_flush(w, &err) == 0);
		must(span__shapes_log_frame(
			     l, (struct span_str){mem.p, mem.len}, &err) >= 0);
		span_writer_close(&w);
		span_buf_release(&mem);
	}
}

/* What a segment has of the trace. */
struct part {
	const char *name;
	struct span__asked v[3];
	size_t n;
	bool needed;
	const char *shape; /* with the log's "1 2<1" */
	unsigned given;
};

/* The id, that of the parent, and what is chosen of spans. */
static const struct part parts[] = {
	{"below the log's",
	 {{'3', '2', 7, 0}, {'4', '3', 8, 0}},
	 2,
	 true,
	 "0:1 1:2 2:7 3:8",
	 0},
	{"a tree of its own", {{'3', 0, 7, 0}}, 1, false, "0:1 1:2 0:7", 0},
	{"a span that the log has", {{'2', '1', 7, 0}}, 1, true, "", 1},
	{"a parent that nobody has", {{'3', '9', 7, 0}}, 1, true, "", 1},
	{"one that does not tell", {{0}}, 0, false, "", 1},
};

static struct got hand_out(const char *text, const struct part *part,
			   bool damaged)
{
	struct got got = {.text = ""};
	struct span__shapes_sink sink = {
		.arg = &got,
		.type = no_type,
		.span = see_span,
		.shape = see_shape,
		.trace = see_trace,
		.since_ns = BASE + 100,
		.until_ns = BASE + 200,
	};
	struct span__shapes_judge judge = {.sink = &sink};
	const uint8_t id[16] = {7};
	struct span__shapes_log *l;

	must(span__shapes_log_open(&l, &judge, &err) == 0);
	feed(l, text);
	if (damaged)
		must(span__shapes_log_frame(l, span_str("\x9b\xa4SPN"), NULL) <
		     0);
	if (part)
		must(span__shapes_log_part(l, id, part->n ? part->v : NULL,
					   part->n, part->needed, &err) == 0);
	must(span__shapes_log_finish(l, &err) == 0);
	is_uint(sink.n_traces, got.shapes, "traces that match");
	is_uint(sink.n_spans, 2 * got.shapes, "spans that match");
	span__shapes_log_close(&l);
	span__shapes_judge_release(&judge);
	return got;
}

int main(void)
{
	struct got got;

	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		got = hand_out(tests[i].spans, NULL, false);
		is_str(got.text, tests[i].shape, "%s", tests[i].name);
		is_uint(got.given, tests[i].given, "  given");
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		got = hand_out("1 2<1", &parts[i], false);
		is_str(got.text, parts[i].shape, "a part: %s", parts[i].name);
		is_uint(got.given, parts[i].given, "  given");
	}
	got = hand_out("1- 2<1-", &parts[1], false);
	ok(!got.shapes && !got.given, "no part is needed");
	got = hand_out("1- 2<1-", &parts[0], false);
	ok(got.shapes == 1, "a segment's part is needed");
	got = hand_out(tests[0].spans, NULL, true);
	ok(!got.shapes && got.given == 1, "behind damage all are given");
	return done_testing();
}
