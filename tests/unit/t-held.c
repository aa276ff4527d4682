/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans of every kind that wait, in any order of coming and going: each comes
 * back as it was put, blocks that were left behind are compacted, memory is
 * that of the blocks, and all of it is given back.
 */
#include "model/model.h"
#include "sample/held.h"
#include "stream/frame.h"

#include "base/arena.h"
#include "tests/unit/random-span.h"
#include "tests/unit/tap.h"

#define MANY 4000u

static struct span_error err;
static struct span__blocks blocks;
static struct span__held held;
static struct span_arena kept, reading;

static struct {
	struct span span;
	uint32_t number;
	bool there;
} spans[MANY];

static bool is_back(unsigned i)
{
	size_t lists = span__held_lists(&spans[i].span);
	struct span s;

	span_arena_release(&reading);
	span__arena_begin(&reading, lists);
	return !span__held_get(&held, spans[i].number, &reading, &s, &err) &&
	       span_equal(&s, &spans[i].span) &&
	       span_arena_size(&reading) <= lists + SPAN__ARENA_HEAD;
}

/* Put those from FROM on, until TO. */
static unsigned put(struct rnd *r, unsigned from, unsigned to)
{
	const struct span_process *processes[3];
	unsigned failed = 0;

	for (int i = 0; i < 3; i++)
		processes[i] = rnd_process(r);
	for (unsigned i = from; i < to; i++) {
		spans[i].span = rnd_span(r, processes[rnd_below(r, 3)]);
		spans[i].there = !span__held_put(&held, &spans[i].span,
						 &spans[i].number, &err);
		failed += !spans[i].there;
	}
	return failed;
}

/* Read and drop about one in N; returns how many were not what they were. */
static unsigned drop(struct rnd *r, unsigned n)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < MANY; i++) {
		if (!spans[i].there || rnd_below(r, n))
			continue;
		wrong += !is_back(i);
		span__held_drop(&held, spans[i].number);
		spans[i].there = false;
	}
	return wrong;
}

/* All that are there, oldest last. */
static unsigned count_wrong(void)
{
	unsigned wrong = 0;

	for (unsigned i = MANY; i-- > 0;)
		wrong += spans[i].there && !is_back(i);
	return wrong;
}

static uint32_t some_number(void)
{
	for (unsigned i = 0; i < MANY; i++)
		if (spans[i].there)
			return spans[i].number;
	return 0;
}

static void test_spans(uint64_t memory)
{
	struct rnd r = {.state = memory, .arena = &kept};
	unsigned n = 0;
	size_t full;
	int rc;

	span__blocks_init(&blocks, memory);
	ok(!span__held_init(&held, &blocks, &err), "blocks of %zu bytes",
	   blocks.size);
	is_int(put(&r, 0, MANY / 2), 0, "half of them");
	is_int(count_wrong(), 0, "each is what was put");
	is_int(drop(&r, 2), 0, "so is each that goes");
	is_int(put(&r, MANY / 2, MANY), 0, "the others, with old numbers");
	is_int(drop(&r, 4), 0, "more go");
	is_int(drop(&r, 2), 0, "and more");
	full = blocks.bytes;
	while ((rc = span__held_compact(&held, some_number(), &err)) > 0)
		n++;
	is_int(rc, 0, "%u blocks are compacted", n);
	ok(n > 0 && blocks.bytes < full, "%zu bytes of %zu are left",
	   blocks.bytes, full);
	is_int(count_wrong(), 0, "each span is what it was");
	is_int(drop(&r, 1), 0, "the last ones go");
	ok(!held.first, "no block is left");
	is_int(held.n_sparse, 0, "none of them sparse");
	span__held_release(&held);
	is_int((int64_t)blocks.bytes, 0, "all memory is given back");
	span_arena_release(&kept);
}

/* What fits no frame is refused, and the next one is taken. */
static void test_refused(void)
{
	struct span_process p = {.service = SPAN_STR("web")};
	struct span good = {.process = &p, .name = SPAN_STR("GET /")};
	struct span bad = good;
	uint32_t number;

	bad.kind = 16;
	span__blocks_init(&blocks, 1);
	ok(!span__held_init(&held, &blocks, &err), "the smallest blocks");
	is_int(span__held_put(&held, &bad, &number, &err), SPAN_E_LIMIT,
	       "a kind that no stream has");
	is_str(err.msg, "a span is refused: a kind or status above 15",
	       "and why");
	ok(!span__held_put(&held, &good, &number, &err), "another span");
	spans[0].span = good;
	spans[0].number = number;
	ok(is_back(0), "it comes back");
	span__held_drop(&held, number);
	span__held_release(&held);
	is_int((int64_t)blocks.bytes, 0, "all memory is given back");
}

int main(void)
{
	test_spans(1u << 20);
	test_spans(32u << 20);
	test_spans(1u << 30);
	test_refused();
	span_arena_release(&reading);
	return done_testing();
}
