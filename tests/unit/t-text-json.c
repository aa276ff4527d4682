/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that need no escape are found eight bytes at a time, by writers and by
 * readers: every byte means what it means by itself, wherever it stands.
 */
#include <span/text.h>

#include "tests/unit/tap.h"
#include "text/json_plain.h"

#define LEN 19u /* two words, and a rest */

/* What is between the quotes. */
static struct span_str inside(const struct span_buf *b)
{
	return (struct span_str){b->p + 1, b->len - 2};
}

/* BYTE at AT among letters, and how it is to look: *ALONE by itself. */
static bool check(struct span_buf *b, char byte, size_t at,
		  const struct span_buf *alone)
{
	char text[LEN];
	struct span_str got, want = inside(alone);

	memset(text, 'a', sizeof(text));
	text[at] = byte;
	b->len = 0;
	span_text_json(b, (struct span_str){text, sizeof(text)});
	got = inside(b);
	return got.len == sizeof(text) - 1 + want.len &&
	       !memcmp(got.p, text, at) &&
	       !memcmp(got.p + at, want.p, want.len) &&
	       !memcmp(got.p + at + want.len, text + at + 1, LEN - at - 1);
}

/* Where a reader of a string stops that has BYTE at AT, and NEXT behind it. */
static bool stops_at(unsigned char byte, unsigned char next, size_t at)
{
	bool stops = byte == '"' || byte == '\\' || byte < 0x20;
	unsigned char text[LEN + 1];
	const unsigned char *got;

	memset(text, 'a', sizeof(text));
	text[at] = byte;
	text[at + 1] = next;
	got = span__json_plain(text, text + LEN);
	if (stops)
		return got == text + at;
	return next == '"' ? got == text + (at + 1 < LEN ? at + 1 : LEN)
			   : got == text + LEN;
}

int main(void)
{
	struct span_buf b = {0}, alone = {0};

	for (unsigned c = 0; c < 256; c++) {
		char byte = (char)c;
		bool same = true, read = true;

		alone.len = 0;
		span_text_json(&alone, (struct span_str){&byte, 1});
		for (size_t at = 0; at < LEN; at++) {
			same &= check(&b, byte, at, &alone);
			read &= stops_at((unsigned char)c, 'a', at) &&
				stops_at((unsigned char)c, '"', at) &&
				stops_at((unsigned char)c, 0x7f, at);
		}
		is_int(alone.len == 3,
		       c >= 0x20 && c < 0x7f && c != '"' && c != '\\',
		       "byte %02x is copied, or is not", c);
		ok(same, "byte %02x at each place of a text", c);
		ok(read, "and where a reader finds it");
	}
	span_buf_release(&b);
	span_buf_release(&alone);
	return done_testing();
}
