/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns of texts. The first byte says whether the rest is a column, of as
 * many values as the next byte says, or texts, separated by a byte, that are
 * put and must come back and be found.
 */
#include <stdlib.h>
#include <string.h>

#include "store/seg_texts.h"

#define N_MAX 2048u

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static struct span_str table[N_MAX];

static void check(bool good)
{
	if (!good)
		abort();
}

static struct span__area area_of(const struct span_buf *b)
{
	return (struct span__area){(const uint8_t *)b->p, b->len, NULL};
}

static void count(void *arg, uint32_t string)
{
	check(string < N_MAX);
	++*(uint64_t *)arg;
}

static int ask(void *arg, struct span_str text)
{
	const struct span_str *want = arg;

	return span_str_equal(text, *want);
}

/* Has it as many characters that are no digits? */
static int ask_alike(void *arg, struct span_str text)
{
	const struct span_str *want = arg;
	size_t a = 0, b = 0;

	for (size_t i = 0; i < text.len; i++)
		a += text.p[i] < '0' || text.p[i] > '9';
	for (size_t i = 0; i < want->len; i++)
		b += want->p[i] < '0' || want->p[i] > '9';
	return a == b;
}

/* What is asked about is what is read, damaged or not. */
static void ask_all(const struct span__texts *t, uint64_t n,
		    span__texts_ask_fn *fn, bool alike, struct span_str text,
		    const struct span__seg_file *file)
{
	static uint64_t bits[N_MAX / 64];
	struct span_arena arena = {0}, temp = {0};
	struct span_str got;
	uint64_t count;
	int rc;

	memset(bits, 0, sizeof(bits));
	rc = span__texts_ask(t, fn, &text, alike, &temp, bits, &count);
	check(rc == 0 && count <= n);
	for (uint64_t i = 0; i < n; i++) {
		bool good = span__texts_get(t, i, &arena, &got);

		check(good || file);
		check((good && fn(&text, got)) == (bits[i / 64] >> i % 64 & 1));
		span_arena_reset(&arena);
	}
	span_arena_release(&arena);
	span_arena_release(&temp);
}

/* What is found is what is read. */
static void read_all(const struct span__texts *t, uint64_t n,
		     struct span_str text, const struct span__seg_file *file)
{
	static uint64_t bits[N_MAX / 64];
	struct span_arena arena = {0};
	uint64_t found = span__texts_find(t, 0, n, text, bits), seen = 0;
	struct span_str got;

	check(found <= n);
	for (uint64_t i = 0; i < n; i++) {
		bool good = span__texts_get(t, i, &arena, &got);
		bool same = good && span_str_equal(got, text);

		check(same == (bits[i / 64] >> i % 64 & 1) || file);
		check(good || file);
		span_arena_reset(&arena);
	}
	span_arena_release(&arena);
	(void)span__texts_distinct(t, count, &seen);
	if (t->n != n)
		return;
	ask_all(t, n, ask, false, text, file);
	ask_all(t, n, ask_alike, true, text, file);
}

static void open_heap(struct span__chunks **out, struct span_buf *b,
		      struct span__chunks_writer **w)
{
	struct span__area area;

	check(span__chunks_writer_finish(*w, b, NULL) == 0);
	span__chunks_writer_close(w);
	area = area_of(b);
	check(span__chunks_open(out, &area, NULL) == 0);
}

static void read_column(const uint8_t *p, size_t len, uint64_t n)
{
	static uint8_t checked[1 << 14], damaged[1 << 14];
	struct span__seg_file file = {.map = p,
				      .size = len,
				      .data_end = len,
				      .checked = checked,
				      .damaged = damaged};
	struct span__area area = {p, len, &file};
	struct span__strings strings = {.v = table, .n = 3};
	struct span__chunks_writer *w;
	struct span__chunks *heap;
	struct span_buf bytes = {0};
	struct span__texts t;
	uint64_t used;

	memset(checked, 0xff, len / SEG_PAGE / 8 + 1);
	table[0] = SPAN_STR("");
	table[1] = SPAN_STR("a");
	table[2] = SPAN_STR("b1");
	check(span__chunks_writer_open(&w, SEG_CODEC_NONE, NULL) == 0);
	span__chunks_writer_put(w, "a heap of texts", 15);
	open_heap(&heap, &bytes, &w);
	if (span__texts_open(&t, &area, n, &strings, heap, &used)) {
		check(used <= len);
		read_all(&t, n < N_MAX ? n : N_MAX, SPAN_STR("a"), &file);
	} else {
		check(file.bad && t.n == 0);
	}
	span__chunks_close(&heap);
	span_buf_release(&bytes);
}

