/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy files: one that is read decides every trace once, and gives each of
 * its spans back.
 */
#include <span/sample.h>

#include <stdlib.h>

#include "model/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

static size_t take(struct span_sampler *s, const struct span_ratio *r)
{
	struct span_sampled got;
	struct span_buf text = {0};
	size_t n = 0;
	int rc;

	while ((rc = span_sampler_next(s, true, &got, NULL)) > 0) {
		struct span first = got.spans[0];

		check(got.verdict.policy < span_sampler_n_policies(s));
		check(span_sampler_policy(s, got.verdict.policy).len);
		n += got.n;
		if (!got.verdict.keep)
			continue;
		check(got.verdict.p > 0 && got.verdict.p <= 1);
		check(!span_sample_mark(&first, r, &got.verdict, &text, NULL));
		check(span__weight(first.trace_state) >= 1);
	}
	span_buf_release(&text);
	/* A regular expression may take too long. */
	check(!rc || rc == SPAN_E_LIMIT);
	return rc ? 6 : n;
}

static void run(struct span_sampler *s, const struct span_ratio *r)
{
	static const struct span_process web = {.service = {"web", 3}};
	struct span_sampled late;

	for (uint8_t i = 0; i < 6; i++) {
		struct span span = {.process = &web,
				    .name = SPAN_STR("GET /"),
				    .trace_id = {[0] = i / 2 + 1, [15] = i / 2},
				    .span_id = {i + 1},
				    .parent_id = {i % 2 ? i : 0},
				    .start_ns = 1000000u * i,
				    .duration_ns = 10000000u * i,
				    .status = i % 3,
				    .trace_state = SPAN_STR("ot=th:8")};

		check(!span_sampler_put(s, &span, &late, NULL));
	}
	check(take(s, r) == 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span_sampler_opts o = {
		.name = "f", .policies = p, .len = len, .memory = 1 << 20};
	struct span_sampler *s = NULL;
	struct span_error err = {0};
	int rc = span_sampler_open(&s, &o, &err);

	if (rc < 0) {
		check(!s && err.code == rc && err.msg[0]);
		return 0;
	}
	run(s, &o.ratio);
	span_sampler_close(&s);
	return 0;
}
