/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random datagrams in random pieces, shuffled, mixed and repeated, come out
 * as they were; whatever else comes, the bounds hold and the books balance.
 */
#include "net/fragment.h"

#include "tests/unit/tap.h"

#define MAX_PIECES 8200u

static uint64_t seed = 1;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % below);
}

static bool want_all(void *self, uint8_t protocol, const uint8_t *p, size_t len)
{
	(void)self, (void)protocol, (void)p, (void)len;
	return true;
}

static bool want_no_x(void *self, uint8_t protocol, const uint8_t *p,
		      size_t len)
{
	(void)self, (void)protocol;
	return !len || p[0] != 'x';
}

static const uint8_t source[16] = {1}, target[16] = {2};

static struct span__fragment piece(uint32_t id, const uint8_t *data,
				   size_t offset, size_t len, bool more)
{
	return (struct span__fragment){
		.family_size = 4,
		.protocol = 17,
		.more = more,
		.id = id,
		.source = source,
		.target = target,
		.offset = offset,
		.len = len,
		.p = data + offset,
		.time_ns = 1000,
	};
}

static int put(struct span__reassembly *r, const struct span__fragment *f,
	       const uint8_t **p, size_t *len)
{
	uint8_t protocol;

	return span__reassembly_put(r, f, &protocol, p, len, NULL);
}

static size_t cut(struct span__fragment *to, uint32_t id, const uint8_t *data,
		  size_t len)
{
	size_t n = 0, most = 8 + 8 * rnd(rnd(2) ? 4 : 400);

	for (size_t at = 0; at < len; n++) {
		size_t part = 8 + 8 * rnd((uint32_t)most / 8);

		if (part > len - at)
			part = len - at;
		to[n] = piece(id, data, at, part, at + part < len);
		at += part;
	}
	return n;
}

static void shuffle(struct span__fragment *f, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = rnd((uint32_t)i);
		struct span__fragment t = f[i - 1];

		f[i - 1] = f[k];
		f[k] = t;
	}
}

/* Two datagrams at a time, mixed, with repetitions. */
static void test_random(void)
{
	static uint8_t data[2][SPAN__FRAGMENT_MAX];
	static struct span__fragment pieces[3 * MAX_PIECES];
	struct span__reassembly *r = NULL;
	int bad = 0, done = 0;

	is_int(span__reassembly_open(&r, want_all, NULL, NULL), 0, "open");
	for (int round = 0; round < 600; round++) {
		size_t len[2], n = 0, last;
		bool seen[2] = {false, false};

		for (size_t d = 0; d < 2; d++) {
			len[d] = 9 + rnd(round % 10 ? 3000 : 65527);
			for (size_t i = 0; i < len[d]; i++)
				data[d][i] = (uint8_t)rnd(256);
			n += cut(pieces + n, (uint32_t)round * 2 + (uint32_t)d,
				 data[d], len[d]);
		}
		last = n;
		for (size_t i = rnd(20); i; i--)
			pieces[n++] = pieces[rnd((uint32_t)last)];
		shuffle(pieces, n);
		for (size_t i = 0; i < n; i++) {
			const uint8_t *p;
			size_t got, d;
			int rc = put(r, &pieces[i], &p, &got);

			bad += rc < 0;
			if (rc <= 0)
				continue;
			d = pieces[i].id % 2;
			done++;
			bad += seen[d] || got != len[d] ||
			       memcmp(p, data[d], got) != 0;
			seen[d] = true;
		}
	}
	is_int(done, 1200, "each datagram is complete once");
	is_int(bad, 0, "and as it was sent");
	span__reassembly_finish(r);
	for (size_t i = 0; i < SPAN__DROPS; i++)
		is_uint(span__reassembly_drops(r)[i], 0, "no drops %zu", i);
	span__reassembly_close(&r);
}

static uint64_t drops(const struct span__reassembly *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < SPAN__DROPS; i++)
		n += span__reassembly_drops(r)[i];
	return n;
}

