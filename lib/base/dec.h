/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dec.h - a bounded cursor over msgpack bytes
 *
 * Reads values in place, believes no declared count beyond the bytes that are
 * there, and never recurses. Errors are sticky: after the first one every
 * call does nothing and returns zero, so that a record is decoded straight
 * down and checked once. Source: msgpack specification, spec.md.
 */
#ifndef SPAN_DEC_H
#define SPAN_DEC_H

#include <span/base.h>

#include <endian.h>
#include <string.h>

struct dec {
	const unsigned char *p, *end;
	int err; /* 0, SPAN_E_TRUNCATED, SPAN_E_CORRUPT, SPAN_E_LIMIT */
	const char *what; /* what was wrong */
};

static inline struct dec dec_init(const void *p, size_t len)
{
	return (struct dec){p, (const unsigned char *)p + len, 0, NULL};
}

static inline size_t dec_left(const struct dec *d)
{
	return (size_t)(d->end - d->p);
}

/* Note the first error; later reads find no bytes. */
static inline void dec_fail(struct dec *d, int err, const char *what)
{
	if (!d->err) {
		d->err = err;
		d->what = what;
	}
	d->end = d->p;
}

/* The next LEN bytes, or NULL. */
static inline const unsigned char *dec_take(struct dec *d, size_t len)
{
	const unsigned char *p = d->p;

	if (dec_left(d) < len) {
		dec_fail(d, SPAN_E_TRUNCATED, "it ends inside a value");
		return NULL;
	}
	d->p += len;
	return p;
}

/* The LEN (1, 2, 4, 8) bytes that follow as a big-endian number. */
static inline uint64_t dec_be(struct dec *d, size_t len)
{
	const unsigned char *p = dec_take(d, len);
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	if (!p)
		return 0;
	switch (len) {
	case 1:
		return *p;
	case 2:
		memcpy(&u16, p, 2);
		return be16toh(u16);
	case 4:
		memcpy(&u32, p, 4);
		return be32toh(u32);
	default:
		memcpy(&u64, p, 8);
		return be64toh(u64);
	}
}

/* The head byte of the next value without taking it; 0xc1 when there is none.
 */
static inline unsigned dec_peek(const struct dec *d)
{
	return d->p < d->end ? *d->p : 0xc1u;
}

static inline unsigned dec_head(struct dec *d)
{
	const unsigned char *p = dec_take(d, 1);

	return p ? *p : 0xc1u;
}

/*
 * An integer of any width. Returns true with *NEG telling its sign and *V its
 * two's complement bits.
 */
static inline bool dec_integer(struct dec *d, bool *neg, uint64_t *v)
{
	unsigned head = dec_head(d);

	*neg = false;
	if (head < 0x80) {
		*v = head;
		return true;
	}
	if (head >= 0xe0) {
		*neg = true;
		*v = (uint64_t)(int64_t)(int8_t)head;
		return true;
	}
	switch (head) {
	case 0xcc:
		*v = dec_be(d, 1);
		break;
	case 0xcd:
		*v = dec_be(d, 2);
		break;
	case 0xce:
		*v = dec_be(d, 4);
		break;
	case 0xcf:
		*v = dec_be(d, 8);
		break;
	case 0xd0:
		*v = (uint64_t)(int64_t)(int8_t)dec_be(d, 1);
		*neg = *v >> 63;
		break;
	case 0xd1:
		*v = (uint64_t)(int64_t)(int16_t)dec_be(d, 2);
		*neg = *v >> 63;
		break;
	case 0xd2:
		*v = (uint64_t)(int64_t)(int32_t)dec_be(d, 4);
		*neg = *v >> 63;
		break;
	case 0xd3:
		*v = dec_be(d, 8);
		*neg = *v >> 63;
		break;
	default:
		dec_fail(d, SPAN_E_CORRUPT, "not an integer");
	}
	if (d->err) {
		*v = 0;
		return false;
	}
	return true;
}

/* One of 4 or 8 bytes that is not negative, where they are left. */
static inline bool dec__wide_uint(struct dec *d, uint64_t *v)
{
	uint64_t u64;
	uint32_t u32;

	if (dec_left(d) < 9)
		return false;
	if (*d->p == 0xcf) {
		memcpy(&u64, d->p + 1, 8);
		*v = be64toh(u64);
		d->p += 9;
		return true;
	}
	if (*d->p != 0xce)
		return false;
	memcpy(&u32, d->p + 1, 4);
	*v = be32toh(u32);
	d->p += 5;
	return true;
}

/* An integer that is not negative. */
static inline uint64_t dec_uint(struct dec *d)
{
	uint64_t v;
	bool neg;

	if (d->p < d->end && *d->p < 0x80)
		return *d->p++;
	if (dec_left(d) >= 3 && *d->p == 0xcd) {
		v = (uint64_t)d->p[1] << 8 | d->p[2];
		d->p += 3;
		return v;
	}
	if (dec__wide_uint(d, &v))
		return v;
	if (!dec_integer(d, &neg, &v))
		return 0;
	if (neg) {
		dec_fail(d, SPAN_E_CORRUPT, "a negative count");
		return 0;
	}
	return v;
}

