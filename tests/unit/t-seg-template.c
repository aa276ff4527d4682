/* SPDX-License-Identifier: Apache-2.0 */
/* Texts and their templates: numbers that are taken out are put back. */
#include "store/seg_template.h"

#include "tap.h"

#include "base/banned.h"

static const struct {
	const char *text;
	unsigned n; /* numbers in it */
	uint64_t first;
} splits[] = {
	{"", 0, 0},
	{"no number", 0, 0},
	{"0", 1, 0},
	{"user 17", 1, 17},
	{"007", 1, 7},
	{"9999999999999999999", 1, 9999999999999999999u},
	{"00000000000000000001", 0, 0},
	{"100000000000000000000", 0, 0},
	{"10.1.2.3:80", 5, 10},
	{"deadbeef", 0, 0},
	{"deadbee5", 1, 0xdeadbee5},
	{"cafe", 0, 0},
	{"c4fe", 1, 4},
	{"abcdefabcdefabcd", 1, 0xabcdefabcdefabcd},
	{"0123456789abcdef0123456789abcdef", 2, 0x0123456789abcdef},
	{"0123456789abcdef0123456789abcdef0", 3, 123456789},
	{"12345678-1234-1234-1234-123456789012", 2, 0x1234567812341234},
	{"12345678-1234-1234-1234-12345678901", 5, 12345678},
	{"1 2 3 4 5 6 7 8 9 10", 8, 1},
	{"1 2 3 4 5 6 7 0123456789abcdef01", 7, 1},
};

static void test_splits(void)
{
	for (size_t k = 0; k < sizeof(splits) / sizeof(*splits); k++) {
		struct span_str text = span_str(splits[k].text), body;
		char out[TEMPLATE_RENDER_MAX];
		uint64_t v[SEG_TEMPLATE_VARS] = {0};
		struct span__split s;
		unsigned slots;
		size_t len;

		span__template_split(&s, text);
		is_uint(s.n, splits[k].n, "\"%s\" has numbers", text.p);
		ok(!s.n || s.v[0] == splits[k].first, "\"%s\" has its first",
		   text.p);
		body = (struct span_str){(const char *)s.body, s.len};
		ok(span__template_match(body, text, v, &slots) &&
			   slots == (1u << s.n) - 1 &&
			   !memcmp(v, s.v, s.n * sizeof(*v)),
		   "\"%s\" is of its template", text.p);
		ok(span__template_render(body, v, out, &len),
		   "\"%s\" is put together", text.p);
		is_mem(out, len, text.p, text.len, "\"%s\" is the same",
		       text.p);
	}
}

int main(void)
{
	test_splits();
	return done_testing();
}
