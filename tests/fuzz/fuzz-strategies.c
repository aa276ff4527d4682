/* SPDX-License-Identifier: Apache-2.0 */
/* Strategies files: what is read gives answers that are JSON. */
#include "net/sampling_answer.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

static void check_json(const struct span_buf *b)
{
	cJSON *root = cJSON_ParseWithLength(b->p, b->len);

	check(!b->failed && root);
	cJSON_Delete(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const char *const services[] = {"", "foo", "bar", "s"};
	struct span_strategies *s = NULL;
	struct span_error err = {0};
	struct span_buf b = {0};
	int rc = span_strategies_parse(&s, "f", p, len, &b, &err);

	if (rc < 0) {
		check(!s && err.code == rc && err.msg[0]);
		span_buf_release(&b);
		return 0;
	}
	for (size_t i = 0; i < 8; i++) {
		b.len = 0;
		span__sampling_answer(s, span_str(services[i / 2]), i % 2, &b);
		check_json(&b);
	}
	b.len = 0;
	if (span__baggage_answer(s, &b))
		check_json(&b);
	span_buf_release(&b);
	span_strategies_close(&s);
	return 0;
}
