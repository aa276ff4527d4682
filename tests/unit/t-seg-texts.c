/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of texts: every way of writing comes back in every way of reading. */
#include "store/seg_template.h"
#include "store/seg_texts.h"

#include "tap.h"

#include "base/banned.h"

#define N_MAX 5000u
#define TEXT_MAX 3000u

static uint64_t state = 1;

static uint64_t random64(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* ---- Texts to try ---- */

typedef void text_fn(struct span_buf *b, size_t i);

static void constant(struct span_buf *b, size_t i)
{
	(void)i;
	span_buf_puts(b, "postgresql");
}

static void choice(struct span_buf *b, size_t i)
{
	static const char *const v[] = {"GET", "POST", "", "DELETE", "hit"};

	(void)i;
	span_buf_puts(b, v[random64() % 5]);
}

static void pods(struct span_buf *b, size_t i)
{
	(void)i;
	span_buf_printf(b, "pod-%c%c", (char)('g' + random64() % 20),
			(char)('g' + random64() % 20));
}

static void orders(struct span_buf *b, size_t i)
{
	(void)i;
	span_buf_printf(b, "GET /orders/%u/items/%u?page=%u",
			(unsigned)(random64() % 9000000),
			(unsigned)(random64() % 30), (unsigned)random64() % 4);
}

static void padded(struct span_buf *b, size_t i)
{
	(void)i;
	span_buf_printf(b, "#%06u", (unsigned)(random64() % 1000000));
}

static void addresses(struct span_buf *b, size_t i)
{
	(void)i;
	span_buf_printf(b, "10.%u.%u.%u:%u", (unsigned)(random64() % 256),
			(unsigned)(random64() % 256),
			(unsigned)(random64() % 256),
			(unsigned)(1024 + random64() % 60000));
}

static void ids(struct span_buf *b, size_t i)
{
	(void)i;
	span_buf_printf(b, "%016llx", (unsigned long long)random64());
}

static void long_ids(struct span_buf *b, size_t i)
{
	(void)i;
	span_buf_printf(b, "%016llx%016llx", (unsigned long long)random64(),
			(unsigned long long)random64());
}

static void uuids(struct span_buf *b, size_t i)
{
	uint64_t x = random64(), y = random64();

	(void)i;
	span_buf_printf(b, "id:%08x-%04x-%04x-%04x-%012llx", (unsigned)x,
			(unsigned)(x >> 32 & 0xffff), (unsigned)(x >> 48),
			(unsigned)(y >> 48),
			(unsigned long long)(y & 0xffffffffffff));
}

static void sessions(struct span_buf *b, size_t i)
{
	(void)i;
	span_buf_printf(b, "cart:%010llx",
			(unsigned long long)(random64() & 0xffffffffff));
}

static void several(struct span_buf *b, size_t i)
{
	static text_fn *const fns[] = {orders, padded, addresses, uuids};

	fns[random64() % 4](b, i);
}

static void strays(struct span_buf *b, size_t i)
{
	if (i % 40 == 7)
		span_buf_printf(b, "%c?%c%c", (char)(1 + random64() % 40),
				(char)(random64() % 256),
				(char)('G' + random64() % 20));
	else
		orders(b, i);
}

static void words(struct span_buf *b, size_t i)
{
	(void)i;
	for (uint64_t n = 2 + random64() % 12; n; n--) {
		for (uint64_t k = 1 + random64() % 9; k; k--)
			span_buf_putc(b, (char)('a' + random64() % 26));
		span_buf_putc(b, ' ');
	}
}

static void bytes(struct span_buf *b, size_t i)
{
	(void)i;
	for (uint64_t n = random64() % 40; n; n--)
		span_buf_putc(b, (char)random64());
}

static void long_texts(struct span_buf *b, size_t i)
{
	if (i % 3)
		words(b, i);
	else
		for (uint64_t n = random64() % TEXT_MAX; n; n--)
			span_buf_putc(b, (char)('0' + random64() % 16));
}

static void numbers(struct span_buf *b, size_t i)
{
	static const char *const odd[] = {"0",
					  "00",
					  "01",
					  "9999999999999999999",
					  "10000000000000000000",
					  "18446744073709551616",
					  "0000000000000000001",
					  "1e9",
					  "0x1f",
					  "deadbeef",
					  "deadbeef1",
					  "abcdefabcdefabcd",
					  "abcdefabcdefabcdefabcdefabcdefab",
					  "1-2-3-4-5-6-7-8-9-10",
					  "00000000000000000001",
					  "1234567890123456789012345678901f"};

	span_buf_puts(b, odd[i % 16]);
	if (random64() % 2)
		span_buf_printf(
			b, " %llu",
			(unsigned long long)(random64() >> random64() % 64));
}

/* The way that is taken for 5000 values, and their bytes without strings and
 * heap at most. */
static const struct kind {
	const char *name;
	text_fn *fn;
	enum span__texts_way way;
	size_t max_len;
} kinds[] = {
	{"one text", constant, TEXTS_CONSTANT, 2},
	{"a few texts", choice, TEXTS_CODES, 1900},
	{"some hundred", pods, TEXTS_CODES, 6900},
	{"paths with numbers", orders, TEXTS_TEMPLATES, 20100},
	{"padded numbers", padded, TEXTS_TEMPLATES, 13200},
	{"addresses", addresses, TEXTS_TEMPLATES, 25100},
	{"ids", ids, TEXTS_TEMPLATES, 41000},
	{"trace ids", long_ids, TEXTS_TEMPLATES, 80200},
	{"UUIDs", uuids, TEXTS_TEMPLATES, 80200},
	{"sessions", sessions, TEXTS_TEMPLATES, 28000},
	{"several forms", several, TEXTS_HEAP, 12000},
	{"forms with strays", strays, TEXTS_TEMPLATES, 23000},
	{"words", words, TEXTS_HEAP, 12000},
	{"bytes", bytes, TEXTS_HEAP, 12000},
	{"long texts", long_texts, TEXTS_HEAP, 20000},
	{"odd numbers", numbers, TEXTS_HEAP, 8000},
};
#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

/* ---- A column of them ---- */

static struct {
	struct span_buf text; /* of all */
	struct span_str v[N_MAX];
	uint32_t string[N_MAX]; /* which of v is the same as v[i] */
	size_t n;
} rows;

static struct span__texts_scratch scratch;

/* Fill the rows; equal texts get the number of the first. */
static void make(text_fn *a, text_fn *b, size_t n)
{
	static size_t ends[N_MAX];

	rows.text.len = 0;
	rows.n = n;
	for (size_t i = 0; i < n; i++) {
		(i / 64 % 2 ? b : a)(&rows.text, i);
		ends[i] = rows.text.len;
	}
	for (size_t i = 0; i < n; i++) {
		size_t from = i ? ends[i - 1] : 0;

		rows.v[i] =
			(struct span_str){rows.text.p + from, ends[i] - from};
	}
}

static int compare(const void *a, const void *b)
{
	const struct span_str *x = &rows.v[*(const uint32_t *)a];
	const struct span_str *y = &rows.v[*(const uint32_t *)b];
	int order = span_str_compare(*x, *y);

	return order ? order : (a > b) - (a < b);
}

static void number(void)
{
	static uint32_t order[N_MAX];
	uint32_t first = 0;

	for (uint32_t i = 0; i < rows.n; i++)
		order[i] = i;
	qsort(order, rows.n, sizeof(*order), compare);
	for (size_t i = 0; i < rows.n; i++) {
		if (!i || !span_str_equal(rows.v[order[i]], rows.v[first]))
			first = order[i];
		rows.string[order[i]] = first;
	}
}

struct column {
	struct span_buf bytes, heap_bytes;
	struct span__chunks *heap;
	struct span__strings strings;
	struct span_str table[N_MAX + 1];
	struct span__texts texts;
	enum span__texts_way way;
};

static struct span__area area_of(const struct span_buf *b)
{
	return (struct span__area){(const uint8_t *)b->p, b->len, NULL};
}

/* The segment's strings are what the plan wants and one that it does not. */
static void put(struct column *c, const struct span__texts_plan *plan)
{
	static uint32_t final[N_MAX];

	c->strings.n = 0;
	for (size_t i = 0; i < plan->n_strings; i++) {
		final[plan->strings[i]] = (uint32_t)i;
		c->table[c->strings.n++] = rows.v[plan->strings[i]];
	}
	c->strings.v = c->table;
	c->way = plan->way;
	span__texts_put(&c->bytes, plan, final);
}

static bool column_open(struct column *c)
{
	struct span__chunks_writer *w;
	struct span__texts_plan plan;
	struct span__area area;
	uint64_t used = 0;
	size_t len;
	bool good;

	memset(c, 0, sizeof(*c));
	number();
	if (span__chunks_writer_open(&w, SEG_CODEC_ZLIB, NULL) < 0 ||
	    span__texts_plan(&plan, &scratch, rows.v, rows.n, rows.string,
			     rows.n, NULL) < 0)
		return false;
	span__texts_put_heap(&plan, rows.v, w);
	span_buf_puts(&c->bytes, "x");
	put(c, &plan);
	len = c->bytes.len - 1;
	span_buf_puts(&c->bytes, "behind");
	span__texts_plan_release(&plan);
	good = span__chunks_writer_finish(w, &c->heap_bytes, NULL) == 0;
	span__chunks_writer_close(&w);
	area = area_of(&c->heap_bytes);
	good = good && span__chunks_open(&c->heap, &area, NULL) == 0;
	area = area_of(&c->bytes);
	area = span__area_sub(&area, 1, area.len - 1);
	return good &&
	       span__texts_open(&c->texts, &area, rows.n, &c->strings, c->heap,
				&used) &&
	       used == len;
}

static void column_close(struct column *c)
{
	span__chunks_close(&c->heap);
	span_buf_release(&c->bytes);
	span_buf_release(&c->heap_bytes);
}

static bool reads(const struct column *c)
{
	struct span_arena arena = {0};
	struct span_str got;
	bool good = true;

	for (size_t i = 0; i < rows.n && good; i++) {
		good = span__texts_get(&c->texts, i, &arena, &got) &&
		       span_str_equal(got, rows.v[i]);
		if (!good)
			diag("%zu: \"%.*s\" is \"%.*s\"", i, (int)rows.v[i].len,
			     rows.v[i].p, (int)got.len, got.p);
		span_arena_reset(&arena);
	}
	span_arena_release(&arena);
	return good;
}

static bool found(const struct column *c, size_t from, size_t n,
		  struct span_str text)
{
	static uint64_t bits[N_MAX / 64 + 1];
	uint64_t count = span__texts_find(&c->texts, from, n, text, bits);

	for (size_t i = 0; i < n; i++) {
		bool same = span_str_equal(rows.v[from + i], text);

		count -= same;
		if (same != (bits[i / 64] >> i % 64 & 1))
			return false;
	}
	return !count;
}

/* Texts that are there, and that are nearly there. */
static bool finds(const struct column *c)
{
	bool good = found(c, 0, rows.n, SPAN_STR("not there")) &&
		    found(c, 0, rows.n, SPAN_STR("")) &&
		    found(c, 0, rows.n, SPAN_STR("GET /orders/1/items/01"));

	for (int k = 0; k < 12 && good; k++) {
		size_t from = (size_t)(random64() % rows.n);
		size_t n = (size_t)(random64() % (rows.n - from + 1));
		struct span_str text = rows.v[random64() % rows.n];

		if (k % 3 == 0)
			text.len -= text.len && k % 2;
		good = found(c, from, n, text) && found(c, 0, rows.n, text);
	}
	return good;
}

static void see(void *arg, uint32_t string)
{
	*(uint64_t *)arg += string + 1;
}

/* The sum of the strings that are told is that of the table. */
static bool tells_distinct(const struct column *c)
{
	uint64_t sum = 0, n = c->strings.n;
	bool has = span__texts_distinct(&c->texts, see, &sum);
	uint32_t string;

	if (span__texts_constant(&c->texts, &string) !=
	    (c->way == TEXTS_CONSTANT))
		return false;
	return c->way <= TEXTS_CODES ? has && sum == n * (n + 1) / 2 : !has;
}

static bool round_trip(struct column *c)
{
	return column_open(c) && reads(c) && finds(c) && tells_distinct(c);
}

static void test_kinds(void)
{
	static const size_t lens[] = {1, 2, 3, 7, 20, 64, 65, 512, 513, 1300};
	static struct column c;

	for (size_t k = 0; k < N_KINDS; k++) {
		bool good = true;

		for (size_t j = 0; j < sizeof(lens) / sizeof(*lens); j++) {
			make(kinds[k].fn, kinds[k].fn, lens[j]);
			good = round_trip(&c) && good;
			column_close(&c);
		}
		make(kinds[k].fn, kinds[k].fn, N_MAX);
		good = round_trip(&c) && good;
		ok(good, "%s: come back", kinds[k].name);
		is_int(c.way, kinds[k].way, "%s: the way", kinds[k].name);
		ok(c.bytes.len - 7 <= kinds[k].max_len,
		   "%s: %zu bytes, %zu strings, heap of %zu, texts of %zu",
		   kinds[k].name, c.bytes.len - 7, c.strings.n,
		   c.heap_bytes.len, rows.text.len);
		column_close(&c);
	}
}

static void test_mixtures(void)
{
	static struct column c;
	bool good = true;

	for (int k = 0; k < 80 && good; k++) {
		const struct kind *a = &kinds[random64() % N_KINDS];
		const struct kind *b = &kinds[random64() % N_KINDS];

		make(a->fn, b->fn, 1 + (size_t)(random64() % 1200));
		good = round_trip(&c);
		column_close(&c);
		if (!good)
			diag("%s, %s: %zu", a->name, b->name, rows.n);
	}
	ok(good, "columns of two kinds come back");
}

/* ---- Templates ---- */

static const struct {
	const char *text;
	unsigned n; /* numbers in it */
	uint64_t first;
} splits[] = {
	{"", 0, 0},
	{"no number", 0, 0},
	{"0", 1, 0},
	{"user 17", 1, 17},
	{"007", 1, 7},
	{"9999999999999999999", 1, 9999999999999999999u},
	{"00000000000000000001", 0, 0},
	{"100000000000000000000", 0, 0},
	{"10.1.2.3:80", 5, 10},
	{"deadbeef", 0, 0},
	{"deadbee5", 1, 0xdeadbee5},
	{"cafe", 0, 0},
	{"c4fe", 1, 4},
	{"abcdefabcdefabcd", 1, 0xabcdefabcdefabcd},
	{"0123456789abcdef0123456789abcdef", 2, 0x0123456789abcdef},
	{"0123456789abcdef0123456789abcdef0", 3, 123456789},
	{"12345678-1234-1234-1234-123456789012", 2, 0x1234567812341234},
	{"12345678-1234-1234-1234-12345678901", 5, 12345678},
	{"1 2 3 4 5 6 7 8 9 10", 8, 1},
	{"1 2 3 4 5 6 7 0123456789abcdef01", 7, 1},
};

static void test_splits(void)
{
	for (size_t k = 0; k < sizeof(splits) / sizeof(*splits); k++) {
		struct span_str text = span_str(splits[k].text), body;
		char out[TEMPLATE_RENDER_MAX];
		uint64_t v[SEG_TEMPLATE_VARS] = {0};
		struct span__split s;
		unsigned slots;
		size_t len;

		span__template_split(&s, text);
		is_uint(s.n, splits[k].n, "\"%s\" has numbers", text.p);
		ok(!s.n || s.v[0] == splits[k].first, "\"%s\" has its first",
		   text.p);
		body = (struct span_str){(const char *)s.body, s.len};
		ok(span__template_match(body, text, v, &slots) &&
			   slots == (1u << s.n) - 1 &&
			   !memcmp(v, s.v, s.n * sizeof(*v)),
		   "\"%s\" is of its template", text.p);
		ok(span__template_render(body, v, out, &len),
		   "\"%s\" is put together", text.p);
		is_mem(out, len, text.p, text.len, "\"%s\" is the same",
		       text.p);
	}
}

/* ---- Damage ---- */

static void read_damaged(struct column *c, const uint8_t *p, size_t len,
			 uint64_t n)
{
	static uint64_t bits[N_MAX / 64 + 1];
	uint8_t *copy = malloc(len ? len : 1);
	struct span__area area = {copy, len, NULL};
	struct span_arena arena = {0};
	struct span__texts t;
	uint64_t used, sum = 0;
	struct span_str got;

	memcpy(copy, p, len);
	if (span__texts_open(&t, &area, n, &c->strings, c->heap, &used)) {
		if (used > len)
			abort();
		for (uint64_t i = 0; i < n && i < 700; i++) {
			(void)span__texts_get(&t, i, &arena, &got);
			span_arena_reset(&arena);
		}
		if (n <= N_MAX)
			span__texts_find(&t, 0, n, rows.v[0], bits);
		(void)span__texts_distinct(&t, see, &sum);
	}
	span_arena_release(&arena);
	free(copy);
}

static void test_damage(void)
{
	static struct column c;

	for (size_t k = 0; k < N_KINDS; k++) {
		make(kinds[k].fn, kinds[k].fn, k % 2 ? 25 : 600);
		if (!column_open(&c))
			continue;
		for (size_t i = 1; i < c.bytes.len - 6 && i < 90; i++) {
			uint8_t *p = (uint8_t *)c.bytes.p;

			for (int bit = 0; bit < 8; bit++) {
				p[i] ^= (uint8_t)(1 << bit);
				read_damaged(&c, p + 1, c.bytes.len - 7,
					     rows.n);
				p[i] ^= (uint8_t)(1 << bit);
			}
			read_damaged(&c, p + 1, i - 1, rows.n);
			read_damaged(&c, p + 1, c.bytes.len - 7,
				     (uint64_t)rows.n << i % 64);
		}
		column_close(&c);
	}
	ok(true, "damaged columns are read without harm");
}

static void test_empty(void)
{
	struct span__strings strings = {0};
	struct span__texts_plan plan;
	struct span_buf b = {0};
	struct span__area area = {NULL, 0, NULL};
	struct span__texts t;
	struct span_str got;

	ok(span__texts_plan(&plan, &scratch, NULL, 0, NULL, 0, NULL) == 0,
	   "an empty column is planned");
	span__texts_put(&b, &plan, NULL);
	is_uint(b.len, 0, "and takes nothing");
	span__texts_plan_release(&plan);
	ok(span__texts_open(&t, &area, 0, &strings, NULL, NULL), "it opens");
	ok(!span__texts_get(&t, 0, NULL, &got) && !got.len, "it has no value");
	ok(!span__texts_open(&t, &area, 1, &strings, NULL, NULL) && !t.n,
	   "a column without bytes is damaged");
	span_buf_release(&b);
}

int main(void)
{
	test_empty();
	test_splits();
	test_kinds();
	test_mixtures();
	test_damage();
	span__texts_scratch_release(&scratch);
	span_buf_release(&rows.text);
	return done_testing();
}
