/* SPDX-License-Identifier: Apache-2.0 */
/* secret_scan.h - the detectors of secrets.h, and what they have in common */
#ifndef SPAN_TEXT_SECRET_SCAN_H
#define SPAN_TEXT_SECRET_SCAN_H

#include <span/base.h>

/* The first one at or behind FROM < TEXT.len: its place and its length. */
typedef bool span__secret_fn(struct span_str text, size_t from, size_t *start,
			     size_t *len);

span__secret_fn span__find_card, span__find_email, span__find_ip,
	span__find_token, span__find_value, span__find_xml, span__find_sql,
	span__find_query, span__find_digits;

static inline bool span__is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool span__is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool span__is_alnum(char c)
{
	return span__is_digit(c) || span__is_letter(c);
}

static inline bool span__is_hex(char c)
{
	return span__is_digit(c) || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

static inline char span__lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

/* The character at I, or 0 outside of S. */
static inline char span__char_at(struct span_str s, size_t i)
{
	return i < s.len ? s.p[i] : 0;
}

static inline char span__char_before(struct span_str s, size_t i)
{
	return i ? s.p[i - 1] : 0;
}

/* Does S go on with WORD, which is lower case, at I, in whatever case? */
static inline bool span__has_word(struct span_str s, size_t i, const char *word)
{
	for (; *word; word++, i++)
		if (i >= s.len || span__lower(s.p[i]) != *word)
			return false;
	return true;
}

/*
 * The length of what something was replaced with, "[card]", "[hash:...]", that
 * is at I; 0: none.
 */
size_t span__label_at(struct span_str s, size_t i);

/* Does a name that ends before END say that its value is a secret? */
bool span__is_secret_name(struct span_str s, size_t end);

/* Back from I over MAX blanks, quotes and what is in MORE, at most. */
size_t span__back_over(struct span_str s, size_t i, size_t max,
		       const char *more);

/* Are the N bytes at I more likely a token: 16, or a digit or capital in it? */
bool span__is_no_word(struct span_str s, size_t i, size_t n);

#endif
