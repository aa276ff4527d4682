/* SPDX-License-Identifier: Apache-2.0 */
#include "net/admission.h"

#include <arpa/inet.h>

#include "tests/unit/tap.h"

static struct span__peer peer(const char *text)
{
	struct span__address a = {.len = sizeof(a.sa.in6)};

	a.sa.any.sa_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(a.sa.any.sa_family, text,
		      strchr(text, ':') ? (void *)&a.sa.in6.sin6_addr
					: (void *)&a.sa.in.sin_addr) != 1)
		exit(1);
	return span__peer_of(&a);
}

/* How many connections of TEXT are let in, of N. */
static size_t enter(struct span__admission *a, const char *text, size_t n)
{
	struct span__peer p = peer(text);
	size_t in = 0;

	while (n--)
		in += span__admission_enter(a, &p);
	return in;
}

static void leave(struct span__admission *a, const char *text, size_t n)
{
	struct span__peer p = peer(text);

	while (n--)
		span__admission_leave(a, &p);
}

static void test_shares(void)
{
	struct span__admission *a;

	is_int(span__admission_open(&a, 10, 0, NULL), 0, "room for ten");
	is_uint(enter(a, "192.0.2.1", 7), 5, "one host gets half");
	is_uint(enter(a, "::ffff:192.0.2.1", 1), 0, "in either family");
	is_uint(enter(a, "192.0.2.2", 3), 3, "another one what it wants");
	is_uint(enter(a, "192.0.2.3", 3), 2, "as long as there is room");
	leave(a, "192.0.2.1", 5);
	is_uint(enter(a, "2001:db8::1", 2), 2, "IPv6");
	is_uint(enter(a, "2001:db8::2", 3), 3, "has networks of 64 bits");
	leave(a, "192.0.2.2", 3);
	is_uint(enter(a, "2001:db8::3", 1), 0, "that are one host");
	is_uint(enter(a, "2001:db8:0:1::3", 1), 1, "each");
	leave(a, "2001:db8:0:1::3", 1);
	leave(a, "2001:db8::2", 5);
	leave(a, "192.0.2.3", 2);
	is_uint(enter(a, "127.0.0.1", 12), 10, "this host may have all");
	span__admission_close(&a);
	is_int(span__admission_open(&a, 10, 3, NULL), 0, "three for each");
	is_uint(enter(a, "::1", 12), 3, "and for this host, too");
	span__admission_close(&a);
	ok(span__admission_enter(NULL, NULL), "without limits all are let in");
}

/* Peers come and go, and none is lost or counted twice. */
static void test_many(void)
{
	static unsigned n[256];
	struct span__admission *a;
	unsigned wrong = 0, sum = 0, seed = 7;
	char text[20];

	is_int(span__admission_open(&a, 300, 3, NULL), 0, "open");
	for (int i = 0; i < 200000; i++) {
		unsigned who;

		seed = seed * 1103515245u + 12345u;
		who = seed >> 16 & 255u;
		snprintf(text, sizeof(text), "10.0.0.%u", who);
		if (seed >> 24 & 1 && n[who]) {
			leave(a, text, 1);
			n[who]--;
			sum--;
		} else if (enter(a, text, 1)) {
			wrong += n[who] >= 3 || sum >= 300;
			n[who]++;
			sum++;
		} else {
			wrong += n[who] < 3 && sum < 300;
		}
	}
	is_uint(wrong, 0, "each gets what is left for it, and no more");
	span__admission_close(&a);
}

int main(void)
{
	test_shares();
	test_many();
	return done_testing();
}
