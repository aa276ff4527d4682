/* SPDX-License-Identifier: Apache-2.0 */
/* Which spans of a frame are in a scan, against the plainest way to say so. */
#include "scan-model.h"
#include "store/frame_judge.h"
#include "tap.h"

#include <span/stream.h>

#define SPANS 40u
#define FRAMES 60u
#define SCANS 60u

static struct span_arena arena;
static struct rnd rnd = {1, &arena};
static struct span spans[SPANS];
static struct span_buf bytes;
static struct span_frame *frame;

static void make_frame(void)
{
	const struct span_process *processes[4];
	struct span_writer *w = NULL;
	size_t used;

	span_arena_reset(&arena);
	bytes.len = 0;
	for (size_t i = 0; i < 4; i++)
		processes[i] = rnd_process(&rnd);
	if (span_writer_open_mem(&w, &bytes, NULL) < 0)
		abort();
	for (size_t i = 0; i < SPANS; i++) {
		spans[i] = rnd_span(&rnd, processes[rnd_below(&rnd, 4)]);
		/* What is too large for a frame is not what is tested here. */
		while (span_writer_put(w, &spans[i], NULL) < 0)
			spans[i] = rnd_span(&rnd, processes[0]);
	}
	if (span_writer_flush(w, NULL) < 0 ||
	    span_frame_parse(frame, bytes.p, bytes.len, &used, NULL) < 0)
		abort();
	span_writer_close(&w);
}

/* Judge the frame by both ways. Returns how many are in it, or -1. */
static int judge(const struct span__scan *scan)
{
	struct span__filter filter;
	struct span__judge j = {.filter = &filter};
	struct span_error err = {0};
	uint32_t n;
	int want = 0;
	bool same;

	span__filter_init(&filter, scan);
	same = span__judge_frame(&j, frame, &n, &err) == 0;
	for (size_t i = 0; i < span_frame_info(frame)->n_spans && same; i++) {
		bool in = !scan->range || model_in(scan->range, &spans[i]);

		if (scan->n_ids)
			in = in && !memcmp(spans[i].trace_id, scan->ids[0], 16);
		same = span__judge_bit(&j, i) == in;
		want += in;
	}
	if (same)
		same = n == (uint32_t)want;
	if (!same)
		diag("%u of a frame, want %d: %s", n, want, err.msg);
	span__judge_release(&j);
	return same ? want : -1;
}

static void test_random(void)
{
	int found = 0, bad = 0, some = 0, none = 0;

	for (size_t i = 0; i < FRAMES * SCANS && !bad; i++) {
		struct scan_model m;
		struct span__scan scan = {.range = &m.range};
		int n;

		if (i % SCANS == 0) {
			make_frame();
			if (span_frame_info(frame)->n_spans != SPANS)
				continue;
		}
		model_rnd(&m, &rnd, &spans[rnd_below(&rnd, SPANS)]);
		n = judge(&scan);
		bad += n < 0;
		found += n;
		some += n > 0;
		none += n == 0;
	}
	is_int(bad, 0, "random scans of random frames: %d spans found", found);
	ok(some > 100 && none > 100, "%d of them find, %d do not", some, none);
}

static void test_ids(void)
{
	const struct span__scan all = {0};
	int bad = 0;

	make_frame();
	is_int(judge(&all), (int)span_frame_info(frame)->n_spans,
	       "no condition: all spans");
	for (size_t i = 0; i < SPANS; i++) {
		const struct span__scan scan = {
			.ids = (const uint8_t(*)[16])spans[i].trace_id,
			.n_ids = 1,
		};

		bad += judge(&scan) < 1;
	}
	is_int(bad, 0, "the spans of each trace");
}

static int refuse(void *arg, struct span_str name, struct span_error *err)
{
	(void)arg;
	(void)name;
	return span_error_set(err, SPAN_E_LIMIT, "enough");
}

static void test_refusal(void)
{
	const struct span_range range = {.operation_fn = refuse};
	const struct span__scan scan = {.range = &range};
	struct span__filter filter;
	struct span__judge j = {.filter = &filter};
	struct span_error err = {0};
	uint32_t n;

	make_frame();
	span__filter_init(&filter, &scan);
	is_int(span__judge_frame(&j, frame, &n, &err), SPAN_E_LIMIT,
	       "a function may end it");
	ok(j.ended && n == 0, "and that is no damage");
	span__judge_release(&j);
}

static void test_many_tags(void)
{
	struct span_tag_eq tags[JUDGE_TAGS + 6];
	const struct span_range range = {
		.tags = tags,
		.n_tags = sizeof(tags) / sizeof(*tags),
	};
	const struct span__scan scan = {.range = &range};
	int bad = 0, some = 0;

	for (size_t k = 0; k < 400; k++) {
		const struct span *s = &spans[rnd_below(&rnd, SPANS)];
		struct span_tag_eq tag = {SPAN_STR("error"),
					  span_is_error(s) ? SPAN_STR("true")
							   : SPAN_STR("false")};
		int n;

		for (size_t i = 0; i < range.n_tags; i++)
			tags[i] = tag;
		tags[range.n_tags - 1] = model_rnd_tag(&rnd, s);
		n = judge(&scan);
		bad += n < 0;
		some += n > 0;
	}
	is_int(bad, 0, "more tags than there are bits, %d find", some);
}

int main(void)
{
	if (span_frame_open(&frame, NULL) < 0)
		abort();
	test_random();
	test_ids();
	test_refusal();
	test_many_tags();
	span_frame_close(&frame);
	span_buf_release(&bytes);
	span_arena_release(&arena);
	return done_testing();
}
