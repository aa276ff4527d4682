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

/* Of numbers in hex. */
static const struct pattern hex_patterns[] = {
	{".*product.*", true},
	{"SELECT.*stock.*", true},
	{"SELECT.*stock", true},
	{"GET.*:.*", true},
	{".*", true},
	{"GET /\\.\\-/.*", true},
	{"x-deadbeex", false}, /* it may go around one of 8 digits */
	{"x-deadbex", true},
	{".*shared.*", false}, /* it may end in one */
	{".*cart.*", false},   /* or begin */
	{"abc", false},
	{".*/a", false},
	{"a.*", false},
	{".*\\-.*", false},
	{".*(x|y).*", false},
	{".*product5.*", false},
	{".*x[a-f]*x.*", false},
	{".*x..*", false},
	{".*DEADBEEF.*", true}, /* those in upper case are not meant */
};

/* Is a number as good as another for it? */
static bool same(struct span__regex *r, const char *text, const char *other)
{
	return span__regex_match(r, span_str(text), NULL) ==
	       span__regex_match(r, span_str(other), NULL);
}

static void test(const struct pattern *p,
		 bool (*alike)(const struct span__regex *),
		 const char *const (*texts)[2], size_t n)
{
	struct span_error err = {0};
	struct span__regex *r;
	bool good;

	if (span__regex_open_whole(&r, span_str(p->text), &err) < 0) {
		ok(false, "'%s': %s", p->text, err.msg);
		return;
	}
	good = alike(r) == p->alike;
	for (size_t k = 0; k < n; k++)
		good = good && (!p->alike || same(r, texts[k][0], texts[k][1]));
	ok(good, "'%s': %s", p->text, p->alike ? "alike" : "not sure");
	span__regex_close(&r);
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

	static const char *const hex_texts[][2] = {
		{"GET product:00112233", "GET product:deadbeef"},
		{"x-00112233x", "x-deadbeex"},
		{"shar00112233", "sharedbeefed"},
		{"00112233rt", "deadbeca rt"},
		{"SELECT '00112233' FROM stock",
		 "SELECT 'abcdefab' FROM stock"},
		{"GET c:01234567-89ab-cdef-0123-456789abcdef 7",
		 "GET c:abcdefab-cdef-abcd-efab-cdefabcdefab 77"},
	};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
		test(&patterns[i], span__regex_digits_alike, texts,
		     sizeof(texts) / sizeof(*texts));
	for (size_t i = 0; i < sizeof(hex_patterns) / sizeof(*hex_patterns);
	     i++)
		test(&hex_patterns[i], span__regex_hex_alike, hex_texts,
		     sizeof(hex_texts) / sizeof(*hex_texts));
	return done_testing();
}
