/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every prefix of a capture file: the packets before the cut come out, and
 * a cut inside a packet is never a clean end.
 */
#include "net/capture.h"

#include "tests/unit/tap.h"

static uint8_t *load(const char *name, size_t *len)
{
	const char *src = getenv("srcdir");
	uint8_t *p = malloc(1 << 20);
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/data/pcap/%s", src ? src : ".",
		 name);
	f = fopen(path, "rb");
	if (!p || !f) {
		printf("Bail out! %s\n", path);
		exit(1);
	}
	*len = fread(p, 1, 1 << 20, f);
	fclose(f);
	return p;
}

/* Read all; returns the last code, *N packets. */
static int read_all(const uint8_t *p, size_t len, size_t *n,
		    struct span_error *err)
{
	struct span__capture *c = NULL;
	struct span__frame f;
	int rc;

	*n = 0;
	rc = span__capture_open_mem(&c, p, len, "file", err);
	while (rc >= 0 && (rc = span__capture_next(c, &f, err)) > 0)
		++*n;
	span__capture_close(&c);
	return rc;
}

/* HEADER bytes, then packets whose ends are looked for one by one. */
static void test_prefixes(const char *name, size_t header, size_t packets)
{
	size_t len, n, before = 0, bad = 0, ends = 0, start = header;
	uint8_t *p = load(name, &len);
	struct span_error err;

	for (size_t cut = 0; cut <= len; cut++) {
		int rc;

		err = (struct span_error){0};
		rc = read_all(p, cut, &n, &err);
		if (n < before || n > before + 1)
			bad++;
		if (n > before)
			start = cut;
		before = n;
		if (rc == 0)
			ends++;
		else if (cut >= header &&
			 (rc != SPAN_E_TRUNCATED || err.pos != start))
			bad++;
		else if (cut < header && rc != SPAN_E_CORRUPT)
			bad++;
	}
	is_uint(n, packets, "%s: whole, it has all packets", name);
	is_uint(ends, packets + 1, "%s: it ends well behind each", name);
	is_uint(bad, 0, "%s: else it is cut, where the last packet begins",
		name);
	free(p);
}

/* No byte that is changed does any harm. */
static void test_damage(const char *name)
{
	size_t len, n, most = 0;
	uint8_t *p = load(name, &len);
	struct span_error err;
	int unexpected = 0;

	for (size_t i = 0; i < len; i++) {
		static const uint8_t values[] = {0x00, 0x7f, 0xff, 0x01};

		for (size_t k = 0; k < sizeof(values); k++) {
			uint8_t old = p[i];
			int rc;

			p[i] ^= values[k];
			err = (struct span_error){0};
			rc = read_all(p, len, &n, &err);
			unexpected += rc != 0 && rc != SPAN_E_TRUNCATED &&
				      rc != SPAN_E_CORRUPT;
			unexpected += rc < 0 && !err.msg[0];
			most = n > most ? n : most;
			p[i] = old;
		}
	}
	is_int(unexpected, 0, "%s: damage is said or does not matter", name);
	free(p);
}

static void test_next(void)
{
	struct span__capture *c = NULL;
	struct span__frame f = {0};
	size_t len;
	uint8_t *p = load("snaplen.pcap", &len);

	is_int(span__capture_open_mem(&c, p, len, "file", NULL), 0, "open");
	ok(!span__capture_is_live(c), "a file is not live");
	is_str(span__capture_link_name(c), "EN10MB", "its link type");
	is_int(span__capture_next(c, &f, NULL), 1, "a packet");
	is_uint(f.len, 47, "its length");
	is_uint(f.wire_len, 47, "all of it");
	is_uint(f.time_ns, 1795000000000001000u, "its time");
	is_int(span__capture_next(c, &f, NULL), 1, "the next one");
	ok(f.len == 74 && f.wire_len == 77, "is cut");
	is_int(span__capture_filter(c, "udp port", NULL), SPAN_E_INVALID,
	       "a filter that makes no sense");
	is_int(span__capture_filter(c, "ip6", NULL), 0, "a filter");
	is_int(span__capture_next(c, &f, NULL), 1, "a packet");
	is_uint(f.p[12] << 8 | f.p[13], 0x86dd, "that it lets pass");
	is_int(span__capture_next(c, &f, NULL), 1, "another one");
	is_int(span__capture_next(c, &f, NULL), 0, "and no more");
	span__capture_close(&c);
	free(p);
}

int main(void)
{
	test_prefixes("ethernet.pcap", 24, 11);
	test_prefixes("nanoseconds.pcap", 24, 2);
	test_damage("cooked.pcap");
	test_damage("two.pcapng");
	test_next();
	return done_testing();
}