/* Texts of the input; equal ones have the same number. */
static size_t take_texts(const uint8_t *p, size_t len, struct span_str *v,
			 uint32_t *string)
{
	uint8_t end = len ? *p : 0;
	size_t n = 0;

	while (len && n < 300) {
		const uint8_t *at = memchr(p + 1, end, len - 1);
		size_t k = at ? (size_t)(at - p) : len;

		v[n] = (struct span_str){(const char *)p + 1, k - 1};
		string[n] = 0;
		while (!span_str_equal(v[string[n]], v[n]))
			string[n]++;
		n++;
		p += k;
		len -= k;
	}
	return n;
}

static int compare(const void *a, const void *b)
{
	return span_str_compare(*(const struct span_str *)a,
				*(const struct span_str *)b);
}

/* The strings that a plan wants are the segment's. */
static void put_plan(struct span_buf *out, const struct span__texts_plan *plan,
		     const struct span_str *v, size_t n)
{
	uint32_t final[300] = {0};

	for (size_t i = 0; i < plan->n_strings; i++) {
		check(plan->strings[i] < n);
		table[i] = v[plan->strings[i]];
		check(!i || compare(&table[i - 1], &table[i]) < 0);
		final[plan->strings[i]] = (uint32_t)i;
	}
	span__texts_put(out, plan, final);
	check(!out->failed);
}

static void put_column(const uint8_t *p, size_t len, size_t copies)
{
	struct span_str v[300];
	uint32_t string[300], numbers[N_MAX];
	struct span__texts_scratch scratch = {0};
	struct span__texts_plan plan;
	struct span__strings strings = {.v = table};
	struct span__chunks_writer *w;
	struct span__chunks *heap;
	struct span_buf out = {0}, bytes = {0};
	struct span_arena arena = {0};
	struct span__area area;
	struct span__texts t;
	size_t n = take_texts(p, len, v, string), n_rows = 0;

	for (size_t k = 0; k < n * copies && n_rows < N_MAX; k++)
		numbers[n_rows++] = string[k % n];

	check(span__chunks_writer_open(&w, SEG_CODEC_NONE, NULL) == 0);
	check(span__texts_plan(&plan, &scratch, v, n, numbers, n_rows, NULL) ==
	      0);
	span__texts_put_heap(&plan, v, w);
	put_plan(&out, &plan, v, n);
	strings.n = plan.n_strings;
	open_heap(&heap, &bytes, &w);
	area = area_of(&out);
	check(span__texts_open(&t, &area, n_rows, &strings, heap, NULL));
	for (size_t i = 0; i < n_rows; i++) {
		struct span_str got;

		check(span__texts_get(&t, i, &arena, &got));
		check(span_str_equal(got, v[numbers[i]]));
		span_arena_reset(&arena);
	}
	for (size_t i = 0; i < n && i < 8; i++)
		read_all(&t, n_rows, v[i], NULL);
	span_arena_release(&arena);
	span__chunks_close(&heap);
	span_buf_release(&bytes);
	span_buf_release(&out);
	span__texts_plan_release(&plan);
	span__texts_scratch_release(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	if (len < 2 || len > 1 << 16)
		return 0;
	if (*p & 1)
		put_column(p + 1, len - 1, *p / 8 + 1u);
	else
		read_column(p + 2, len - 2, (uint64_t)p[1] << *p / 8);
	return 0;
}
