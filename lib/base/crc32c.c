/* SPDX-License-Identifier: Apache-2.0 */
/*
 * By the processor's instruction where it has one; otherwise four bits at a
 * time from a table of 16, which is small enough to read.
 *
 * The instruction takes three cycles, but a new one can begin in each: three
 * lanes of LANE bytes are summed side by side and then put together. To let a
 * sum pass over N bytes is to multiply it by x^(8N) modulo the polynomial: a
 * carry-less product with x^(8N-33), reflected, which the instruction itself
 * reduces. After Gopal et al., Fast CRC computation for iSCSI polynomial
 * using CRC32 instruction (Intel, 2011).
 */
#include "base/crc32c.h"

#include <string.h>
#ifdef __x86_64__
#include <cpuid.h>
#include <nmmintrin.h>
#include <stdatomic.h>
#include <wmmintrin.h>
#endif
#ifdef __ARM_FEATURE_CRC32
#include <arm_acle.h>
#endif

#include "base/banned.h"

static uint32_t by_table(uint32_t crc, const unsigned char *p, size_t len)
{
	static const uint32_t nibble[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
		0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	for (; len; p++, len--) {
		crc ^= *p;
		crc = crc >> 4 ^ nibble[crc & 15];
		crc = crc >> 4 ^ nibble[crc & 15];
	}
	return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t
by_sse42(uint32_t crc, const unsigned char *p, size_t len)
{
	uint64_t c = crc, word;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		c = _mm_crc32_u64(c, word);
	}
	for (; len; p++, len--)
		c = _mm_crc32_u8((uint32_t)c, *p);
	return (uint32_t)c;
}
#endif

#ifdef __x86_64__
#define LANE 1360u		/* three are a page but for 16 bytes */
#define OVER_1_LANE 0x3f70cc6fu /* x^(8 * LANE - 33), reflected */
#define OVER_2_LANES 0x5aa1f3cfu

__attribute__((target("sse4.2,pclmul"))) static uint64_t
pass_over(uint64_t crc, uint32_t factor)
{
	__m128i product = _mm_clmulepi64_si128(
		_mm_cvtsi64_si128((long long)(crc & UINT32_MAX)),
		_mm_cvtsi64_si128((long long)factor), 0);

	return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t
by_three_lanes(uint32_t crc, const unsigned char *p, size_t len)
{
	for (; len >= 3 * LANE; p += 3 * LANE, len -= 3 * LANE) {
		uint64_t a = crc, b = 0, c = 0, word[3];

		for (size_t i = 0; i < 3 * LANE; i += 64)
			__builtin_prefetch(p + i);
		for (size_t i = 0; i < LANE; i += 8) {
			memcpy(&word[0], p + i, 8);
			memcpy(&word[1], p + LANE + i, 8);
			memcpy(&word[2], p + 2 * LANE + i, 8);
			a = _mm_crc32_u64(a, word[0]);
			b = _mm_crc32_u64(b, word[1]);
			c = _mm_crc32_u64(c, word[2]);
		}
		crc = (uint32_t)(pass_over(a, OVER_2_LANES) ^
				 pass_over(b, OVER_1_LANE) ^ c);
	}
	return by_sse42(crc, p, len);
}
#endif

#ifdef __ARM_FEATURE_CRC32
static uint32_t by_arm(uint32_t crc, const unsigned char *p, size_t len)
{
	uint64_t word;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		crc = __crc32cd(crc, word);
	}
	for (; len; p++, len--)
		crc = __crc32cb(crc, *p);
	return crc;
}
#endif

#ifdef __x86_64__
#define KNOWN 1u
#define ALL_FEATURES (KNOWN | bit_SSE4_2 | bit_PCLMUL)

/*
 * What the processor has. __builtin_cpu_supports() asks for much more before
 * main() begins, and in a virtual machine each question takes microseconds.
 */
static unsigned features(void)
{
	static _Atomic unsigned known;
	unsigned have = atomic_load_explicit(&known, memory_order_relaxed);
	unsigned a, b, c, d;

	if (have)
		return have;
	if (!__get_cpuid(1, &a, &b, &c, &d))
		c = 0;
	have = KNOWN | (c & (bit_SSE4_2 | bit_PCLMUL));
	atomic_store_explicit(&known, have, memory_order_relaxed);
	return have;
}
#endif

uint32_t span__crc32c(uint32_t crc, const void *p, size_t len)
{
	crc = ~crc;
#ifdef __x86_64__
	if (len >= 3 * LANE && features() == ALL_FEATURES)
		return ~by_three_lanes(crc, p, len);
	if (features() & bit_SSE4_2)
		return ~by_sse42(crc, p, len);
#endif
#ifdef __ARM_FEATURE_CRC32
	return ~by_arm(crc, p, len);
#endif
	return ~by_table(crc, p, len);
}