/* An integer from 0 to MAX. */
static inline uint64_t dec_uint_max(struct dec *d, uint64_t max,
				    const char *what)
{
	uint64_t v = dec_uint(d);

	if (v > max) {
		dec_fail(d, SPAN_E_CORRUPT, what);
		return 0;
	}
	return v;
}

static inline int64_t dec_int(struct dec *d)
{
	uint64_t v;
	bool neg;

	if (!dec_integer(d, &neg, &v))
		return 0;
	if (!neg && v >> 63) {
		dec_fail(d, SPAN_E_CORRUPT, "an integer above 2^63-1");
		return 0;
	}
	return (int64_t)v;
}

/*
 * The count of an array (or, with MAP, of a map's pairs): at most as many as
 * bytes are left.
 */
static inline size_t dec_count(struct dec *d, bool map)
{
	unsigned head = dec_head(d);
	size_t n;

	if ((head & 0xf0) == (map ? 0x80 : 0x90))
		n = head & 15;
	else if (head == (map ? 0xde : 0xdc))
		n = dec_be(d, 2);
	else if (head == (map ? 0xdf : 0xdd))
		n = dec_be(d, 4);
	else {
		dec_fail(d, SPAN_E_CORRUPT, map ? "not a map" : "not an array");
		return 0;
	}
	if (n > dec_left(d) >> map) {
		dec_fail(d, SPAN_E_TRUNCATED, "it ends inside a list");
		return 0;
	}
	return n;
}

static inline size_t dec_array(struct dec *d)
{
	return dec_count(d, false);
}

static inline size_t dec_map(struct dec *d)
{
	return dec_count(d, true);
}

/* The length of a string, whose bytes follow. */
static inline size_t dec_str_len(struct dec *d)
{
	unsigned head = dec_head(d);

	if ((head & 0xe0) == 0xa0)
		return head & 31;
	if (head == 0xd9)
		return dec_be(d, 1);
	if (head == 0xda)
		return dec_be(d, 2);
	if (head == 0xdb)
		return dec_be(d, 4);
	dec_fail(d, SPAN_E_CORRUPT, "not a string");
	return 0;
}

static inline size_t dec_bin_len(struct dec *d)
{
	unsigned head = dec_head(d);

	if (head == 0xc4)
		return dec_be(d, 1);
	if (head == 0xc5)
		return dec_be(d, 2);
	if (head == 0xc6)
		return dec_be(d, 4);
	dec_fail(d, SPAN_E_CORRUPT, "not bytes");
	return 0;
}

static inline struct span_str dec__bytes(struct dec *d, size_t len, size_t max)
{
	const unsigned char *p;

	if (len > max) {
		dec_fail(d, SPAN_E_LIMIT, "a string above its limit");
		return (struct span_str){0};
	}
	p = dec_take(d, len);
	return (struct span_str){(const char *)p, p ? len : 0};
}

/* A string or bytes of at most MAX, in place. */
static inline struct span_str dec_str(struct dec *d, size_t max)
{
	return dec__bytes(d, dec_str_len(d), max);
}

static inline struct span_str dec_bin(struct dec *d, size_t max)
{
	return dec__bytes(d, dec_bin_len(d), max);
}

static inline double dec_double(struct dec *d)
{
	unsigned head = dec_head(d);
	uint64_t u64;
	uint32_t u32;
	double f64;
	float f32;

	if (head == 0xcb) {
		u64 = dec_be(d, 8);
		memcpy(&f64, &u64, 8);
		return f64;
	}
	if (head == 0xca) {
		u32 = (uint32_t)dec_be(d, 4);
		memcpy(&f32, &u32, 4);
		return f32;
	}
	dec_fail(d, SPAN_E_CORRUPT, "not a float");
	return 0;
}

static inline bool dec_bool(struct dec *d)
{
	unsigned head = dec_head(d);

	if (head != 0xc2 && head != 0xc3)
		dec_fail(d, SPAN_E_CORRUPT, "not a boolean");
	return head == 0xc3;
}

/*
 * How far a value of any type and nesting has been passed over. A zeroed
 * struct begins; it needs no memory but the count of values still to come.
 */
struct dec_measure {
	size_t pos;
	uint64_t todo;
	bool begun;
};

/*
 * Find the end of the value that starts at P, going on from where the last
 * call for the same value stopped. 1 when it ends at M->pos; 0 when it goes on
 * after LEN; SPAN_E_CORRUPT.
 */
int span__dec_measure(struct dec_measure *m, const void *p, size_t len);

/* Pass over one value. */
void span__dec_skip(struct dec *d);

#endif
