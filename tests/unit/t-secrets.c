/* SPDX-License-Identifier: Apache-2.0 */
/* What detectors find, what they leave, and that none takes too long. */
#include <time.h>

#include "tap.h"

#include "text/secrets.h"

#include "base/banned.h"

/* WANT is the text with each part that is found as <part>. */
static const struct {
	enum span__secret kind;
	const char *text, *want;
} cases[] = {
	{SECRET_CARD, "4111111111111111", "<4111111111111111>"},
	{SECRET_CARD, "card 4111 1111 1111 1111, 12/30",
	 "card <4111 1111 1111 1111>, 12/30"},
	{SECRET_CARD, "5500-0000-0000-0004", "<5500-0000-0000-0004>"},
	{SECRET_CARD, "340000000000009", "<340000000000009>"},
	{SECRET_CARD, "4111111111111112", "4111111111111112"},
	{SECRET_CARD, "41111111111111111111", "41111111111111111111"},
	{SECRET_CARD, "1767225600032851000", "1767225600032851000"},
	{SECRET_CARD, "x4111111111111111y", "x<4111111111111111>y"},
	{SECRET_CARD, "4111 1111 1111 1111 2030", "<4111 1111 1111 1111> 2030"},
	{SECRET_CARD, "4111  1111 1111 1111", "4111  1111 1111 1111"},
	{SECRET_EMAIL, "to jo.e+x@mail.example.org.",
	 "to <jo.e+x@mail.example.org>."},
	{SECRET_EMAIL, "'o'brien@x.org'", "'<o'brien@x.org>'"},
	{SECRET_EMAIL, "''@x.org", "''@x.org"},
	{SECRET_EMAIL, "a@b", "a@b"},
	{SECRET_EMAIL, "@example.org", "@example.org"},
	{SECRET_EMAIL, "a@b.c", "a@b.c"},
	{SECRET_EMAIL, "one@x.org,two@y.org", "<one@x.org>,<two@y.org>"},
	{SECRET_EMAIL,
	 "j\xc3\xb6rg@b\xc3\xbc"
	 "cher.de",
	 "<j\xc3\xb6rg@b\xc3\xbc"
	 "cher.de>"},
	{SECRET_EMAIL, "user@@x.org", "user@@x.org"},
	{SECRET_IP, "from 10.0.0.1:80 to 192.168.255.254.",
	 "from <10.0.0.1>:80 to <192.168.255.254>."},
	{SECRET_IP, "256.1.1.1 1.2.3 1.2.3.4.5 v1.2.3.4",
	 "256.1.1.1 1.2.3 1.2.3.4.5 v1.2.3.4"},
	{SECRET_IP, "[2001:db8::1]:443", "[<2001:db8::1>]:443"},
	{SECRET_IP, "fe80::1%eth0 ::1 ::ffff:10.0.0.1",
	 "<fe80::1>%eth0 <::1> <::ffff:10.0.0.1>"},
	{SECRET_IP, "std::move a::b 10:15:30 2026-11-30T10:15:30Z",
	 "std::move a::b 10:15:30 2026-11-30T10:15:30Z"},
	{SECRET_TOKEN, "Authorization: Bearer abc.DEF-123_x=",
	 "Authorization: Bearer <abc.DEF-123_x=>"},
	{SECRET_TOKEN, "basic dXNlcjpwYXNz", "basic <dXNlcjpwYXNz>"},
	{SECRET_TOKEN, "Authorization: Basic eDp5",
	 "Authorization: Basic <eDp5>"},
	{SECRET_TOKEN, "{\"authorization\":[\"bearer a\"],\"n\":1}",
	 "{\"authorization\":[\"bearer <a>\"],\"n\":1}"},
	{SECRET_TOKEN, "[('Proxy-Authorization', 'ApiKey a'), 'basic b']",
	 "[('Proxy-Authorization', 'ApiKey <a>'), 'basic b']"},
	{SECRET_TOKEN, "Authorization: Digest username=\"jo\", realm=\"r\"",
	 "Authorization: Digest username=\"jo\", realm=\"r\""},
	{SECRET_TOKEN, "{\"a\":\"Basic eDp5eHg6eXl6eg=\"}",
	 "{\"a\":\"Basic <eDp5eHg6eXl6eg=>\"}"},
	{SECRET_TOKEN, "auth=token x", "auth=token <x>"},
	{SECRET_TOKEN, "authorization basic failed",
	 "authorization basic failed"},
	{SECRET_TOKEN, "Basic eDp5 alone", "Basic eDp5 alone"},
	{SECRET_TOKEN, "OAuth 2.0-based", "OAuth 2.0-based"},
	{SECRET_TOKEN, "Authorization: OAuth abc",
	 "Authorization: OAuth <abc>"},
	{SECRET_TOKEN, "the basic principle", "the basic principle"},
	{SECRET_TOKEN, "bearer of bad news", "bearer of bad news"},
	{SECRET_TOKEN, "id AKIAIOSFODNN7EXAMPLE.",
	 "id <AKIAIOSFODNN7EXAMPLE.>"},
	{SECRET_TOKEN, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
	 "<eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln>"},
	{SECRET_TOKEN, "task-based sk-short", "task-based sk-short"},
	{SECRET_TOKEN,
	 "x -----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE "
	 "KEY-----",
	 "x <-----BEGIN RSA PRIVATE KEY-----\nabc\n>-----END RSA PRIVATE "
	 "KEY-----"},
	{SECRET_VALUE, "password=hunter2&x=1", "password=<hunter2>&x=1"},
	{SECRET_VALUE, "{\"db_password\": \"a b\\\"c\", \"n\": 1}",
	 "{\"db_password\": \"<a b\\\"c>\", \"n\": 1}"},
	{SECRET_VALUE, "{\\\"token\\\":\\\"x y\\\"}",
	 "{\\\"token\\\":\\\"<x y>\\\"}"},
	{SECRET_VALUE, "Cookie: sid=1; b-c=2; HttpOnly",
	 "Cookie: <sid=1; b-c=2>; HttpOnly"},
	{SECRET_VALUE, "password=1; user=jo", "password=<1>; user=jo"},
	{SECRET_VALUE, "Authorization: Foo hunter2 x",
	 "Authorization: <Foo hunter2> x"},
	{SECRET_VALUE, "authorization: required for this",
	 "authorization: <required> for this"},
	{SECRET_VALUE,
	 "Authorization: Digest username=\"jo, x\", nc=1, response=\"ab\" end",
	 "Authorization: <Digest username=\"jo, x\", nc=1, response=\"ab\"> "
	 "end"},
	{SECRET_VALUE, "token         = 1*tchar", "token         = 1*tchar"},
	{SECRET_VALUE, "{\"key\": \"token\",\n            \"value\": \"x\"",
	 "{\"key\": \"token\",\n            \"value\": \"<x>\""},
	{SECRET_VALUE, "secretKey=a secret-key: b",
	 "secretKey=<a> secret-key: <b>"},
	{SECRET_VALUE, "<db password=\"a b\" user='c'/>",
	 "<db password=\"<a b>\" user='c'/>"},
	{SECRET_VALUE, "<add key=\"ApiKey\" value=\"x\"/>",
	 "<add key=\"ApiKey\" value=\"<x>\"/>"},
	{SECRET_VALUE, "<token value='x'/>", "<token value='<x>'/>"},
	{SECRET_VALUE, "<meta name=\"csrf-token\" content=\"x\">",
	 "<meta name=\"csrf-token\" content=\"<x>\">"},
	{SECRET_VALUE, "{\"name\": \"token\", \"value\": \"x\"}",
	 "{\"name\": \"token\", \"value\": \"<x>\"}"},
	{SECRET_VALUE, "{\"name\":\"a\",\"value\":\"x\"} no token, value=5",
	 "{\"name\":\"a\",\"value\":\"x\"} no token, value=5"},
	{SECRET_VALUE, "<input placeholder=\"Password\" value=\"Send\">",
	 "<input placeholder=\"Password\" value=\"Send\">"},
	{SECRET_VALUE, "{\\\"pwd\\\":\\\"x\\\\\\\"y\\\"}",
	 "{\\\"pwd\\\":\\\"<x\\\\\\\"y>\\\"}"},
	{SECRET_VALUE, "\\\\\\\"pwd\\\\\\\":\\\\\\\"x y\\\\\\\"",
	 "\\\\\\\"pwd\\\\\\\":\\\\\\\"<x y>\\\\\\\""},
	{SECRET_VALUE, "{\"pwd\":\"x\\\\\",\"a\":1}",
	 "{\"pwd\":\"<x\\\\>\",\"a\":1}"},
	{SECRET_VALUE, "{&quot;pwd&quot;:&quot;x y&quot;}",
	 "{&quot;pwd&quot;:&quot;<x y>&quot;}"},
	{SECRET_VALUE, "\"a pwd=x\\\"\"", "\"a pwd=<x>\\\"\""},
	{SECRET_VALUE, "pwd=\"[token] x\"", "pwd=\"<[token] x>\""},
	{SECRET_VALUE, "X-Api-Key : k", "X-Api-Key : <k>"},
	{SECRET_VALUE, "tokens=5 input_tokens: 7", "tokens=5 input_tokens: 7"},
	{SECRET_VALUE, "password=[secret]", "password=[secret]"},
	{SECRET_VALUE, "password=[mine]", "password=<[mine]>"},
	{SECRET_VALUE, "{\"password\":[\"a]b\", \"c\"],\"n\":1}",
	 "{\"password\":<[\"a]b\", \"c\"]>,\"n\":1}"},
	{SECRET_VALUE, "token: {\"a\": {\"b\": \"}\\\"\"}} end",
	 "token: <{\"a\": {\"b\": \"}\\\"\"}}> end"},
	{SECRET_VALUE, "secret=[[1, 2], x", "secret=<[[1, 2], x>"},
	{SECRET_VALUE, "secret=", "secret="},
	{SECRET_VALUE,
	 "{\"key\":\"password\",\"type\":\"string\",\"value\":\"a b\"}",
	 "{\"key\":\"password\",\"type\":\"string\",\"value\":\"<a b>\"}"},
	{SECRET_VALUE,
	 "{\\\"key\\\": \\\"token\\\", \\\"type\\\": \\\"string\\\", "
	 "\\\"value\\\": \\\"x\\\"}",
	 "{\\\"key\\\": \\\"token\\\", \\\"type\\\": \\\"string\\\", "
	 "\\\"value\\\": \\\"<x>\\\"}"},
	{SECRET_VALUE, "{\"key\":\"a\",\"type\":\"string\",\"value\":\"x\"}",
	 "{\"key\":\"a\",\"type\":\"string\",\"value\":\"x\"}"},
	{SECRET_VALUE, "{\"token\",\"kind\":\"string\",\"value\":\"x\"}",
	 "{\"token\",\"kind\":\"string\",\"value\":\"x\"}"},
	{SECRET_VALUE, "\"type\":\"string\",\"value\":\"x\"",
	 "\"type\":\"string\",\"value\":\"x\""},
	{SECRET_VALUE, "mysql --password hunter2 -u jo",
	 "mysql --password <hunter2> -u jo"},
	{SECRET_VALUE, "sh -c 'x --api-key  a,b)c|y'",
	 "sh -c 'x --api-key  <a,b)c>|y'"},
	{SECRET_VALUE, "x --db-password \"a b\" --token 'c d'",
	 "x --db-password \"<a b>\" --token '<c d>'"},
	{SECRET_VALUE, "[\"x\",\"--token\", \"a b\", \"c\"]",
	 "[\"x\",\"--token\", \"<a b>\", \"c\"]"},
	{SECRET_VALUE, "\"x --token ab\\\" y\"", "\"x --token <ab>\\\" y\""},
	{SECRET_VALUE, "x --password --verbose --token",
	 "x --password --verbose --token"},
	{SECRET_VALUE, "x --password <password> --token [token]",
	 "x --password <password> --token [token]"},
	{SECRET_VALUE, "x --password [secret]", "x --password [secret]"},
	{SECRET_VALUE, "the --token option, --password is needed",
	 "the --token option, --password is needed"},
	{SECRET_VALUE, "a--token b ---token c --tokens d -- token e",
	 "a--token b ---token c --tokens d -- token e"},
	{SECRET_VALUE, "--token=a --token : b", "--token=<a> --token : <b>"},
	{SECRET_VALUE, "--token \"", "--token \""},
	{SECRET_VALUE, "--token ", "--token "},
	{SECRET_XML, "<a><password>x y</password><b>z</b></a>",
	 "<a><password><x y></password><b>z</b></a>"},
	{SECRET_XML, "in <ns:apiKey xsi:type=\"a>b\"> x\n</ns:apiKey>.",
	 "in <ns:apiKey xsi:type=\"a>b\"> <x>\n</ns:apiKey>."},
	{SECRET_XML, "<token><![CDATA[x]]></token>",
	 "<token><<![CDATA[x]]>></token>"},
	{SECRET_XML, "<credentials><u>a</u><p>b</p></credentials> end",
	 "<credentials><<u>a</u><p>b</p>></credentials> end"},
	{SECRET_XML, "&lt;Pwd&gt;x&lt;/Pwd&gt;", "&lt;Pwd&gt;<x>&lt;/Pwd&gt;"},
	{SECRET_XML, "\\u003cpwd\\u003ex\\u003C/pwd\\u003e",
	 "\\u003cpwd\\u003e<x>\\u003C/pwd\\u003e"},
	{SECRET_XML, "<entry key=\"db.password\" a=\"b\">x</entry>",
	 "<entry key=\"db.password\" a=\"b\"><x></entry>"},
	{SECRET_XML, "<name>s3.secret-key</name> <value>x</value>",
	 "<name>s3.secret-key</name> <value><x></value>"},
	{SECRET_XML, "<r><user>jo</user><password>hun",
	 "<r><user>jo</user><password><hun>"},
	{SECRET_XML, "a\n  <password>hun", "a\n  <password><hun>"},
	{SECRET_XML, "<password>[secret]</password><pwd/><pwd></pwd>",
	 "<password>[secret]</password><pwd/><pwd></pwd>"},
	{SECRET_XML, "<password>[token] x</password>",
	 "<password><[token] x></password>"},
	{SECRET_XML, "<passwords>x</passwords><name>token</name>",
	 "<passwords>x</passwords><name>token</name>"},
	{SECRET_XML, "no List<Token> of Optional<Password> in <T>a</T>",
	 "no List<Token> of Optional<Password> in <T>a</T>"},
	{SECRET_XML, "login -u <user> -p <password> [options]",
	 "login -u <user> -p <password> [options]"},
	{SECRET_XML, "a<token && b>c; map<auth, token>x</auth>",
	 "a<token && b>c; map<auth, token>x</auth>"},
	{SECRET_XML,
	 "<form name=\"auth\"><label for=\"password\">Password</label>"
	 "<input name=\"password\"><a name=\"token\">Token</a> or <b>token</b>",
	 "<form name=\"auth\"><label for=\"password\">Password</label>"
	 "<input name=\"password\"><a name=\"token\">Token</a> or "
	 "<b>token</b>"},
	{SECRET_SQL, "SELECT a FROM t1 WHERE b = 'it''s' AND c=-5.2e+3",
	 "SELECT a FROM t1 WHERE b = <'it''s'> AND c=-<5.2e+3>"},
	{SECRET_SQL,
	 " /* x */ (select \"a\", $1, $tag$ b $tag$, :p1, @v2, 0x1f",
	 " /* x */ (select <\"a\">, $1, <$tag$ b $tag$>, :p1, @v2, <0x1f>"},
	{SECRET_SQL, "INSERT INTO t VALUES ('a\\'b', 7)",
	 "INSERT INTO t VALUES (<'a\\'b'>, <7>)"},
	{SECRET_SQL, "update 5 widgets", "update <5> widgets"},
	{SECRET_SQL, "GET /items/5 'x'", "GET /items/5 'x'"},
	{SECRET_SQL, "selection 5", "selection 5"},
	{SECRET_SQL, "SELECT ?", "SELECT ?"},
	{SECRET_SQL, "SELECT 'open", "SELECT <'open>"},
	{SECRET_QUERY, "/a?b=c&d=e%20f#g", "/a?b=<c>&d=<e%20f>#g"},
	{SECRET_QUERY, "http://u:p@h/x?y", "http://<u:p>@h/x?y"},
	{SECRET_QUERY, "http://h/@x", "http://h/@x"},
	{SECRET_QUERY, "a=b", "a=b"},
	{SECRET_QUERY, "x?a=[query]&b=2", "x?a=[query]&b=<2>"},
	{SECRET_QUERY, "x?a=[token]!b", "x?a=<[token]!b>"},
	{SECRET_DIGITS, "id 123456789, 12345678", "id <123456789>, 12345678"},
	{SECRET_DIGITS, "a123456789 123456789b", "a123456789 123456789b"},
	{SECRET_DIGITS, "-1234567890", "-<1234567890>"},
};

