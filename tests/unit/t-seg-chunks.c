/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks of a segment: every codec, every length that matters, every byte. */
#include "base/le.h"
#include "store/seg_chunks.h"
#include "store/seg_codec.h"
#include "tap.h"

static struct span_error err;

static uint32_t drawn = 1;

static uint32_t draw(void)
{
	drawn = drawn * 1664525 + 1013904223;
	return drawn >> 8;
}

/* Text that compresses, or bytes that do not. */
static void fill(char *p, size_t len, bool noise)
{
	static const char words[8][9] = {
		"SELECT *", "from ord", "ers wher", "e id = 1",
		"customer", "payment:", "00000000", "/api/v1/"};

	for (size_t i = 0; i < len; i++) {
		if (i % 8 == 0)
			draw();
		p[i] = noise ? (char)draw() : words[drawn >> 8 & 7][i % 8];
	}
}

static struct span__area make_with(unsigned threads, enum span__seg_codec codec,
				   const char *p, size_t len,
				   struct span_buf *out)
{
	struct span__chunks_writer *w;

	out->len = 0;
	if (span__chunks_writer_open(&w, codec, &err) < 0)
		abort();
	span__chunks_writer_threads(w, threads);
	for (size_t pos = 0; pos < len;) {
		size_t n = draw() % 40000;

		if (n > len - pos)
			n = len - pos;
		if (span__chunks_writer_put(w, p + pos, n) != pos)
			abort();
		pos += n;
	}
	if (span__chunks_writer_len(w) != len ||
	    (len && span__chunks_writer_memory(w) < SEG_CHUNK) ||
	    span__chunks_writer_finish(w, out, &err) < 0)
		abort();
	span__chunks_writer_close(&w);
	return (struct span__area){(uint8_t *)out->p, out->len, NULL};
}

static struct span__area make(enum span__seg_codec codec, const char *p,
			      size_t len, struct span_buf *out)
{
	return make_with(1, codec, p, len, out);
}

/* Pieces at random places, and the whole. */
static bool read_back(struct span__chunks *c, const char *p, size_t len)
{
	struct span_str s;

	for (unsigned i = 0; i < 200; i++) {
		size_t pos = draw() % (len + 1), n = draw() % 200;

		if (i % 10 == 0)
			n = draw() % (3 * SEG_CHUNK);
		if (n > len - pos)
			n = len - pos;
		if (!span__chunks_get(c, pos, n, &s) || s.len != n ||
		    (n && memcmp(s.p, p + pos, n)))
			return false;
	}
	return span__chunks_get(c, 0, len, &s) && s.len == len &&
	       (!len || !memcmp(s.p, p, len));
}

static void test_round_trip(void)
{
	static const size_t lens[] = {0,
				      1,
				      2,
				      1000,
				      SEG_CHUNK - 1,
				      SEG_CHUNK,
				      SEG_CHUNK + 1,
				      10 * SEG_CHUNK + 77};
	char *p = malloc(11 * SEG_CHUNK);
	struct span_buf out = {0};

	for (unsigned codec = 0; codec <= SEG_CODEC_ZSTD; codec++) {
		if (!span__codec_known(codec)) {
			skip_tests(16, "no codec %u in this build", codec);
			continue;
		}
		for (unsigned i = 0; i < 16; i++) {
			struct span__chunks *c;
			size_t len = lens[i / 2];
			struct span__area a;

			fill(p, len, i % 2);
			a = make(codec, p, len, &out);
			ok(!span__chunks_open(&c, &a, &err) &&
				   span__chunks_len(c) == len &&
				   read_back(c, p, len),
			   "round trip: codec %u, %zu bytes%s", codec, len,
			   i % 2 ? " of noise" : "");
			if (len > 1000 && codec && i % 2 == 0 &&
			    out.len > len / 2)
				ok(false, "round trip: it is compressed");
			if (out.len > len + 16 + 8 * (len / SEG_CHUNK + 1))
				ok(false, "round trip: noise stays as it is");
			span__chunks_close(&c);
		}
	}
	free(p);
	span_buf_release(&out);
}

static void test_threads(void)
{
	static const size_t lens[] = {0, 1, SEG_CHUNK, 12 * SEG_CHUNK,
				      33 * SEG_CHUNK + 77};
	char *p = malloc(34 * SEG_CHUNK);
	struct span_buf one = {0}, many = {0};

	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		struct span__area a, b;

		fill(p, lens[i], false);
		a = make_with(1, span__seg_codec_best(), p, lens[i], &one);
		b = make_with(3, span__seg_codec_best(), p, lens[i], &many);
		ok(a.len == b.len && (!a.len || !memcmp(a.p, b.p, a.len)),
		   "threads: %zu bytes are written the same", lens[i]);
	}
	free(p);
	span_buf_release(&one);
	span_buf_release(&many);
}

