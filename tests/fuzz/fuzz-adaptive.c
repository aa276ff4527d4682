/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State files of adaptive sampling: the first byte chooses the rules, the rest
 * is the file. What is read has shares that are some, goes on as it should, and
 * when it is written is read as the same.
 */
#include "sample/adaptive.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

static void start(struct span__adaptive *a, bool by_target)
{
	*a = (struct span__adaptive){
		.initial = 0.001, .min = 0.00001, .interval_ns = 60000000000};
	check(!span__adaptive_rules(a, by_target ? "2/s" : NULL,
				    by_target ? NULL
					      : "<5/s=1,<50/s=.1,else=.01"));
	check(!span__adaptive_init(a, NULL));
}

static void check_shares(const struct span__adaptive *a)
{
	for (size_t i = 0; i < span__adaptive_n(a); i++) {
		const struct span__adapted *o = span__adaptive_at(a, i);

		check(o->p >= 0 && o->p <= 1 && o->count >= 0);
		check(!a->n_bands || o->band < a->n_bands);
	}
	check(a->carried_ns < a->interval_ns);
}

/* What A writes is JSON, and is read as what A has. */
static void check_written(const struct span__adaptive *a, bool by_target)
{
	struct span_buf text = {0}, again = {0};
	struct span__adaptive b;

	span__adaptive_save(a, &text);
	check(!text.failed);
	start(&b, by_target);
	check(!span__adaptive_load(&b, "again", text.p, text.len, NULL));
	span__adaptive_save(&b, &again);
	check(again.len == text.len && !memcmp(again.p, text.p, text.len));
	span__adaptive_release(&b);
	span_buf_release(&text);
	span_buf_release(&again);
}

static void check_strategies(const struct span__adaptive *a)
{
	struct span_buf text = {0};
	cJSON *root;

	check(!span__adaptive_strategies(a, &text, NULL));
	root = cJSON_ParseWithLength(text.p, text.len);
	check(root);
	cJSON_Delete(root);
	span_buf_release(&text);
}

/* Traces of one operation for some intervals, with a pause. */
static void go_on(struct span__adaptive *a)
{
	static const struct span_process web = {.service = {"web", 3}};
	struct span root = {.process = &web, .name = SPAN_STR("GET /")};

	for (uint64_t i = 1; i < 40; i++) {
		uint64_t pause_ns = i > 30 ? UINT64_C(1) << 45 : 0;
		const struct span__adapted *o = span__adaptive_arrive(
			a, &root, i * 7000000000 + pause_ns);

		check(o && o->p >= 0 && o->p <= 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span_error err = {0};
	struct span__adaptive a;
	bool by_target;
	int rc;

	if (!len)
		return 0;
	by_target = p[0] & 1;
	start(&a, by_target);
	rc = span__adaptive_load(&a, "f", p + 1, len - 1, &err);
	check(rc == 0 || (rc == SPAN_E_CORRUPT && err.msg[0]));
	if (!rc) {
		check_shares(&a);
		check_written(&a, by_target);
		check_strategies(&a);
		go_on(&a);
		check_shares(&a);
		check_strategies(&a);
	}
	span__adaptive_release(&a);
	return 0;
}
