/* SPDX-License-Identifier: Apache-2.0 */
/* Of which patterns it is plain that digits are alike to them. */
#include <string.h>

#include "query/match.h"
#include "tests/unit/tap.h"

static const struct pattern {
	const char *text;
	bool alike;
} patterns[] = {
	{"SELECT.*stock.*", true},
	{"", true},
	{".*", true},
	{".*.*", true},
	{"GET .*|POST .*", true},
	{"(a|b).*c", true},
	{"https://shop\\.example\\.com/.*", true},
	{"caf\xc3\xa9.*", true},
	{"\\(.*\\)", true},
	{"id = 1.*", false},
	{"id = .", false},
	{"id = ..*", false},
	{"id = .+", false},
	{"id = .?", false},
	{"id = .*?", false},
	{"id = .*+", false},
	{"id = .{2}", false},
	{"[0-9]*", false},
	{"a*", false},
	{"(ab)+", false},
	{"\\d.*", false},
	{"\\w.*", false},
	{"\\x31.*", false},
	{".*\\b.*", false},
	{".*\\Q.\\E", false},
	{"(?:a).*", false},
	{"(?i)a.*", false},
	{"(*UCP).*", false},
	{"^a.*$", false},
};

/* Is a number as good as another for it? */
static bool same(struct span__regex *r, const char *text, const char *other)
{
	return span__regex_match(r, span_str(text), NULL) ==
	       span__regex_match(r, span_str(other), NULL);
}

int main(void)
{
	static const char *const texts[][2] = {
		{"SELECT 1 FROM stock WHERE id = 1",
		 "SELECT 33 FROM stock WHERE id = 7"},
		{"id = 1", "id = 2222222"},
		{"GET /1", "GET /22"},
		{"a5c", "a123456c"},
		{"https://shop.example.com/2", "https://shop.example.com/19"},
		{"(1)", "(23)"},
		{"1", "99"},
	};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		const struct pattern *p = &patterns[i];
		struct span_error err = {0};
		struct span__regex *r;
		bool good;

		if (span__regex_open_whole(&r, span_str(p->text), &err) < 0) {
			ok(false, "'%s': %s", p->text, err.msg);
			continue;
		}
		good = span__regex_digits_alike(r) == p->alike;
		for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++)
			good = good &&
			       (!p->alike || same(r, texts[k][0], texts[k][1]));
		ok(good, "'%s': %s", p->text, p->alike ? "alike" : "not sure");
		span__regex_close(&r);
	}
	return done_testing();
}
