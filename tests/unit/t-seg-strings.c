/* SPDX-License-Identifier: Apache-2.0 */
/* The strings of a segment: round trips, looking up, and damage. */
#include "base/le.h"
#include "store/seg_codec.h"
#include "store/seg_strings.h"
#include "tap.h"

static struct span_error err;

static uint32_t drawn = 1;

static uint32_t draw(void)
{
	drawn = drawn * 1664525 + 1013904223;
	return drawn >> 8;
}

static int by_bytes(const void *a, const void *b)
{
	const struct span_str *x = a, *y = b;

	return span_str_compare(*x, *y);
}

/* Up to MAX strings that ascend and differ; the first one is empty. */
static size_t make_strings(struct span_str *v, size_t max,
			   struct span_arena *arena)
{
	static const char *const begins[] = {
		"", "http.", "rpc.service.", "a", "\xc3\xa4\xff", "SELECT "};
	size_t n = 0, kept = 0;

	for (v[n++] = (struct span_str){0}; n < max; n++) {
		char text[400];
		int len = snprintf(text, sizeof(text), "%s%u",
				   begins[draw() % 6], draw() % 4000);

		if (draw() % 50 == 0) {
			memset(text + len, 'x', 300);
			len += 300;
		}
		if (draw() % 50 == 0)
			text[len / 2] = '\0';
		if (!span_arena_str(arena, (struct span_str){text, (size_t)len},
				    &v[n]))
			abort();
	}
	qsort(v, n, sizeof(*v), by_bytes);
	for (size_t i = 0; i < n; i++) {
		if (!kept || !span_str_equal(v[kept - 1], v[i]))
			v[kept++] = v[i];
	}
	return kept;
}

static void test_round_trip(void)
{
	static const size_t sizes[] = {0, 1, 2, 100, 5000};
	static struct span_str v[5000];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct span_arena arena = {0};
		struct span_buf out = {0};
		struct span__strings s;
		struct span__area a;
		unsigned wrong = 0;
		size_t n = sizes[i] ? make_strings(v, sizes[i], &arena) : 0;

		if (span__strings_put_section(&out, v, n,
					      span__seg_codec_best(), &err))
			abort();
		a = (struct span__area){(uint8_t *)out.p, out.len, NULL};
		ok(!span__strings_open(&s, &a, NULL, &err) && s.n == n,
		   "round trip: %zu strings in %zu bytes", n, out.len);
		for (uint32_t k = 0; k < n; k++) {
			wrong +=
				!span_str_equal(span__strings_get(&s, k), v[k]);
			wrong += span__strings_find(&s, v[k]) != k;
		}
		is_uint(wrong, 0, "round trip: all are found");
		ok(span__strings_find(&s, SPAN_STR("http.4001")) ==
				   SEG_NO_STRING &&
			   !span__strings_get(&s, (uint32_t)n).len &&
			   !span__strings_get(&s, SEG_NO_STRING).len,
		   "round trip: and no others");
		span__strings_close(&s);
		span_buf_release(&out);
		span_arena_release(&arena);
	}
}

/* A section whose sequence is the N bytes at P. */
static int open_sequence(const void *p, size_t n)
{
	struct span__chunks_writer *w;
	struct span_buf out = {0};
	struct span__strings s;
	struct span__area a;
	int rc;

	if (span__chunks_writer_open(&w, SEG_CODEC_NONE, &err) < 0)
		abort();
	span__chunks_writer_put(w, p, n);
	if (span__chunks_writer_finish(w, &out, &err) < 0)
		abort();
	span__chunks_writer_close(&w);
	a = (struct span__area){(uint8_t *)out.p, out.len, NULL};
	memset(&err, 0, sizeof(err));
	rc = span__strings_open(&s, &a, NULL, &err);
	if (rc < 0 && (s.n || s.v || s.chunks))
		rc = 1;
	span__strings_close(&s);
	span_buf_release(&out);
	return rc;
}

#define N4(a) a "\0\0\0"

