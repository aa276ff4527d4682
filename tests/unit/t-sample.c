/* SPDX-License-Identifier: Apache-2.0 */
/* Marks, limits and what was decided; the programs' tests have the policies. */
#include <math.h>

#include "model/model.h"
#include "sample/buckets.h"
#include "sample/decided.h"
#include "sample/ratio.h"

#include "tests/unit/tap.h"

static struct span_buf text;

/* The state after a decision. */
static const char *marked(const char *state, enum span_ratio_like like,
			  bool by_ratio, double p)
{
	static char out[200];
	struct span_ratio r = {.like = like};
	struct span_verdict v = {.keep = true, .by_ratio = by_ratio, .p = p};
	struct span s = {.trace_id = {[8] = 0x12, [9] = 0x34},
			 .trace_state = span_str(state)};

	if (span_sample_mark(&s, &r, &v, &text, NULL) < 0)
		return "error";
	snprintf(out, sizeof(out), "%.*s", (int)s.trace_state.len,
		 s.trace_state.p ? s.trace_state.p : "");
	return out;
}

static const struct {
	const char *before;
	enum span_ratio_like like;
	bool by_ratio;
	double p;
	const char *after;
} marks[] = {
	{"", SPAN_RATIO_CONSISTENT, true, 0.5, "ot=th:8"},
	{"", SPAN_RATIO_CONSISTENT, true, 1, ""},
	{"ot=th:0", SPAN_RATIO_CONSISTENT, true, 1, "ot=th:0"},
	{"", SPAN_RATIO_CONSISTENT, true, 0x1p-56, "ot=th:ffffffffffffff"},
	{"", SPAN_RATIO_CONSISTENT, true, 1e-300, "ot=th:ffffffffffffff"},
	{"", SPAN_RATIO_CONSISTENT, true, 0, "ot=th:ffffffffffffff"},
	{"ot=th:c", SPAN_RATIO_CONSISTENT, true, 0.5, "ot=th:c"},
	{"ot=th:c", SPAN_RATIO_CONSISTENT, false, 0.5, "ot=th:e"},
	{"ot=th:ffffffffffffff", SPAN_RATIO_CONSISTENT, false, 0.5,
	 "ot=th:ffffffffffffff"},
	{"ot=rv:80000000000000", SPAN_RATIO_CONSISTENT, true, 0.5,
	 "ot=th:8;rv:80000000000000"},
	{"ot=;;th:4; ;a:1,,b=2", SPAN_RATIO_CONSISTENT, true, 0.5,
	 "ot=th:8;a:1,b=2"},
	{"a=1,ot=th:4,ot=b:2", SPAN_RATIO_CONSISTENT, true, 0.5,
	 "ot=th:8;b:2,a=1"},
	{"", SPAN_RATIO_OTEL_PYTHON, true, 0.5, "ot=th:8;rv:edcbffffffffff"},
	{"ot=th:8;rv:edcbffffffffff", SPAN_RATIO_OTEL_PYTHON, true, 0.25,
	 "ot=th:c;rv:edcbffffffffff"},
	{"ot=rv:00000000000000", SPAN_RATIO_OTEL_PYTHON, true, 0.5,
	 "ot=th:8;rv:edcbffffffffff"},
	{"ot=th:8;rv:ffffffffffffff", SPAN_RATIO_OTEL_PYTHON, true, 0.25,
	 "ot=th:e;rv:ffffffffffffff"},
};

static void test_marks(void)
{
	static char big[SPAN_MAX_STRING + 1];

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		is_str(marked(marks[i].before, marks[i].like, marks[i].by_ratio,
			      marks[i].p),
		       marks[i].after, "'%s' and %g", marks[i].before,
		       marks[i].p);
	memset(big, 'x', sizeof(big) - 1);
	ok(marked(big, SPAN_RATIO_CONSISTENT, true, 0.5)[0] == 'x',
	   "a state that is full stays what it is");
}

static void test_decided(void)
{
	struct span__decided d = {0};
	struct span_verdict v;
	unsigned wrong = 0, found = 0;

	ok(!span__decided_init(&d, 24 * 1024, NULL), "a small table");
	for (uint32_t i = 0; i < 100000; i++) {
		uint8_t id[16] = {0};

		memcpy(id, &i, sizeof(i));
		span__decided_put(&d, span__decided_hash(&d, id),
				  &(struct span_verdict){.keep = i % 3 == 0,
							 .policy = i % 7,
							 .by_ratio = i % 2,
							 .p = 1.0 / (1 + i)});
	}
	for (uint32_t i = 0; i < 100000; i++) {
		uint8_t id[16] = {0};

		memcpy(id, &i, sizeof(i));
		if (!span__decided_get(&d, span__decided_hash(&d, id), &v))
			continue;
		found++;
		wrong += v.keep != (i % 3 == 0) || v.policy != i % 7 ||
			 v.by_ratio != (i % 2 != 0) || v.p != 1.0 / (1 + i);
		wrong += i < 90000;
	}
	ok(found > 800 && found <= 1024, "it is full: %u", found);
	is_int(wrong, 0, "of the last ones, and right");
	span__decided_release(&d);
}

static void test_limit(void)
{
	struct span__limit l = {0};
	struct span__bucket *b;
	struct span_str none = {0};

	ok(!span__limit_init(&l, 2, 3, NULL), "two a second, three at once");
	b = span__limit_bucket(&l, none, none);
	for (int i = 0; i < 3; i++)
		ok(span__bucket_take(&l, b, 1), "one of three");
	ok(!span__bucket_take(&l, b, 1), "no fourth");
	ok(!span__bucket_take(&l, b, 400000000), "none after 400 ms");
	ok(span__bucket_take(&l, b, 500000001), "one after 500 ms");
	ok(!span__bucket_take(&l, b, 1), "time that goes back brings none");
	for (int i = 0; i < 3; i++)
		ok(span__bucket_take(&l, b, 9000000000), "three are the most");
	span__bucket_miss(b);
	span__bucket_miss(b);
	ok(span__bucket_stands_for(b) == 3 && span__bucket_stands_for(b) == 1,
	   "who gets a place stands for those without");
	for (uint32_t i = 0; i < 200000; i++) {
		struct span_str name = {(char *)&i, sizeof(i)};

		b = span__limit_bucket(&l, name, none);
		if (!b)
			break;
	}
	ok(b && l.buckets.len <= 65536 * 64, "names without end share one");
	span__limit_release(&l);
}

/* What is kept of random ids is within 5 standard deviations. */
static void test_share(void)
{
	static const double shares[] = {0.001, 0.1, 0.5, 0.9};
	uint64_t x = 88172645463325252u;

	for (size_t k = 0; k < 4; k++)
		for (int like = 0; like <= SPAN_RATIO_SALTED; like++) {
			struct span_ratio r = {.like = like,
					       .salt = SPAN_STR("salt")};
			double n = 100000, kept = 0, p = shares[k];

			for (int i = 0; i < (int)n; i++) {
				struct span s = {0};

				for (int j = 0; j < 16; j++) {
					x ^= x << 13;
					x ^= x >> 7;
					x ^= x << 17;
					s.trace_id[j] = (uint8_t)(x >> 24);
				}
				kept += span_ratio_keeps(&r, p, &s);
			}
			ok(fabs(kept - n * p) < 5 * sqrt(n * p * (1 - p)),
			   "decision %d keeps a share of %g: %g", like, p,
			   kept / n);
		}
}

int main(void)
{
	test_marks();
	test_decided();
	test_limit();
	test_share();
	span_buf_release(&text);
	return done_testing();
}
