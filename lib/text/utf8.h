/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h - characters of wire text, one at a time; for lib/ only */
#ifndef SPAN_TEXT_UTF8_H
#define SPAN_TEXT_UTF8_H

#include <span/base.h>

#include <string.h>

/* Stands for a byte that is not part of valid UTF-8. */
#define SPAN__UTF8_BAD UINT32_MAX

/* Room for what one character becomes, "\U000e0001" the longest. */
#define SPAN__UTF8_MAX 12

/*
 * The character at the start of LEN > 0 bytes at P. Returns its bytes; 1 with
 * SPAN__UTF8_BAD where no valid one starts.
 */
size_t span__utf8_next(const char *p, size_t len, uint32_t *cp);

/* How many bytes at the beginning of S are ASCII, eight at a time. */
static inline size_t span__utf8_ascii(struct span_str s)
{
	size_t n = 0;
	uint64_t word;

	for (; s.len - n >= sizeof(word); n += sizeof(word)) {
		memcpy(&word, s.p + n, sizeof(word));
		if (word & UINT64_C(0x8080808080808080))
			break;
	}
	while (n < s.len && (unsigned char)s.p[n] < 0x80)
		n++;
	return n;
}

bool span__utf8_valid(struct span_str s);

/* Append S, with U+FFFD for each byte that is not part of valid UTF-8. */
void span__utf8_put(struct span_buf *b, struct span_str s);

/*
 * True for what acts instead of being seen: controls, format characters (bidi
 * and zero-width ones among them), line and paragraph separators, and for
 * noncharacters, which XML refuses.
 */
bool span__utf8_unsafe(uint32_t cp);

/* CP as a visible escape: \n \r \t, \x1b, \u202e, \U000e0001. Returns bytes. */
size_t span__utf8_escape(uint32_t cp, char out[SPAN__UTF8_MAX]);

/*
 * What a terminal gets for the character at the start of *REST, which moves
 * on. P points into *REST or to TMP. MARKS, 0 at the start of a text, counts
 * combining marks on one place. With ASCII characters beyond it are visible
 * escapes, too, here and in what follows.
 */
struct span__cell {
	const char *p;
	size_t len;
	size_t width;
	char tmp[SPAN__UTF8_MAX];
};

void span__cell_next(struct span_str *rest, unsigned *marks, bool ascii,
		     struct span__cell *cell);

/* As span_text_terminal(). */
void span__text_terminal(struct span_buf *b, struct span_str s, bool ascii);

/*
 * As span_text_fit(); with ASCII the ellipsis is "~". Returns the columns that
 * were written.
 */
size_t span__text_fit(struct span_buf *b, struct span_str s, size_t width,
		      bool pad, bool ascii);

/* As span_text_width(), or MAX where it is more; reads no further. */
size_t span__text_width(struct span_str s, size_t max, bool ascii);

#endif
