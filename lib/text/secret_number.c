/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that are numbers: cards, addresses, long runs of digits. */
#include "text/secret_scan.h"
#include "text/secrets.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/banned.h"

#define CARD_MIN 13
#define CARD_MAX 19

/* ---- Cards ---- */

/* ISO/IEC 7812-1: from the right, every second digit counts twice. */
static bool is_luhn(const char *digits, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned d = (unsigned)(digits[n - 1 - i] - '0');

		if (i % 2)
			d = d > 4 ? 2 * d - 9 : 2 * d;
		sum += d;
	}
	return sum % 10 == 0;
}

/*
 * The length of the longest card that begins at I, with one space or dash
 * between digits allowed; 0: none. A card ends where no digit follows.
 */
static size_t card_at(struct span_str s, size_t i)
{
	char digits[CARD_MAX];
	size_t n = 0, found = 0, at = i;

	if (s.p[i] < '2' || s.p[i] > '6')
		return 0;
	while (n < CARD_MAX && span__is_digit(span__char_at(s, at))) {
		digits[n++] = s.p[at++];
		if (n >= CARD_MIN && !span__is_digit(span__char_at(s, at)) &&
		    is_luhn(digits, n))
			found = at - i;
		if ((span__char_at(s, at) == ' ' ||
		     span__char_at(s, at) == '-') &&
		    span__is_digit(span__char_at(s, at + 1)))
			at++;
	}
	return found;
}

bool span__find_card(struct span_str s, size_t from, size_t *start, size_t *len)
{
	for (size_t i = from; i + CARD_MIN <= s.len; i++) {
		if (!span__is_digit(s.p[i]) ||
		    span__is_digit(span__char_before(s, i)))
			continue;
		*len = card_at(s, i);
		*start = i;
		if (*len)
			return true;
	}
	return false;
}

/* ---- Runs of digits ---- */

bool span__find_digits(struct span_str s, size_t from, size_t *start,
		       size_t *len)
{
	for (size_t i = from, end; i + SECRET_RUN <= s.len; i = end + 1) {
		for (end = i; span__is_digit(span__char_at(s, end));)
			end++;
		*start = i;
		*len = end - i;
		if (*len >= SECRET_RUN &&
		    !span__is_alnum(span__char_before(s, i)) &&
		    !span__is_alnum(span__char_at(s, end)))
			return true;
	}
	return false;
}

/* ---- Addresses ---- */

/* The length of an IPv4 address at I; 0: none. */
static size_t ipv4_at(struct span_str s, size_t i)
{
	size_t at = i;

	for (int part = 0; part < 4; part++) {
		unsigned n = 0, digits = 0;

		if (part && span__char_at(s, at++) != '.')
			return 0;
		while (digits < 4 && span__is_digit(span__char_at(s, at))) {
			n = 10 * n + (unsigned)(s.p[at++] - '0');
			digits++;
		}
		if (!digits || digits > 3 || n > 255)
			return 0;
	}
	if (span__is_alnum(span__char_at(s, at)) ||
	    (span__char_at(s, at) == '.' &&
	     span__is_digit(span__char_at(s, at + 1))))
		return 0;
	return at - i;
}

/*
 * The length of an IPv6 address at I; 0: none. One without a digit, "a::b", is
 * more often a name in a program.
 */
static size_t ipv6_at(struct span_str s, size_t i)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t n = 0, colons = 0, digits = 0;

	for (; n + 1 < sizeof(text); n++) {
		char c = span__char_at(s, i + n);

		if (!span__is_hex(c) && c != ':' && c != '.')
			break;
		colons += c == ':';
		digits += span__is_digit(c);
		text[n] = c;
	}
	/* A full stop, or a colon, behind it. */
	while (n && (text[n - 1] == '.' ||
		     (text[n - 1] == ':' && (n < 2 || text[n - 2] != ':'))))
		n--;
	text[n] = '\0';
	if (colons < 2 || !digits || span__is_alnum(span__char_at(s, i + n)))
		return 0;
	return inet_pton(AF_INET6, text, &address) == 1 ? n : 0;
}

bool span__find_ip(struct span_str s, size_t from, size_t *start, size_t *len)
{
	for (size_t i = from; i < s.len; i++) {
		char c = s.p[i], before = span__char_before(s, i);

		if ((!span__is_hex(c) && c != ':') || span__is_alnum(before) ||
		    before == '.' || (before == ':' && c == ':'))
			continue;
		*start = i;
		*len = span__is_digit(c) ? ipv4_at(s, i) : 0;
		if (!*len)
			*len = ipv6_at(s, i);
		if (*len)
			return true;
	}
	return false;
}