static void test_flood(void)
{
	static const uint8_t data[SPAN__FRAGMENT_MAX];
	struct span__reassembly *r = NULL;
	size_t most = 0;
	const uint8_t *p;
	size_t len;

	is_int(span__reassembly_open(&r, want_all, NULL, NULL), 0, "open");
	for (uint32_t id = 0; id < 20000; id++) {
		size_t at = id % 3 ? 65520 : 8 * rnd(8000);
		struct span__fragment f = piece(id, data, at, 8, true);

		if (put(r, &f, &p, &len) != 0)
			break;
		if (span__reassembly_memory(r) > most)
			most = span__reassembly_memory(r);
	}
	ok(most > 1000000 && most <= SPAN__FRAGMENT_MEMORY + 300000,
	   "a flood of single fragments holds %zu bytes at most", most);
	span__reassembly_finish(r);
	is_uint(drops(r), 20000, "each of them is counted once");
	is_uint(span__reassembly_drops(r)[SPAN__DROP_INCOMPLETE], 20000,
		"as incomplete");
	is_uint(span__reassembly_memory(r), 0, "nothing is held at the end");
	span__reassembly_close(&r);
}

/* Random offsets, lengths, ends: one outcome for each datagram. */
static void test_nonsense(void)
{
	static uint8_t data[2 * SPAN__FRAGMENT_MAX];
	struct span__reassembly *r = NULL;
	uint64_t complete = 0;
	int bad = 0;

	is_int(span__reassembly_open(&r, want_all, NULL, NULL), 0, "open");
	for (uint32_t id = 0; id < 5000; id++) {
		bool done = false;

		for (int i = 0; i < 20 && !done; i++) {
			struct span__fragment f =
				piece(id, data, 8 * rnd(10), rnd(30), rnd(2));
			const uint8_t *p;
			size_t len;
			int rc;

			f.cut = !rnd(50);
			if (!rnd(40))
				f.offset = 8 * rnd(8192);
			data[rnd(100)] = (uint8_t)rnd(2);
			rc = put(r, &f, &p, &len);
			bad += rc < 0 || (rc > 0 && len > SPAN__FRAGMENT_MAX);
			done = rc > 0;
		}
		complete += done;
	}
	span__reassembly_finish(r);
	is_int(bad, 0, "nonsense is no error");
	is_uint(complete + drops(r), 5000,
		"each datagram is complete or counted once");
	span__reassembly_close(&r);
}

static void test_age(void)
{
	static const uint8_t data[64];
	struct span__reassembly *r = NULL;
	struct span__fragment f;
	const uint8_t *p;
	size_t len;

	is_int(span__reassembly_open(&r, want_all, NULL, NULL), 0, "open");
	f = piece(1, data, 0, 32, true);
	f.time_ns = SPAN__FRAGMENT_AGE_NS * 3;
	is_int(put(r, &f, &p, &len), 0, "the first half");
	f = piece(1, data, 32, 32, false);
	f.time_ns = 5;
	is_int(put(r, &f, &p, &len), 1, "a clock that goes back is no age");
	f = piece(2, data, 0, 32, true);
	f.time_ns = 7;
	is_int(put(r, &f, &p, &len), 0, "another first half");
	f = piece(2, data, 32, 32, false);
	f.time_ns = 8 + SPAN__FRAGMENT_AGE_NS;
	is_int(put(r, &f, &p, &len), 0, "its second half comes too late");
	is_uint(drops(r), 1, "which is counted");
	span__reassembly_close(&r);
}

static void test_wanted(void)
{
	static const uint8_t data[64] = "x";
	struct span__reassembly *r = NULL;
	struct span__fragment f = piece(1, data, 0, 32, true);
	const uint8_t *p;
	size_t len;

	is_int(span__reassembly_open(&r, want_no_x, NULL, NULL), 0, "open");
	is_int(put(r, &f, &p, &len), 0, "half of what nobody wants");
	f = piece(2, data, 32, 32, false);
	is_int(put(r, &f, &p, &len), 0, "half of what may be wanted");
	span__reassembly_finish(r);
	is_uint(drops(r), 1, "only one of them is a loss");
	span__reassembly_close(&r);
}

int main(void)
{
	test_random();
	test_flood();
	test_nonsense();
	test_age();
	test_wanted();
	return done_testing();
}
