/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of texts: every way of writing comes back in every way of reading. */
#include "texts-to-try.h"

#include "base/banned.h"

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

/* A question whose answer depends on all bytes; it fails after so many. */
struct question {
	unsigned asked, fails;
};

static int odd(void *arg, struct span_str text)
{
	struct question *q = arg;
	unsigned sum = (unsigned)text.len;

	if (++q->asked == q->fails)
		return SPAN_E_LIMIT;
	for (size_t i = 0; i < text.len; i++)
		sum = sum * 31 + (unsigned char)text.p[i];
	return sum % 7 < 3;
}

/* The same, where it does not matter which digits a number has. */
static int odd_else(void *arg, struct span_str text)
{
	struct span_buf b = {0};
	int rc;

	for (size_t i = 0; i < text.len; i++) {
		bool digit = text.p[i] >= '0' && text.p[i] <= '9';

		if (!digit || !b.len || b.p[b.len - 1] != '0')
			span_buf_putc(&b, digit ? '0' : text.p[i]);
	}
	rc = odd(arg, (struct span_str){b.p, b.len});
	span_buf_release(&b);
	return rc;
}

/* The same of what is left without any that may be of a number in hex. */
static int odd_rest(void *arg, struct span_str text)
{
	struct span_buf b = {0};
	int rc;

	for (size_t i = 0; i < text.len; i++)
		if (!text.p[i] || !strchr("0123456789abcdef-", text.p[i]))
			span_buf_putc(&b, text.p[i]);
	rc = odd(arg, (struct span_str){b.p, b.len});
	span_buf_release(&b);
	return rc;
}

static bool asked(const struct column *c, span__texts_ask_fn *fn,
		  enum span__texts_alike alike)
{
	static uint64_t bits[N_MAX / 64 + 1];
	struct question q = {0}, own = {0};
	struct span_arena temp = {0};
	uint64_t n, count = 0;
	bool good;

	memset(bits, 0, sizeof(bits));
	good = !span__texts_ask(&c->texts, fn, &q, alike, &temp, bits, &n);
	for (size_t i = 0; i < rows.n && good; i++) {
		bool yes = fn(&own, rows.v[i]);

		count += yes;
		good = yes == (bits[i / 64] >> i % 64 & 1);
	}
	good = good && count == n && q.asked <= rows.n;
	q = (struct question){.fails = 1 + q.asked / 2};
	good = good && span__texts_ask(&c->texts, fn, &q, alike, &temp, bits,
				       &n) == (rows.n ? SPAN_E_LIMIT : 0);
	span_arena_release(&temp);
	return good;
}

/* Texts that are there, and that are nearly there. */
static bool finds(const struct column *c)
{
	bool good = asked(c, odd, TEXTS_UNLIKE) &&
		    asked(c, odd_else, TEXTS_UNLIKE) &&
		    asked(c, odd_else, TEXTS_DIGITS) &&
		    asked(c, odd_rest, TEXTS_HEX) &&
		    found(c, 0, rows.n, SPAN_STR("not there")) &&
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
	test_kinds();
	test_mixtures();
	test_damage();
	span__texts_scratch_release(&scratch);
	span_buf_release(&rows.text);
	return done_testing();
}
