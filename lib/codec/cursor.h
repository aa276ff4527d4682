/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor.h - a place in one message in memory
 *
 * The readers of Thrift, protobuf and JSON stand on it. Nothing is copied. The
 * first failure is kept and ends the input, so that every later read answers
 * something harmless at once: read straight down, check once.
 */
#ifndef SPAN__CURSOR_H
#define SPAN__CURSOR_H

#include <span/base.h>

#include <endian.h>
#include <string.h>

#define CURSOR_INLINE static inline __attribute__((always_inline))

struct span__cursor {
	const unsigned char *begin, *p, *end;
	bool truth;	  /* compact Thrift: the bool field just read */
	bool failed;	  /* the first failure: */
	int code;	  /* enum span_errc */
	const char *what; /* static text */
	size_t pos;	  /* offset in the message */
};

/* Keep the first failure, at P, and end the input. */
void span__cursor_fail(struct span__cursor *in, const unsigned char *p,
		       int code, const char *what);

CURSOR_INLINE void cursor_init(struct span__cursor *in, const void *p,
			       size_t len)
{
	if (!p) /* a message of nothing may be nowhere */
		p = "";
	*in = (struct span__cursor){.begin = p, .p = p};
	in->end = in->begin + len;
}

CURSOR_INLINE size_t cursor_left(const struct span__cursor *in)
{
	return (size_t)(in->end - in->p);
}

CURSOR_INLINE bool cursor_need(struct span__cursor *in, size_t len)
{
	if (__builtin_expect(cursor_left(in) >= len, 1))
		return true;
	span__cursor_fail(in, in->end, SPAN_E_TRUNCATED,
			  "the message is cut short");
	return false;
}

#endif
