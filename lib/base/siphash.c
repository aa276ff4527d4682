/* SPDX-License-Identifier: Apache-2.0 */
#include "base/siphash.h"

#include "base/le.h"

#include "base/banned.h"

struct state {
	uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void rounds(struct state *v, int n)
{
	while (n--) {
		v->a += v->b;
		v->b = rotate(v->b, 13) ^ v->a;
		v->a = rotate(v->a, 32);
		v->c += v->d;
		v->d = rotate(v->d, 16) ^ v->c;
		v->a += v->d;
		v->d = rotate(v->d, 21) ^ v->a;
		v->c += v->b;
		v->b = rotate(v->b, 17) ^ v->c;
		v->c = rotate(v->c, 32);
	}
}

static void compress(struct state *v, uint64_t word)
{
	v->d ^= word;
	rounds(v, 2);
	v->a ^= word;
}

uint64_t span__siphash(const uint8_t key[SIPHASH_KEY], const void *p,
		       size_t len)
{
	const uint8_t *in = p, *end = in + (len & ~(size_t)7);
	uint64_t k0 = span__get64(key), k1 = span__get64(key + 8);
	struct state v = {k0 ^ UINT64_C(0x736f6d6570736575),
			  k1 ^ UINT64_C(0x646f72616e646f6d),
			  k0 ^ UINT64_C(0x6c7967656e657261),
			  k1 ^ UINT64_C(0x7465646279746573)};
	uint64_t last = (uint64_t)len << 56;

	for (; in < end; in += 8)
		compress(&v, span__get64(in));
	for (size_t i = 0; i < (len & 7); i++)
		last |= (uint64_t)in[i] << 8 * i;
	compress(&v, last);
	v.c ^= 0xff;
	rounds(&v, 4);
	return v.a ^ v.b ^ v.c ^ v.d;
}
