/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments in any order, repeated, overlapping, cut and lost: what comes out
 * is what was sent, in order and once, with a mark where something is missing.
 */
#include "net/tcp.h"

#include "tests/unit/tap.h"
#include "tests/unit/tcp-packet.h"

#define SECOND 1000000000ull

static struct tcp_packet packet;

/*
 * What the sink saw, as text: the bytes, "<" and ">" around those that are
 * disputed, "?" for a gap, "#" for one that the capture cut, "." for the end;
 * "(" begins a stream that is whole, "[" one that is not.
 */
static char seen[16u << 20];
static size_t n_seen;
static uint64_t last_ns;
static int n_open, n_gaps;
static uint64_t n_missing;
static size_t held;	    /* what the sink says it holds */
static const char *deaf_at; /* none more is wanted behind this byte */

static void see(const void *p, size_t len)
{
	if (len >= sizeof(seen) - n_seen)
		abort();
	memcpy(seen + n_seen, p, len);
	n_seen += len;
	seen[n_seen] = '\0';
}

static int on_open(void *arg, const struct span__tcp_ends *ends, bool whole,
		   void **stream, struct span_error *err)
{
	(void)err;
	n_open += ends->target_port == 4318;
	see(whole ? "(" : "[", 1);
	*stream = arg;
	return 0;
}

static int on_bytes(void *stream, const struct span__tcp_bytes *b,
		    struct span_error *err)
{
	(void)stream, (void)err;
	if (b->disputed)
		see("<", 1);
	see(b->p, b->len);
	if (b->disputed)
		see(">", 1);
	last_ns = b->time_ns;
	return deaf_at && memchr(b->p, *deaf_at, b->len);
}

static int on_gap(void *stream, uint32_t len, enum span__drop cause)
{
	(void)stream;
	n_gaps++;
	n_missing += len;
	see(cause == SPAN__DROP_TRUNCATED ? "#" : "?", 1);
	return 0;
}

static size_t on_memory(const void *stream)
{
	(void)stream;
	return held;
}

static void on_close(void *stream)
{
	(void)stream;
	n_open--;
	see(".", 1);
}

static struct span__tcp *open_tcp(void)
{
	static const uint16_t ports[] = {80, 4318};
	static int arg;
	const struct span__tcp_sink sink = {.arg = &arg,
					    .open = on_open,
					    .bytes = on_bytes,
					    .gap = on_gap,
					    .memory = on_memory,
					    .close = on_close};
	struct span__tcp *t = NULL;

	n_seen = 0;
	n_gaps = 0;
	n_missing = 0;
	seen[0] = '\0';
	if (span__tcp_open(&t, ports, 2, &sink, NULL) < 0)
		abort();
	return t;
}

static int put(struct span__tcp *t, uint16_t port, int flags, uint32_t seq,
	       const void *data, size_t len, uint64_t time_ns)
{
	return span__tcp_put(
		t, tcp_packet(&packet, port, flags, seq, data, len, time_ns),
		NULL);
}

/* A segment: flags, where it begins in the stream, text, bytes cut from it. */
struct step {
	int flags, at;
	const char *text;
	unsigned cut;
};

