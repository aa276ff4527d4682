/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/base.h - what every part of libspan shares: strings, errors, memory
 *
 * The library never prints, exits or keeps global state. A function that can
 * fail returns 0 or a positive count for success and a negative enum
 * span_errc otherwise; the sentence for people goes into the caller's struct
 * span_error.
 */
#ifndef SPAN_BASE_H
#define SPAN_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPAN_API __attribute__((visibility("default")))
#define SPAN_NODISCARD __attribute__((warn_unused_result))
#define SPAN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/*
 * Text or bytes that somebody else owns: LEN bytes at P, not terminated. Wire
 * data may hold NUL bytes and invalid UTF-8. P may be NULL only when LEN is 0.
 */
struct span_str {
	const char *p;
	size_t len;
};

/* A span_str of a string literal. */
#define SPAN_STR(lit) ((struct span_str){(lit), sizeof(lit) - 1})

/* A span_str of the terminated string S; empty when S is NULL. */
SPAN_API struct span_str span_str(const char *s);

/* True when A and B hold the same bytes. */
SPAN_API bool span_str_equal(struct span_str a, struct span_str b);

/*
 * Order of bytes as memcmp(3) sees them, the shorter one first when one is a
 * prefix of the other: negative, 0 or positive.
 */
SPAN_API int span_str_compare(struct span_str a, struct span_str b);

enum span_errc {
	SPAN_E_IO = -1,		/* a system call failed; sys is errno */
	SPAN_E_NOMEM = -2,	/* memory could not be had */
	SPAN_E_TRUNCATED = -3,	/* the input ends inside a record */
	SPAN_E_CORRUPT = -4,	/* the input is damaged or no such format */
	SPAN_E_LIMIT = -5,	/* a documented limit was passed */
	SPAN_E_PIPE = -6,	/* nobody reads what is written (EPIPE) */
	SPAN_E_INVALID = -7,	/* the caller's argument makes no sense */
	SPAN_E_FORMAT = -8,	/* a later, incompatible format version */
	SPAN_E_BUSY = -9,	/* the store has a writer already */
	SPAN_E_NOTFOUND = -10,	/* no such store, trace or file */
	SPAN_E_AMBIGUOUS = -11, /* a prefix that several things share */
	SPAN_E_PEER = -12,	/* a network peer refused or is not there */
	SPAN_E_FULL = -13,	/* the disk is full; try again later */
};

/*
 * What went wrong. The caller owns it, fills it with zeros and passes it
 * last; NULL is allowed where nobody asks. MSG is one line, lower case,
 * without a full stop, safe for a terminal: bytes from the wire are escaped.
 */
struct span_error {
	int code;      /* enum span_errc, 0 when nothing was set */
	int sys;       /* errno of the failed call, 0 when there was none */
	uint64_t pos;  /* byte offset in the input, or column of a text */
	char msg[240]; /* terminated, cut when longer */
};

/*
 * Fill *ERR (when it is not NULL) with CODE, the current errno when CODE is
 * SPAN_E_IO, and the formatted text; pos is left as it is. Returns CODE, so
 * that one line sets and returns.
 */
SPAN_API int span_error_set(struct span_error *err, int code, const char *fmt,
			    ...) SPAN_PRINTF(3, 4);

/* The same, and sets pos to POS. */
SPAN_API int span_error_at(struct span_error *err, int code, uint64_t pos,
			   const char *fmt, ...) SPAN_PRINTF(4, 5);

/*
 * Memory that is given back all at once: one arena per record (reset) or per
 * trace (released). A zeroed struct is an empty arena. Not for two threads.
 */
struct span_arena {
	struct span__arena_block *block; /* the one being filled */
	size_t used;			 /* bytes taken from it */
};

/*
 * LEN bytes aligned for any type, not cleared; LEN 0 is fine. NULL when
 * memory is out. They live until the arena is reset or released.
 */
SPAN_API SPAN_NODISCARD void *span_arena_alloc(struct span_arena *a,
					       size_t len);

/* The same for N objects of SIZE bytes; NULL when N * SIZE overflows. */
SPAN_API SPAN_NODISCARD void *span_arena_array(struct span_arena *a, size_t n,
					       size_t size);

/* Copy S into the arena: returns false when memory is out. */
SPAN_API SPAN_NODISCARD bool
span_arena_str(struct span_arena *a, struct span_str s, struct span_str *out);

/* Forget everything that was allocated; keeps the largest block for reuse. */
SPAN_API void span_arena_reset(struct span_arena *a);

/* Bytes that the arena holds from the system, used or not. */
SPAN_API size_t span_arena_size(const struct span_arena *a);

/* Give all memory back; the arena is empty and usable again. */
SPAN_API void span_arena_release(struct span_arena *a);

/*
 * A buffer that doubles as it grows. A zeroed struct is an empty buffer;
 * len = 0 empties it for reuse. When memory is out, FAILED is set and every
 * later put does nothing: write straight down, check once.
 */
struct span_buf {
	char *p;
	size_t len, cap;
	bool failed;
};

/* Make room for LEN more bytes; NULL when memory is out, else where to put. */
SPAN_API SPAN_NODISCARD char *span_buf_reserve(struct span_buf *b, size_t len);
SPAN_API void span_buf_put(struct span_buf *b, const void *p, size_t len);
SPAN_API void span_buf_str(struct span_buf *b, struct span_str s);
SPAN_API void span_buf_puts(struct span_buf *b, const char *s);
SPAN_API void span_buf_putc(struct span_buf *b, char c);
SPAN_API void span_buf_printf(struct span_buf *b, const char *fmt, ...)
	SPAN_PRINTF(2, 3);
SPAN_API void span_buf_release(struct span_buf *b);

/*
 * Write all of LEN bytes to FD, however many calls it takes. Returns 0,
 * SPAN_E_PIPE, or SPAN_E_IO.
 */
SPAN_API SPAN_NODISCARD int span_write_all(int fd, const void *p, size_t len,
					   struct span_error *err);

/* The version of the library that is linked, "0.1.0". */
SPAN_API const char *span_version(void);

#ifdef __cplusplus
}
#endif
#endif
