/* SPDX-License-Identifier: Apache-2.0 */
#include "net/address.h"

#include "tests/unit/tap.h"

static const struct {
	const char *text, *host;
	uint16_t port;
	bool good;
} splits[] = {
	{"udp:127.0.0.1:6831", "127.0.0.1", 6831, true},
	{"udp:[::1]:0", "::1", 0, true},
	{"udp:[fe80::1%eth0]:65535", "fe80::1%eth0", 65535, true},
	{"udp:localhost:1", "localhost", 1, true},
	{"udp:*:6831", "*", 6831, true},
	{"otlp-http:127.0.0.1:1", "127.0.0.1", 1, true},
	{"127.0.0.1:1", NULL, 0, false},
	{":127.0.0.1:1", NULL, 0, false},
	{"udp", NULL, 0, false},
	{"udp:", NULL, 0, false},
	{"udp::", NULL, 0, false},
	{"udp::1", NULL, 0, false},
	{"udp:a", NULL, 0, false},
	{"udp:a:", NULL, 0, false},
	{"udp:a:b", NULL, 0, false},
	{"udp:a:-1", NULL, 0, false},
	{"udp:a:65536", NULL, 0, false},
	{"udp:a:18446744073709551617", NULL, 0, false},
	{"udp:::1:6831", NULL, 0, false},
	{"udp:[::1]", NULL, 0, false},
	{"udp:[::1:6831", NULL, 0, false},
	{"udp:[]:6831", NULL, 0, false},
	{"udp:[:1", NULL, 0, false},
};

static void test_split(void)
{
	for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++) {
		char host[SPAN__ADDRESS_TEXT] = "";
		struct span_error err = {0};
		uint16_t port = 0;
		struct span_str proto = {0};
		int rc = span__address_split(splits[i].text, &proto, host,
					     &port, &err);

		if (!splits[i].good) {
			ok(rc == SPAN_E_INVALID && err.msg[0], "'%s' is wrong",
			   splits[i].text);
			continue;
		}
		ok(rc == 0 && port == splits[i].port && proto.len >= 3 &&
			   !strcmp(host, splits[i].host),
		   "'%s' is split", splits[i].text);
	}
}

static void test_long_host(void)
{
	char text[200] = "udp:", host[SPAN__ADDRESS_TEXT];
	struct span_str proto;
	uint16_t port;

	memset(text + 4, 'a', SPAN__ADDRESS_TEXT);
	memcpy(text + 4 + SPAN__ADDRESS_TEXT, ":1", 3);
	is_int(span__address_split(text, &proto, host, &port, NULL),
	       SPAN_E_INVALID, "a host that does not fit is wrong");
}

static void test_text(void)
{
	static const struct {
		const char *host, *text;
	} rows[] = {
		{"127.0.0.1", "127.0.0.1:6831"},
		{"255.0.19.100", "255.0.19.100:6831"},
		{"::1", "[::1]:6831"},
		{"2001:db8::10", "[2001:db8::10]:6831"},
		{"fe80::1%1", "[fe80::1%lo]:6831"},
		{"::ffff:192.0.2.1", "192.0.2.1:6831"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span__address a[4];
		char text[SPAN__ADDRESS_TEXT] = "";
		int n = span__address_resolve(a, 4, rows[i].host, 6831, NULL);

		is_int(n, 1, "%s is one address", rows[i].host);
		is_uint(span__address_text(&a[0], text), strlen(rows[i].text),
			"the length of its text");
		is_str(text, rows[i].text, "its text");
		is_uint(span__address_port(&a[0]), 6831, "its port");
	}
}

static void test_resolve(void)
{
	struct span__address a[2];
	struct span_error err = {0};
	char text[SPAN__ADDRESS_TEXT];

	is_int(span__address_resolve(a, 2, "*", 5, NULL), 2,
	       "* is two addresses");
	span__address_text(&a[0], text);
	is_str(text, "0.0.0.0:5", "any IPv4 address");
	span__address_text(&a[1], text);
	is_str(text, "[::]:5", "any IPv6 address");
	is_int(span__address_resolve(a, 2, "::1::", 5, &err), SPAN_E_INVALID,
	       "no address");
	ok(strstr(err.msg, "'::1::'"), "which is named");
}

int main(void)
{
	test_split();
	test_long_host();
	test_text();
	test_resolve();
	return done_testing();
}