#define STEPS 8
static const struct {
	const char *name;
	struct step steps[STEPS];
	const char *want;
} cases[] = {
	{"in order",
	 {{SYN, -1, "", 0},
	  {0, 0, "abc", 0},
	  {ACK, 3, "def", 0},
	  {FIN, 6, "", 0}},
	 "(abcdef."},
	{"data with SYN and with FIN",
	 {{SYN, -1, "ab", 0}, {FIN, 2, "cd", 0}},
	 "(abcd."},
	{"the other way around",
	 {{SYN, -1, "", 0},
	  {FIN, 6, "gh", 0},
	  {0, 3, "def", 0},
	  {0, 0, "abc", 0}},
	 "(abcdefgh."},
	{"each twice",
	 {{SYN, -1, "", 0},
	  {SYN, -1, "", 0},
	  {0, 0, "ab", 0},
	  {0, 0, "ab", 0},
	  {0, 2, "cd", 0},
	  {0, 0, "ab", 0},
	  {FIN, 4, "", 0},
	  {FIN, 4, "", 0}},
	 "(abcd."},
	{"sent once more in larger parts",
	 {{SYN, -1, "", 0},
	  {0, 0, "ab", 0},
	  {0, 4, "ef", 0},
	  {0, 0, "abcdefg", 0}},
	 "(abcdefg."},
	{"a repetition in smaller parts",
	 {{SYN, -1, "", 0},
	  {0, 3, "defgh", 0},
	  {0, 4, "ef", 0},
	  {0, 2, "cd", 0},
	  {0, 0, "abc", 0}},
	 "(abcdefgh."},
	{"parts between parts",
	 {{SYN, -1, "", 0},
	  {0, 6, "g", 0},
	  {0, 2, "c", 0},
	  {0, 4, "e", 0},
	  {0, 1, "bcdefgh", 0},
	  {0, 0, "a", 0}},
	 "(abcdefgh."},
	{"the first bytes win, and are disputed",
	 {{SYN, -1, "", 0},
	  {0, 2, "cde", 0},
	  {0, 1, "bXXXf", 0},
	  {0, 0, "a", 0}},
	 "(ab<cde>f."},
	{"what was handed on is not disputed",
	 {{SYN, -1, "", 0}, {0, 0, "abc", 0}, {0, 1, "XXde", 0}},
	 "(abcde."},
	{"a gap",
	 {{SYN, -1, "", 0}, {0, 0, "ab", 0}, {0, 4, "ef", 0}, {0, 8, "ij", 0}},
	 "(ab?ef?ij."},
	{"a gap before the end",
	 {{SYN, -1, "", 0}, {0, 0, "ab", 0}, {FIN, 4, "", 0}},
	 "(ab?."},
	{"all of it is a gap", {{SYN, -1, "", 0}, {FIN, 4, "", 0}}, "(?."},
	{"nothing at all", {{SYN, -1, "", 0}, {FIN, 0, "", 0}}, ""},
	{"RST hands on what waits, and is the end",
	 {{SYN, -1, "", 0}, {0, 2, "cd", 0}, {RST, 4, "", 0}, {0, 0, "ab", 0}},
	 "(?cd."},
	{"cut by the capture",
	 {{SYN, -1, "", 0},
	  {0, 0, "abcd", 2},
	  {0, 4, "ef", 0},
	  {0, 6, "gh", 2}},
	 "(ab#ef#."},
	{"cut, and known from a repetition",
	 {{SYN, -1, "", 0},
	  {0, 3, "defg", 2},
	  {0, 5, "fg", 0},
	  {0, 0, "abc", 0}},
	 "(abcdefg."},
	{"cut, and known in part",
	 {{SYN, -1, "", 0},
	  {0, 3, "defg", 3},
	  {0, 5, "f", 0},
	  {0, 0, "abc", 0}},
	 "(abcd#f."},
	{"cut before its data",
	 {{SYN, -1, "", 0}, {0, 2, "cd", 2}, {0, 4, "ef", 0}, {0, 0, "ab", 0}},
	 "(ab#ef."},
	{"the beginning was not captured",
	 {{0, 0, "ab", 0}, {0, 2, "cd", 0}, {FIN, 4, "", 0}},
	 "[abcd."},
	{"SYN is late",
	 {{0, 0, "ab", 0}, {SYN, -1, "", 0}, {0, 2, "cd", 0}},
	 "[abcd."},
	{"packets without data begin nothing",
	 {{ACK, 0, "", 0}, {FIN, 0, "", 0}, {RST, 0, "x", 0}},
	 ""},
	{"after the end nothing comes",
	 {{SYN, -1, "", 0},
	  {FIN, 0, "ab", 0},
	  {0, 0, "ab", 0},
	  {0, 2, "cd", 0}},
	 "(ab."},
	{"a second connection between the same ends",
	 {{SYN, -1, "", 0},
	  {FIN, 0, "ab", 0},
	  {SYN, 99, "", 0},
	  {0, 100, "cd", 0},
	  {0, 102, "ef", 0}},
	 "(ab.(cdef."},
	{"a second one before the end of the first",
	 {{SYN, -1, "", 0},
	  {0, 0, "ab", 0},
	  {SYN, 99, "", 0},
	  {0, 100, "cd", 0}},
	 "(ab.(cd."},
	{"the answer of a server begins nothing",
	 {{SYN | ACK, -1, "", 0}, {ACK, 0, "", 0}},
	 ""},
	{"a probe of one old byte",
	 {{SYN, -1, "", 0}, {0, 0, "ab", 0}, {0, 1, "X", 0}, {0, 2, "cd", 0}},
	 "(abcd."},
	{"far away is another connection",
	 {{SYN, -1, "", 0},
	  {0, 0, "ab", 0},
	  {0, 100000000, "X", 0},
	  {0, 2, "c", 0}},
	 "(abc."},
	{"far away after the end is another one, too",
	 {{SYN, -1, "", 0}, {FIN, 0, "ab", 0}, {0, 100000000, "X", 0}},
	 "(ab.[X."},
	{"FIN before bytes that came",
	 {{SYN, -1, "", 0}, {0, 0, "abcd", 0}, {FIN, 2, "", 0}, {0, 4, "e", 0}},
	 "(abcd."},
	{"none more is wanted",
	 {{SYN, -1, "", 0}, {0, 0, "a!", 0}, {0, 5, "f", 0}, {0, 2, "cd", 0}},
	 "(a!."},
};