static void test_hostile(void)
{
	static const struct {
		const char *name, *p;
		size_t len;
		int rc;
	} rows[] = {
#define ROW(name, lit, rc) {name, lit, sizeof(lit) - 1, rc}
		ROW("one", N4("\1") N4("\2") "\0\2ab", 0),
		ROW("two", N4("\2") N4("\5") "\0\2ab\2\1c", 0),
		ROW("too short for a header", "\1\0\0", SPAN_E_CORRUPT),
		ROW("more strings than bytes", N4("\3") N4("\2") "\0\2ab",
		    SPAN_E_CORRUPT),
		ROW("4 billion strings", "\xff\xff\xff\xff" N4("\2") "\0\2ab",
		    SPAN_E_CORRUPT),
		ROW("4 billion bytes", N4("\1") "\xff\xff\xff\xff\0\2ab",
		    SPAN_E_CORRUPT),
		ROW("a total too low", N4("\2") N4("\4") "\0\2ab\2\1c",
		    SPAN_E_CORRUPT),
		ROW("a total too high", N4("\2") N4("\6") "\0\2ab\2\1c",
		    SPAN_E_CORRUPT),
		ROW("shares more than there is", N4("\1") N4("\2") "\1\1a",
		    SPAN_E_CORRUPT),
		ROW("a length behind the end", N4("\1") N4("\3") "\0\3ab",
		    SPAN_E_CORRUPT),
		ROW("bytes left over", N4("\1") N4("\2") "\0\2abc",
		    SPAN_E_CORRUPT),
		ROW("a number without end", N4("\1") N4("\2") "\0\x82\x80",
		    SPAN_E_CORRUPT),
		ROW("a number of five bytes",
		    N4("\1") N4("\2") "\0\x82\x80\x80\x80\0ab", SPAN_E_CORRUPT),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		is_int(open_sequence(rows[i].p, rows[i].len), rows[i].rc,
		       "hostile: %s", rows[i].name);
}

static void test_damage(void)
{
	static struct span_str v[300];
	struct span_arena arena = {0};
	struct span_buf out = {0};
	size_t n = make_strings(v, 300, &arena), runs = 0;

	for (unsigned codec = 0; codec <= SEG_CODEC_ZSTD; codec++) {
		out.len = 0;
		if (!span__codec_known(codec))
			continue;
		if (span__strings_put_section(&out, v, n, codec, &err) < 0)
			abort();
		for (size_t i = 0; i < out.len; i++, runs++) {
			struct span__area a = {(uint8_t *)out.p, out.len, NULL};
			char was = out.p[i];
			struct span__strings s;

			out.p[i] ^= (char)(1 + draw() % 255);
			if (!span__strings_open(&s, &a, NULL, &err))
				(void)span__strings_find(&s, v[n / 2]);
			span__strings_close(&s);
			out.p[i] = was;
		}
	}
	ok(true, "damage: %zu damaged sections are opened", runs);
	span_buf_release(&out);
	span_arena_release(&arena);
}

static void test_limits(void)
{
	static struct span_str v[65];
	char *p = calloc(1, 1 << 20);
	struct span_buf out = {0};

	for (size_t i = 0; i < 65; i++)
		v[i] = (struct span_str){p, 1 << 20};
	is_int(span__strings_put_section(&out, v, 65, SEG_CODEC_ZLIB, &err),
	       SPAN_E_LIMIT, "limits: too many bytes");
	is_uint(out.len, 0, "limits: nothing is written");
	free(p);
	span_buf_release(&out);
}

/* Both sections of N strings. */
static void put_both(struct span_buf out[2], const struct span_str *v, size_t n)
{
	enum span__seg_codec codec = span__seg_codec_best();

	if (span__strings_put_section(&out[0], v, n, codec, &err) ||
	    span__strings_put_short(&out[1], v, n, codec, &err))
		abort();
}

static int open_both(struct span__strings *s, const struct span_buf out[2])
{
	struct span__area a[2];

	for (int i = 0; i < 2; i++)
		a[i] = (struct span__area){(uint8_t *)out[i].p, out[i].len,
					   NULL};
	return span__strings_open(s, &a[0], &a[1], &err);
}

static void test_short(void)
{
	static struct span_str v[20000];
	struct span_arena arena = {0};
	struct span_buf out[2] = {{0}, {0}};
	size_t n = make_strings(v, 20000, &arena);
	struct span_str first;
	struct span__strings s;
	unsigned wrong = 0, longs = 0, unread = 0;

	put_both(out, v, n);
	ok(!open_both(&s, out) && s.n == n && s.shorts,
	   "short: %zu strings, of which the long ones are not read", n);
	first = span__strings_get(&s, 1);
	for (uint32_t k = 0; k < n; k++) {
		if (v[k].len > SEG_STRING_SHORT) {
			longs++;
			continue;
		}
		wrong += !span_str_equal(span__strings_get(&s, k), v[k]);
		wrong += span__strings_find(&s, v[k]) != k;
	}
	for (uint32_t k = 0; k < n; k++)
		wrong += (v[k].len <= SEG_STRING_SHORT) != !!s.v[k].p;
	ok(!wrong && longs, "short: they are found without");
	for (uint32_t k = 0; !longs || v[k].len <= SEG_STRING_SHORT ||
			     span__strings_get(&s, k).len != v[k].len;
	     k++)
		;
	for (uint32_t k = 0; k < n; k++)
		unread += !s.v[k].p;
	ok(s.n_pieces > 1 && unread && unread < longs,
	   "short: a long one is read with those around it, %u are not",
	   unread);
	for (uint32_t k = 0; k < n; k++) {
		wrong += !span_str_equal(span__strings_get(&s, k), v[k]);
		wrong += span__strings_find(&s, v[k]) != k;
	}
	ok(!wrong, "short: then %u long ones, too", longs);
	ok(first.p == span__strings_get(&s, 1).p,
	   "short: what was read before stays where it is");
	ok(span__strings_agree(&s), "short: both sections say the same");
	span__strings_close(&s);
	for (int i = 0; i < 2; i++)
		span_buf_release(&out[i]);
	span_arena_release(&arena);
}

/* One section says other things than the other, or nothing. */
static void test_short_alone(void)
{
	char big[SEG_STRING_SHORT + 1] = "z";
	struct span_str v[] = {SPAN_STR("a"),
			       SPAN_STR("b"),
			       SPAN_STR("c"),
			       {big, sizeof(big)}};
	struct span_buf out[2] = {{0}, {0}}, other[2] = {{0}, {0}}, mixed[2];
	struct span__strings s;
	char *half;

	put_both(out, v, 4);
	v[1] = SPAN_STR("bb");
	put_both(other, v, 4);
	mixed[0] = out[0];
	mixed[1] = other[1];
	ok(!open_both(&s, mixed) && !span__strings_agree(&s),
	   "alone: another short string is found");
	span__strings_close(&s);
	mixed[1].len--;
	ok(!open_both(&s, mixed) && !s.shorts && span__strings_agree(&s) &&
		   span__strings_find(&s, SPAN_STR("b")) == 1,
	   "alone: without the short ones all are read");
	span__strings_close(&s);
	half = memcpy(malloc(out[0].len), out[0].p, out[0].len);
	mixed[0] = (struct span_buf){.p = half, .len = out[0].len - 1};
	mixed[1] = out[1];
	ok(!open_both(&s, mixed) &&
		   span__strings_find(&s, SPAN_STR("c")) == 2 &&
		   !span__strings_get(&s, 3).p,
	   "alone: without the others the short ones are there");
	span__strings_close(&s);
	free(half);
	for (int i = 0; i < 2; i++) {
		span_buf_release(&out[i]);
		span_buf_release(&other[i]);
	}
}

/* A section of short strings whose sequence is the bytes P, beside four. */
static bool takes_short(const char *p, size_t len)
{
	struct span_str v[] = {SPAN_STR("a"), SPAN_STR("b"), SPAN_STR("c"),
			       SPAN_STR("d")};
	struct span__chunks_writer *w;
	struct span_buf out[2] = {{0}, {0}};
	struct span__strings s;
	bool taken;

	if (span__strings_put_section(&out[0], v, 4, SEG_CODEC_NONE, &err) ||
	    span__chunks_writer_open(&w, SEG_CODEC_NONE, &err) < 0)
		abort();
	span__chunks_writer_put(w, p, len);
	if (span__chunks_writer_finish(w, &out[1], &err) < 0)
		abort();
	span__chunks_writer_close(&w);
	if (open_both(&s, out) < 0)
		abort();
	taken = s.shorts;
	for (uint32_t i = 0; i < 5; i++)
		(void)span__strings_find(&s, span__strings_get(&s, i));
	span__strings_close(&s);
	span_buf_release(&out[0]);
	span_buf_release(&out[1]);
	return taken;
}

static void test_short_hostile(void)
{
	static const struct {
		const char *name, *p;
		size_t len;
		bool taken;
	} rows[] = {
#define SHORT(name, lit, taken) {name, lit, sizeof(lit) - 1, taken}
		SHORT("two", N4("\4") N4("\2") "\0\1a\2\1c", true),
		SHORT("a piece too many", N4("\4") N4("\1") "\0\1a\1\1", false),
		SHORT("half a piece", N4("\4") N4("\1") "\0\1a\1", false),
		SHORT("none", N4("\4") N4("\0"), true),
		SHORT("no header", "\4", false),
		SHORT("more than bytes", N4("\4") N4("\3") "\0\1a\1\1", false),
		SHORT("more than all", N4("\1") N4("\2") "\0\1a\1\1b", false),
		SHORT("4 billion", "\xff\xff\xff\xff" N4("\1") "\0\1a", false),
		SHORT("a number twice", N4("\4") N4("\2") "\0\1a\0\1c", false),
		SHORT("a number too high", N4("\4") N4("\1") "\4\1a", false),
		SHORT("a length behind the end", N4("\4") N4("\1") "\0\2a",
		      false),
		SHORT("bytes left over", N4("\4") N4("\1") "\0\1ab", false),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ok(takes_short(rows[i].p, rows[i].len) == rows[i].taken,
		   "short, hostile: %s", rows[i].name);
}

int main(void)
{
	test_round_trip();
	test_short();
	test_short_alone();
	test_short_hostile();
	test_hostile();
	test_damage();
	test_limits();
	return done_testing();
}
