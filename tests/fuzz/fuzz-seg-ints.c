/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns of numbers. The first byte says whether the rest is a column, whose
 * length are the next two bytes, or values that are put and must come back.
 */
#include <stdlib.h>
#include <string.h>

#include "store/seg_ints.h"

#define N_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static uint64_t out[N_MAX], bits[N_MAX / 64];

static void check(bool good)
{
	if (!good)
		abort();
}

/* All ways of reading agree, unless there is damage, which is told, or where
 * exceptions are out of order. */
static void read_all(const struct span__ints *c, struct span__seg_file *file)
{
	uint64_t n = c->n < N_MAX ? c->n : N_MAX, found;
	int64_t min, max;

	span__ints_range(c, 0, n, out);
	for (uint64_t i = 0; i < n; i++)
		check(span__ints_get(c, i) == out[i] || file->bad ||
		      c->n_exceptions);
	min = (int64_t)(n ? out[0] : 0);
	max = (int64_t)(n ? out[n / 2] : 0);
	found = span__ints_find(c, 0, n, min, max, bits);
	check(found <= n);
	check(span__doubles_find(c, 0, n, -1, 1e9, bits) <= n);
	check(span__ints_upper(c, (uint64_t)max) <= c->n);
}

static void read_column(const uint8_t *p, size_t len, uint64_t n)
{
	static uint8_t checked[1 << 16];
	struct span__seg_file file = {
		.map = p, .size = len, .data_end = len, .checked = checked};
	struct span__area area = {p, len, &file};
	struct span__ints c;
	uint64_t used;

	memset(checked, 0xff, len / SEG_PAGE / 8 + 1);
	if (span__ints_open(&c, &area, n, &used)) {
		check(used <= len);
		read_all(&c, &file);
	} else {
		check(file.bad && c.n == 0);
	}
}

static void put_column(const uint8_t *p, size_t len, bool doubles)
{
	static uint64_t v[N_MAX];
	size_t n = 0;
	struct span_buf b = {0};
	struct span__area area;
	struct span__ints c;

	/* A byte says how many bytes of a number follow. */
	while (len && n < N_MAX) {
		size_t size = *p % 9;

		if (size > len - 1)
			size = len - 1;
		v[n] = n && *p & 0x80 ? v[n - 1] : 0;
		memcpy(&v[n++], p + 1, size);
		p += 1 + size;
		len -= 1 + size;
	}
	if (doubles)
		span__doubles_put(&b, v, n);
	else
		span__ints_put(&b, v, n);
	check(!b.failed);
	area = (struct span__area){(const uint8_t *)b.p, b.len, NULL};
	check(span__ints_open(&c, &area, n, NULL));
	span__ints_range(&c, 0, n, out);
	check(!n || !memcmp(out, v, n * sizeof(*v)));
	for (size_t i = 0; i < n; i++)
		check(span__ints_get(&c, i) == v[i]);
	span_buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	if (len < 3 || len > 1 << 20)
		return 0;
	if (*p & 1)
		put_column(p + 1, len - 1, *p & 2);
	else
		read_column(p + 3, len - 3,
			    (uint64_t)(p[1] | p[2] << 8) << *p / 8 % 32);
	return 0;
}
