/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of servers: partial success, and why a request failed. */
#include "codec/otlp_response.h"

#include "tap.h"

#include "base/banned.h"

#define BYTES(s) s, sizeof(s) - 1

enum { RESPONSE, STATUS };

static const struct {
	const char *name;
	int kind;
	bool json;
	const char *bytes;
	size_t len;
	const char *want; /* rejected code message, or CODE: what at POS */
} cases[] = {
	{"nothing is success", RESPONSE, false, BYTES(""), "0 0 ''"},
	{"an empty object too", RESPONSE, true, BYTES("{}"), "0 0 ''"},
	{"a partial success", RESPONSE, false,
	 BYTES("\x0a\x06\x08\x05\x12\x02no"), "5 0 'no'"},
	{"only a warning", RESPONSE, false, BYTES("\x0a\x04\x12\x02no"),
	 "0 0 'no'"},
	{"a number below zero", RESPONSE, false,
	 BYTES("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	 "0 0 ''"},
	{"unknown fields", RESPONSE, false, BYTES("\x10\x01\x0a\x02\x18\x07"),
	 "0 0 ''"},
	{"a partial success that is cut", RESPONSE, false,
	 BYTES("\x0a\x06\x08"), "-3: a field is longer than its message at 1"},
	{"damage inside", RESPONSE, false, BYTES("\x0a\x02\x12\x05"),
	 "-3: a field is longer than its message at 3"},
	{"in JSON", RESPONSE, true,
	 BYTES("{\"partialSuccess\":{\"rejectedSpans\":\"5\","
	       "\"errorMessage\":\"n\\u006f\"}}"),
	 "5 0 'no'"},
	{"with numbers and other names", RESPONSE, true,
	 BYTES("{\"partial_success\":{\"rejected_spans\":5,"
	       "\"error_message\":\"no\",\"x\":[]},\"y\":{}}"),
	 "5 0 'no'"},
	{"with nulls", RESPONSE, true,
	 BYTES("{\"partialSuccess\":{\"rejectedSpans\":null,"
	       "\"errorMessage\":null}}"),
	 "0 0 ''"},
	{"with no partial success", RESPONSE, true,
	 BYTES("{\"partialSuccess\":null}"), "0 0 ''"},
	{"JSON that is cut", RESPONSE, true, BYTES("{\"partialSuccess\":{"),
	 "-3: the JSON text is cut short at 19"},
	{"HTML", RESPONSE, true, BYTES("<html>"),
	 "-4: an object should be here at 0"},
	{"more than one value", RESPONSE, true, BYTES("{}{}"),
	 "-4: something follows the value at 2"},
	{"a status", STATUS, false,
	 BYTES("\x08\x08\x12\x04"
	       "full"),
	 "0 8 'full'"},
	{"a status in JSON", STATUS, true,
	 BYTES("{\"code\":3,\"message\":\"bad\",\"details\":[{}]}"),
	 "0 3 'bad'"},
	{"a code beyond 32 bits", STATUS, true,
	 BYTES("{\"code\":4294967299,\"message\":5}"), "0 0 ''"},
	{"a time to retry", STATUS, false,
	 BYTES("\x08\x08\x1a\x34\x0a\x28type.googleapis.com/google.rpc."
	       "RetryInfo\x12\x08\x0a\x06\x08\x02\x10\x80\xca\x01"),
	 "0 8 '' retry 2000025856"},
	{"its type behind it", STATUS, false,
	 BYTES("\x1a\x30\x12\x04\x0a\x02\x08\x02\x0a\x28type.googleapis.com/"
	       "google.rpc.RetryInfo"),
	 "0 0 '' retry 2000000000"},
	{"a time that is none", STATUS, false,
	 BYTES("\x1a\x2a\x0a\x28type.googleapis.com/google.rpc.RetryInfo"),
	 "0 0 '' retry 0"},
	{"a time below zero", STATUS, false,
	 BYTES("\x1a\x39\x0a\x28type.googleapis.com/google.rpc.RetryInfo"
	       "\x12\x0d\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	 "0 0 '' retry 0"},
	{"a detail of another type", STATUS, false,
	 BYTES("\x1a\x09\x0a\x01x\x12\x04\x0a\x02\x08\x02"), "0 0 ''"},
	{"damage in the detail", STATUS, false,
	 BYTES("\x1a\x2e\x0a\x28type.googleapis.com/google.rpc.RetryInfo"
	       "\x12\x02\x0a\x05"),
	 "-3: a field is longer than its message at 47"},
};

int main(void)
{
	struct span_arena a = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct span_error err = {0};
		struct span__otlp_response r;
		char got[200], retry[40] = "";
		int rc = cases[i].kind == STATUS
				 ? span__otlp_status(&r, cases[i].json,
						     cases[i].bytes,
						     cases[i].len, &a, &err)
				 : span__otlp_response(&r, cases[i].json,
						       cases[i].bytes,
						       cases[i].len, &a, &err);

		if (r.retry)
			snprintf(retry, sizeof(retry), " retry %" PRIu64,
				 r.retry_ns);
		if (rc < 0)
			snprintf(got, sizeof(got), "%d: %.100s at %" PRIu64, rc,
				 err.msg, err.pos);
		else
			snprintf(got, sizeof(got), "%" PRId64 " %d '%.*s'%s",
				 r.rejected, (int)r.code, (int)r.message.len,
				 r.message.p ? r.message.p : "", retry);
		is_str(got, cases[i].want, "%s", cases[i].name);
	}
	span_arena_release(&a);
	return done_testing();
}
