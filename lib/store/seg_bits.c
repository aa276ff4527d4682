/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacking is what every scan waits for. Eight numbers of W bits take W whole
 * bytes, so there is a loop for each W in which all shifts and offsets are
 * constants.
 */
#include "store/seg_bits.h"

#include "base/banned.h"

uint64_t span__bits_at_end(const uint8_t *p, uint64_t len, uint64_t pos,
			   unsigned shift, unsigned w)
{
	uint64_t v = 0;

	for (unsigned k = 0; k < 8 && pos + k < len; k++)
		v |= (uint64_t)p[pos + k] << 8 * k;
	v >>= shift;
	if (shift + w > 64 && pos + 8 < len)
		v |= (uint64_t)p[pos + 8] << (64 - shift);
	return v & span__bits_mask(w);
}

static inline __attribute__((always_inline)) void
unpack_eights(const uint8_t *p, size_t n, uint64_t *out, unsigned w)
{
	for (; n; n--, p += w, out += 8) {
#pragma GCC unroll 8
		for (unsigned k = 0; k < 8; k++) {
			unsigned at = k * w / 8, shift = k * w % 8;
			uint64_t v = span__get64(p + at) >> shift;

			if (shift + w > 64)
				v |= (uint64_t)p[at + 8] << (64 - shift);
			out[k] = v & span__bits_mask(w);
		}
	}
}

typedef void unpack_fn(const uint8_t *p, size_t n, uint64_t *out);

#define UNPACK(w)                                                              \
	static void unpack##w(const uint8_t *p, size_t n, uint64_t *out)       \
	{                                                                      \
		unpack_eights(p, n, out, w);                                   \
	}
#define EACH_WIDTH(f)                                                          \
	f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11) f(12) f(13)   \
		f(14) f(15) f(16) f(17) f(18) f(19) f(20) f(21) f(22) f(23) f( \
			24) f(25) f(26) f(27) f(28) f(29) f(30) f(31) f(32)    \
			f(33) f(34) f(35) f(36) f(37) f(38) f(39) f(40) f(41)  \
				f(42) f(43) f(44) f(45) f(46) f(47) f(48)      \
					f(49) f(50) f(51) f(52) f(53) f(54)    \
						f(55) f(56) f(57) f(58) f(59)  \
							f(60) f(61) f(62)      \
								f(63) f(64)

EACH_WIDTH(UNPACK)

#define NAME(w) unpack##w,
static unpack_fn *const by_width[] = {NULL, EACH_WIDTH(NAME)};

void span__bits_unpack(const uint8_t *p, uint64_t len, uint64_t i, unsigned w,
		       size_t n, uint64_t *out)
{
	uint64_t at, eights;

	for (; n && i % 8; n--)
		*out++ = span__bits_at(p, len, i++, w);
	/* The last load of eight numbers ends up to 9 bytes behind them. */
	at = i / 8 * w;
	eights = at + 9 < len ? (len - at - 9) / w : 0;
	if (eights > n / 8)
		eights = n / 8;
	by_width[w](p + at, (size_t)eights, out);
	i += eights * 8;
	out += eights * 8;
	for (n -= (size_t)eights * 8; n; n--)
		*out++ = span__bits_at(p, len, i++, w);
}