static void run_case(size_t i, uint32_t isn)
{
	struct span__tcp *t = open_tcp();
	int bad = 0;

	for (size_t k = 0; k < STEPS && cases[i].steps[k].text; k++) {
		const struct step *s = &cases[i].steps[k];
		size_t len = strlen(s->text);

		tcp_packet(&packet, 5000, s->flags, isn + 1 + (uint32_t)s->at,
			   s->text, len, SECOND + k);
		packet.p.len -= s->cut;
		bad += span__tcp_put(t, &packet.p, NULL) != 0;
	}
	bad += span__tcp_finish(t, NULL) != 0;
	bad += span__tcp_streams(t) != 0 || span__tcp_memory(t) != 0;
	span__tcp_close(&t);
	is(seen, n_seen, cases[i].want, cases[i].name);
	is_int(bad + n_open, 0, "and nothing is left, sequence from %u", isn);
}

static void test_cases(void)
{
	static const uint32_t isn[] = {1000, 0x7ffffffe, 0xfffffffe,
				       0xfffffffb};

	deaf_at = "!";
	for (size_t k = 0; k < sizeof(isn) / sizeof(isn[0]); k++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
			run_case(i, isn[k]);
	deaf_at = NULL;
}

static uint64_t seed = 1;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % below);
}

/* Segments of random length and place, until each byte was sent. */
static void test_random(void)
{
	static char data[20000];
	int bad = 0;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)('a' + rnd(26));
	for (int round = 0; round < 300; round++) {
		struct span__tcp *t = open_tcp();
		uint32_t isn =
			rnd(2) ? rnd(UINT32_MAX) : UINT32_MAX - rnd(9000);
		uint32_t len = 1 + rnd(sizeof(data)), most = 1 + rnd(3000);
		uint32_t sent = 0;

		bad += put(t, 1, SYN, isn, "", 0, 1) != 0;
		while (sent < len) {
			/* In order, or behind, or ahead. */
			uint32_t at = rnd(4) ? sent : rnd(len);
			uint32_t n = 1 + rnd(most);

			if (n > len - at)
				n = len - at;
			bad += put(t, 1, 0, isn + 1 + at, data + at, n, 2) != 0;
			if (at == sent)
				sent += n;
		}
		bad += put(t, 1, FIN, isn + 1 + len, "", 0, 2) != 0;
		bad += n_seen != len + 2 || memcmp(seen + 1, data, len) != 0 ||
		       n_open || span__tcp_streams(t) != 1;
		span__tcp_close(&t);
	}
	is_int(bad, 0, "random segments: all bytes, once, in order");
}

/* Segments of which some never come. */
static void test_lossy(void)
{
	static char data[50000];
	int bad = 0, gaps = 0;

	memset(data, 'x', sizeof(data));
	for (int round = 0; round < 300; round++) {
		struct span__tcp *t = open_tcp();
		uint32_t isn = rnd(UINT32_MAX), at = 0, got = 0;
		bool last_lost = false;
		int want = 0;

		bad += put(t, 1, SYN, isn, "", 0, 1) != 0;
		while (at < sizeof(data) - 3000) {
			uint32_t n = 1 + rnd(3000);
			bool lost = !rnd(10);

			if (!lost) {
				bad += put(t, 1, 0, isn + 1 + at, data, n, 2);
				got += n;
			}
			want += lost && !last_lost;
			last_lost = lost;
			at += n;
		}
		bad += put(t, 1, FIN, isn + 1 + at, "", 0, 2) != 0;
		bad += span__tcp_finish(t, NULL) != 0;
		bad += n_gaps != want || n_missing != at - got ||
		       n_seen != got + 2u + (size_t)want;
		gaps += want;
		span__tcp_close(&t);
	}
	ok(gaps > 500, "%d gaps", gaps);
	is_int(bad, 0, "lost segments: each gap once, and the rest");
}

static void test_time(void)
{
	struct span__tcp *t = open_tcp();
	uint64_t now = 1000 * SECOND;

	put(t, 1, SYN, 0, "", 0, now);
	put(t, 1, 0, 3, "cd", 2, now + 1);
	put(t, 1, 0, 1, "ab", 2, now + 5);
	is_uint(last_ns, now + 5, "late bytes have the time of what was late");
	put(t, 1, 0, 7, "gh", 2, now + 6);
	put(t, 1, 0, 9, "ij", 2, now + 7 + SPAN__TCP_GAP_NS - 1);
	is(seen, n_seen, "(abcd", "a gap is waited for");
	put(t, 1, 0, 1, "", 0, now + 7 + SPAN__TCP_GAP_NS);
	is(seen, n_seen, "(abcd?ghij", "but not for ever");
	is_uint(last_ns, now + 6 + SPAN__TCP_GAP_NS,
		"what was behind it has its own time");
	put(t, 1, 0, 13, "mn", 2, 5);
	put(t, 1, 0, 11, "kl", 2, 6);
	is(seen, n_seen, "(abcd?ghijklmn", "a clock that goes back is no age");
	put(t, 2, SYN, 0, "", 0, 7);
	put(t, 2, 0, 1, "x", 1, 8);
	put(t, 3, SYN, 0, "", 0, 9 + SPAN__TCP_IDLE_NS);
	is(seen, n_seen, "(abcd?ghijklmn(x..", "idle ones are forgotten");
	is_uint(span__tcp_streams(t), 1, "but for the new one");
	span__tcp_close(&t);
}