static void find_all(enum span__secret kind, struct span_str text,
		     struct span_buf *out)
{
	struct span_str part;
	size_t at = 0;

	out->len = 0;
	while (span__secret_find(kind, text, at, &part)) {
		size_t start = (size_t)(part.p - text.p);

		span_buf_put(out, text.p + at, start - at);
		span_buf_putc(out, '<');
		span_buf_str(out, part);
		span_buf_putc(out, '>');
		at = start + part.len;
	}
	span_buf_put(out, text.p + at, text.len - at);
	span_buf_putc(out, '\0');
}

static void test_cases(void)
{
	struct span_buf got = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		find_all(cases[i].kind, span_str(cases[i].text), &got);
		is_str(got.p, cases[i].want, "%s in %s",
		       span__secret_name(cases[i].kind), cases[i].text);
	}
	span_buf_release(&got);
}

/* What is found was hinted at, in texts of what the cases are made of. */
static void test_hints(void)
{
	const size_t n_cases = sizeof(cases) / sizeof(*cases);
	unsigned missed = 0, found = 0, spared = 0;
	struct span_buf text = {0};
	uint64_t random = 1;

	for (size_t i = 0; i < 40000; i++) {
		text.len = 0;
		for (int part = 0; part < 3; part++) {
			const char *from;
			size_t len, at;

			random = random * UINT64_C(6364136223846793005) + 1;
			from = cases[(random >> 33) % n_cases].text;
			len = strlen(from);
			at = (random >> 40) % (len + 1);
			span_buf_put(&text, from + at,
				     (random >> 50) % (len - at + 1));
		}
		for (int k = 0; k < SECRET_KINDS; k++) {
			struct span_str s = {text.p, text.len}, out;
			unsigned hint = span__secret_hints(s) >> k & 1;
			bool is = span__secret_find((enum span__secret)k, s, 0,
						    &out);

			found += is;
			missed += is && !hint;
			spared += !hint;
		}
	}
	printf("# %u were found, %u looks were spared\n", found, spared);
	ok(found > 1000 && spared > 1000, "there are secrets, and none");
	is_int(missed, 0, "no secret is without a hint");
	span_buf_release(&text);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Texts that make a careless detector start over at each place. */
static void test_time(void)
{
	static const char *const units[] = {
		"a",	     "1",	    "@",
		"a@",	     ":",	    "1.",
		"=",	     "'",	    "$a",
		"eyJ",	     "token:",	    "?a=",
		"://",	     "4-",	    "/*",
		"select ",   "-----",	    "fe80:",
		"\\\"",	     "pwd=\"",	    " ",
		"Basic ",    "$",	    "\xc3",
		"1 ",	     "&a",	    "[card]",
		"<token>",   "x<token><b>", "<a name=\"pwd\">",
		"<a \"",     "'\">",	    "&lt;jwt&gt;",
		"x<jwt a='", "auth: ",	    "\\",
		"auth:\\\"", "<",	    "cookie=a; ",
		"value=",    "x<pwd></pwc", "x<jwt>pwd=a ",
	};
	static char text[64u << 10];
	double slowest = 0;

	for (size_t u = 0; u < sizeof(units) / sizeof(*units); u++) {
		size_t n = strlen(units[u]);

		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = units[u][i % n];
		for (int k = 0; k < SECRET_KINDS; k++) {
			struct span_buf out = {0};
			double start = seconds(), took;

			find_all((enum span__secret)k,
				 (struct span_str){text, sizeof(text)}, &out);
			took = seconds() - start;
			slowest = took > slowest ? took : slowest;
			span_buf_release(&out);
		}
	}
	printf("# the slowest took %.1f ms\n", slowest * 1e3);
	ok(slowest < 0.5, "64 KiB of anything take less than half a second");
}

static void test_names(void)
{
	for (int k = 0; k < SECRET_KINDS; k++)
		is_int(span__secret_parse(span_str(
			       span__secret_name((enum span__secret)k))),
		       k, "the name of kind %d", k);
	is_int(span__secret_parse(SPAN_STR("cards")), -1, "no such name");
}

int main(void)
{
	test_cases();
	test_hints();
	test_time();
	test_names();
	return done_testing();
}