static void test_bounds(void)
{
	char p[1000];
	struct span_buf out = {0};
	struct span__chunks *c;
	struct span__area a;
	struct span_str s;

	fill(p, sizeof(p), false);
	a = make(SEG_CODEC_ZLIB, p, sizeof(p), &out);
	if (span__chunks_open(&c, &a, &err) < 0)
		abort();
	ok(span__chunks_get(c, 1000, 0, &s) && !s.len, "bounds: the end");
	ok(!span__chunks_get(c, 1000, 1, &s) && !s.p, "bounds: behind it");
	ok(!span__chunks_get(c, 1, SIZE_MAX, &s), "bounds: no overflow");
	ok(!span__chunks_get(c, UINT64_MAX, 2, &s), "bounds: none at all");
	span__chunks_close(&c);
	a = (struct span__area){0};
	ok(!span__chunks_open(&c, &a, &err) && !span__chunks_len(c),
	   "bounds: no section is an empty sequence");
	ok(span__chunks_get(c, 0, 0, &s) && !span__chunks_get(c, 0, 1, &s),
	   "bounds: which has nothing");
	span__chunks_close(&c);
	span_buf_release(&out);
}

/* Everything that a section says, to whoever believes it. */
static void use(const uint8_t *p, size_t len)
{
	struct span__area a = {p, len, NULL};
	struct span__chunks *c;
	struct span_str s;
	unsigned sum = 0;

	if (span__chunks_open(&c, &a, &err) < 0)
		return;
	for (uint64_t pos = 0; pos < span__chunks_len(c) && pos < 1 << 20;
	     pos += 30000) {
		if (span__chunks_get(c, pos, 50000, &s))
			sum += (unsigned char)s.p[s.len - 1];
		else if (span__chunks_get(c, pos, 1, &s))
			sum += (unsigned char)s.p[0];
	}
	drawn += sum;
	span__chunks_close(&c);
}

static void test_damage(void)
{
	char *p = malloc(3 * SEG_CHUNK);
	struct span_buf out = {0};
	size_t n = 0;

	fill(p, 3 * SEG_CHUNK, false);
	memset(p + 3000, 'x', 3 * SEG_CHUNK - 6000);
	for (unsigned codec = SEG_CODEC_ZLIB; codec <= SEG_CODEC_ZSTD;
	     codec++) {
		uint8_t *copy;

		if (!span__codec_known(codec))
			continue;
		make(codec, p, 3 * SEG_CHUNK - 100, &out);
		copy = malloc(out.len);
		for (size_t i = 0; i < out.len; i += i < 48 ? 1 : 7) {
			memcpy(copy, out.p, out.len);
			copy[i] ^= (uint8_t)(1 + draw() % 255);
			use(copy, out.len);
			n++;
		}
		free(copy);
		for (size_t i = 0; i < out.len; i += i < 48 ? 1 : 13) {
			copy = malloc(i);
			if (i)
				memcpy(copy, out.p, i);
			use(copy, i);
			free(copy);
			n++;
		}
	}
	ok(true, "damage: %zu damaged sections are read to their end", n);
	free(p);
	span_buf_release(&out);
}

static void test_codecs(void)
{
	struct span_buf out = {0};
	struct span__chunks_writer *w;
	struct span__chunks *c;
	struct span__area a;

	ok(span__codec_known((unsigned)span__seg_codec_best()),
	   "codecs: the best one is there");
	is_int(span__chunks_writer_open(&w, (enum span__seg_codec)9, &err),
	       SPAN_E_INVALID, "codecs: not all are");
	ok(!w, "codecs: no writer then");
	a = make(SEG_CODEC_ZLIB, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 38,
		 &out);
	span__put32((uint8_t *)out.p + 12, 1u << 9);
	is_int(span__chunks_open(&c, &a, &err), SPAN_E_FORMAT,
	       "codecs: of a later version");
	is_str(err.msg,
	       "it is compressed with an unknown codec, which this build "
	       "cannot read",
	       "codecs: says so");
	span_buf_release(&out);
}

int main(void)
{
	test_round_trip();
	test_threads();
	test_bounds();
	test_codecs();
	test_damage();
	return done_testing();
}