static void test_flood(void)
{
	struct span__tcp *t = open_tcp();
	size_t most_memory = 0, most_streams = 0;

	for (uint32_t i = 0; i < 20000; i++) {
		put(t, (uint16_t)i, SYN, i, "", 0, i);
		put(t, (uint16_t)i, 0, i + 1000, "x", 1, i);
		if (span__tcp_memory(t) > most_memory)
			most_memory = span__tcp_memory(t);
		if (span__tcp_streams(t) > most_streams)
			most_streams = span__tcp_streams(t);
	}
	is_uint(most_streams, SPAN__TCP_STREAMS, "a flood of connections");
	ok(most_memory < 4u << 20, "holds %zu bytes at most", most_memory);
	is_int(span__tcp_finish(t, NULL), 0, "finish");
	is_uint(n_seen, 20000 * 4, "each is handed on");
	is_uint(span__tcp_memory(t), 0, "nothing is held at the end");
	span__tcp_close(&t);
}

static void test_bounds(void)
{
	static const char data[60000];
	struct span__tcp *t = open_tcp();
	size_t most = 0;

	put(t, 1, SYN, 0, "", 0, 1);
	for (uint32_t i = 0; i < 200; i++) {
		put(t, 1, 0, 11 + i * 60000, data, 60000, 2);
		if (span__tcp_memory(t) > most)
			most = span__tcp_memory(t);
	}
	ok(most <= SPAN__TCP_WAITING + 61000, "%zu bytes wait at most", most);
	is_int(n_gaps, 1, "then the gap is left");
	is_uint(n_seen, 200 * 60000 + 2, "and all of it handed on");
	span__tcp_close(&t);

	t = open_tcp();
	most = 0;
	put(t, 1, SYN, 0, "", 0, 1);
	for (uint32_t i = 0; i < 20000; i++) {
		put(t, 1, 0, 60000 - 3 * i, "x", 1, 2);
		if (span__tcp_memory(t) > most)
			most = span__tcp_memory(t);
	}
	ok(most < SPAN__TCP_PIECES * 200, "%zu bytes for tiny pieces", most);
	span__tcp_close(&t);

	/* The sink's memory counts, too. */
	t = open_tcp();
	held = 1u << 20;
	for (uint32_t i = 0; i < 200; i++) {
		put(t, (uint16_t)i, 0, 1, "x", 1, 2);
		if (span__tcp_memory(t) > SPAN__TCP_MEMORY)
			break;
	}
	ok(n_open < 64 && n_open > 60, "%d streams of 1 MiB", n_open);
	span__tcp_close(&t);
	held = 0;
}

static void test_headers(void)
{
	struct span__tcp *t = open_tcp();

	tcp_packet(&packet, 1, 0, 1, "abc", 3, 1);
	packet.bytes[12] = 4 << 4;
	is_int(span__tcp_put(t, &packet.p, NULL), 0, "a header too short");
	packet.bytes[12] = 15 << 4;
	is_int(span__tcp_put(t, &packet.p, NULL), 0, "one too long");
	packet.bytes[12] = 5 << 4;
	packet.p.len = 19;
	is_int(span__tcp_put(t, &packet.p, NULL), 0, "one that is cut");
	packet.p.len = 23;
	packet.bytes[3]++;
	is_int(span__tcp_put(t, &packet.p, NULL), 0, "another port");
	is_uint(n_seen + span__tcp_streams(t), 0, "begin nothing");
	packet.bytes[3]--;
	is_int(span__tcp_put(t, &packet.p, NULL), 0, "a good one");
	is(seen, n_seen, "[abc", "begins");
	packet.p.family_size = 16;
	is_int(span__tcp_put(t, &packet.p, NULL), 0, "from another address");
	is(seen, n_seen, "[abc[abc", "is another stream");
	span__tcp_close(&t);
}

int main(void)
{
	test_cases();
	test_random();
	test_lossy();
	test_time();
	test_flood();
	test_bounds();
	test_headers();
	return done_testing();
}
