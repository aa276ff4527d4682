/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measured values mostly have a few decimals. Such a double is the quotient of
 * a whole number and a power of ten, rounded once, by which it comes back bit
 * for bit; the whole numbers are packed as any.
 */
#include "store/seg_ints_frame.h"

#include "base/banned.h"

#define DECIMALS_MAX 6u
#define WHOLE 9007199254740992.0 /* 2^53 */

static const double powers[DECIMALS_MAX + 2] = {1,   1,	  10,  1e2,
						1e3, 1e4, 1e5, 1e6};

double span__decimals_scale(unsigned decimals)
{
	return powers[decimals];
}

void span__decimals_restore(unsigned decimals, uint64_t *v, size_t n)
{
	double scale = powers[decimals];

	if (!decimals)
		return;
	for (size_t i = 0; i < n; i++) {
		double x = (double)(int64_t)v[i] / scale;

		memcpy(&v[i], &x, sizeof(x));
	}
}

/* False when one of them is no such fraction: -0, infinite, NaN too. */
static bool to_fractions(const uint64_t *bits, size_t n, double scale,
			 uint64_t *out)
{
	for (size_t i = 0; i < n; i++) {
		double x, k;
		uint64_t back;

		memcpy(&x, &bits[i], sizeof(x));
		k = x * scale;
		if (!(k > -WHOLE && k < WHOLE))
			return false;
		out[i] = (uint64_t)(int64_t)(k < 0 ? k - 0.5 : k + 0.5);
		x = (double)(int64_t)out[i] / scale;
		memcpy(&back, &x, sizeof(back));
		if (back != bits[i])
			return false;
	}
	return true;
}

void span__doubles_put(struct span_buf *out, const uint64_t *bits, size_t n)
{
	struct span_buf fractions = {0};
	uint64_t *v = NULL;

	if (n && n <= SIZE_MAX / sizeof(*v))
		v = (void *)span_buf_reserve(&fractions, n * sizeof(*v));
	out->failed |= n && !v;
	for (unsigned d = 1; v && d < DECIMALS_MAX + 2; d++) {
		if (!to_fractions(bits, n, powers[d], v))
			continue;
		span__ints_put_marked(out, v, n, (uint8_t)(d << 3));
		span_buf_release(&fractions);
		return;
	}
	span_buf_release(&fractions);
	span__ints_put(out, bits, n);
}
