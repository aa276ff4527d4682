/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of redaction that are right, and wrong in which column. */
#include <span/redact.h>

#include <stdlib.h>

#include "tap.h"

#include "base/banned.h"

static void test_rules(void)
{
	static const struct {
		const char *rule;
		int rc;
		unsigned pos;
	} cases[] = {
		{"", 0, 0},
		{" # nothing", 0, 0},
		{"mask *", 0, 0},
		{"mask=x span:a.b @ip", 0, 0},
		{"template={hash}-{kind}-{length}-{first:2}-{last:4}{{} * @ip",
		 0, 0},
		{"hide *", SPAN_E_INVALID, 0},
		{"mask", SPAN_E_INVALID, 4},
		{"mask event:", SPAN_E_INVALID, 11},
		{"mask a @cards", SPAN_E_INVALID, 7},
		{"mask a @ip b", SPAN_E_INVALID, 11},
		{"mask a ~(", SPAN_E_INVALID, 9},
		{"truncate a", SPAN_E_INVALID, 8},
		{"truncate=1x a", SPAN_E_INVALID, 9},
		{"drop=1 a", SPAN_E_INVALID, 5},
		{"template a", SPAN_E_INVALID, 8},
		{"template=a{b} a", SPAN_E_INVALID, 10},
		{"template={first} a", SPAN_E_INVALID, 9},
		{"template={hash:3} a", SPAN_E_INVALID, 9},
		{"template={hash a", SPAN_E_INVALID, 9},
	};
	static const uint8_t key[SPAN_REDACT_KEY] = "a key of a test";
	const struct span_redact_opts with_key = {.key = key};
	const struct span_redact_opts keyless = {.anonymize = true};
	struct span_redact *r;
	struct span_error err = {0};

	if (span_redact_open(&r, &with_key, &err) < 0)
		abort();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		err.pos = 0;
		is_int(span_redact_rule(r, span_str(cases[i].rule), &err),
		       cases[i].rc, "rule '%s'", cases[i].rule);
		if (cases[i].rc)
			is_int((int)err.pos, (int)cases[i].pos, "its column");
	}
	span_redact_close(&r);
	if (span_redact_open(&r, NULL, &err) < 0)
		abort();
	is_int(span_redact_rule(r, SPAN_STR("hash a"), &err), SPAN_E_INVALID,
	       "no hash without a key");
	is_int(span_redact_rule(r, SPAN_STR("template={hash} a"), &err),
	       SPAN_E_INVALID, "nor in a template");
	span_redact_close(&r);
	is_int(span_redact_open(&r, &keyless, &err), SPAN_E_INVALID,
	       "nor is anything anonymous");
}

int main(void)
{
	test_rules();
	return done_testing();
}
