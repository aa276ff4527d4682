/* SPDX-License-Identifier: Apache-2.0 */
/*
 * texts-to-try.h - texts of many kinds, for columns of them
 */
#ifndef TEXTS_TO_TRY_H
#define TEXTS_TO_TRY_H

#include "store/seg_texts.h"

#include "tap.h"

#define N_MAX 5000u
#define TEXT_MAX 3000u

static uint64_t state = 1;

static inline uint64_t random64(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

typedef void text_fn(struct span_buf *b, size_t i);

static inline void constant(struct span_buf *b, size_t i)
{
	(void)i;
	span_buf_puts(b, "postgresql");
}

static inline void choice(struct span_buf *b, size_t i)
{
	static const char *const v[] = {"GET", "POST", "", "DELETE", "hit"};

	(void)i;
	span_buf_puts(b, v[random64() % 5]);
}

static inline void pods(struct span_buf *b, size_t i)
{
	(void)i;
	span_buf_printf(b, "pod-%c%c", (char)('g' + random64() % 20),
			(char)('g' + random64() % 20));
}

static inline void orders(struct span_buf *b, size_t i)
{
	(void)i;
	span_buf_printf(b, "GET /orders/%u/items/%u?page=%u",
			(unsigned)(random64() % 9000000),
			(unsigned)(random64() % 30), (unsigned)random64() % 4);
}

static inline void padded(struct span_buf *b, size_t i)
{
	(void)i;
	span_buf_printf(b, "#%06u", (unsigned)(random64() % 1000000));
}

static inline void addresses(struct span_buf *b, size_t i)
{
	(void)i;
	span_buf_printf(b, "10.%u.%u.%u:%u", (unsigned)(random64() % 256),
			(unsigned)(random64() % 256),
			(unsigned)(random64() % 256),
			(unsigned)(1024 + random64() % 60000));
}

static inline void ids(struct span_buf *b, size_t i)
{
	(void)i;
	span_buf_printf(b, "%016llx", (unsigned long long)random64());
}

static inline void long_ids(struct span_buf *b, size_t i)
{
	(void)i;
	span_buf_printf(b, "%016llx%016llx", (unsigned long long)random64(),
			(unsigned long long)random64());
}

static inline void uuids(struct span_buf *b, size_t i)
{
	uint64_t x = random64(), y = random64();

	(void)i;
	span_buf_printf(b, "id:%08x-%04x-%04x-%04x-%012llx", (unsigned)x,
			(unsigned)(x >> 32 & 0xffff), (unsigned)(x >> 48),
			(unsigned)(y >> 48),
			(unsigned long long)(y & 0xffffffffffff));
}

static inline void sessions(struct span_buf *b, size_t i)
{
	(void)i;
	span_buf_printf(b, "cart:%010llx",
			(unsigned long long)(random64() & 0xffffffffff));
}

static inline void several(struct span_buf *b, size_t i)
{
	static text_fn *const fns[] = {orders, padded, addresses, uuids};

	fns[random64() % 4](b, i);
}

static inline void strays(struct span_buf *b, size_t i)
{
	if (i % 40 == 7)
		span_buf_printf(b, "%c?%c%c", (char)(1 + random64() % 40),
				(char)(random64() % 256),
				(char)('G' + random64() % 20));
	else
		orders(b, i);
}

static inline void words(struct span_buf *b, size_t i)
{
	(void)i;
	for (uint64_t n = 2 + random64() % 12; n; n--) {
		for (uint64_t k = 1 + random64() % 9; k; k--)
			span_buf_putc(b, (char)('a' + random64() % 26));
		span_buf_putc(b, ' ');
	}
}

static inline void bytes(struct span_buf *b, size_t i)
{
	(void)i;
	for (uint64_t n = random64() % 40; n; n--)
		span_buf_putc(b, (char)random64());
}

static inline void long_texts(struct span_buf *b, size_t i)
{
	if (i % 3)
		words(b, i);
	else
		for (uint64_t n = random64() % TEXT_MAX; n; n--)
			span_buf_putc(b, (char)('0' + random64() % 16));
}

static inline void numbers(struct span_buf *b, size_t i)
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

#endif
