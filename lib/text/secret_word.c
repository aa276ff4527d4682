/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that are words: addresses of people, and tokens. */
#include "text/secret_scan.h"

#include <string.h>

#include "base/banned.h"

#define LOCAL_MAX 64u	  /* of an address, RFC 5321 4.5.3.1.1 */
#define DOMAIN_MAX 255u	  /* and of its domain */
#define BEHIND_HEADER 16u /* signs between "Authorization" and its scheme */

/* ---- E-mail ---- */

static bool is_local(char c)
{
	return span__is_alnum(c) || (c && strchr(".!#$%&'*+/=?^_`{|}~-", c)) ||
	       (unsigned char)c >= 0x80;
}

static bool is_domain(char c)
{
	return span__is_alnum(c) || c == '.' || c == '-' ||
	       (unsigned char)c >= 0x80;
}

/* Where the domain that begins at I ends; I: there is none with a dot. */
static size_t domain_end(struct span_str s, size_t i)
{
	size_t end = i, dot = i;

	while (end < s.len && end - i < DOMAIN_MAX && is_domain(s.p[end]))
		end++;
	while (end > i && (s.p[end - 1] == '.' || s.p[end - 1] == '-'))
		end--;
	for (size_t k = i + 1; k < end; k++)
		if (s.p[k] == '.')
			dot = k;
	return dot > i && end - dot > 2 && s.p[i] != '.' ? end : i;
}

bool span__find_email(struct span_str s, size_t from, size_t *start,
		      size_t *len)
{
	const char *at;

	for (size_t i = from; i < s.len; i = (size_t)(at - s.p) + 1) {
		size_t begin, end;

		at = memchr(s.p + i, '@', s.len - i);
		if (!at)
			return false;
		begin = (size_t)(at - s.p);
		while (begin > from && (size_t)(at - s.p) - begin < LOCAL_MAX &&
		       is_local(s.p[begin - 1]))
			begin--;
		/* A quote there is that of the address. */
		while (s.p[begin] == '\'' || s.p[begin] == '`')
			begin++;
		end = domain_end(s, (size_t)(at - s.p) + 1);
		if (s.p + begin == at || s.p + end == at + 1)
			continue;
		*start = begin;
		*len = end - begin;
		return true;
	}
	return false;
}

/* ---- Tokens ---- */

static bool is_token(char c)
{
	return span__is_alnum(c) || (c && strchr("-._~+/=", c));
}

/* Keys that say themselves what they are, and what they have at least. */
static const struct word {
	const char *text;
	uint8_t len;
	uint8_t least; /* characters behind it */
} keys[] = {
#define KEY(text, least)                                                       \
	{                                                                      \
		text, sizeof(text) - 1, least                                  \
	}
	KEY("AKIA", 16),	KEY("ASIA", 16),     KEY("AIza", 30),
	KEY("ghp_", 20),	KEY("gho_", 20),     KEY("ghs_", 20),
	KEY("ghu_", 20),	KEY("ghr_", 20),     KEY("glpat-", 16),
	KEY("github_pat_", 20), KEY("xoxa-", 10),    KEY("xoxb-", 10),
	KEY("xoxp-", 10),	KEY("xoxr-", 10),    KEY("xoxs-", 10),
	KEY("sk-", 20),		KEY("sk_live_", 10), KEY("rk_live_", 10),
	KEY("sk_test_", 10),	KEY("npm_", 30),     KEY("eyJ", 20),
	KEY("AccountKey=", 40),
};

/*
 * Schemes of HTTP's Authorization, RFC 9110 11.4, in lower case. Those with 1
 * are words of texts, too, before numbers.
 */
static const struct word schemes[] = {
	KEY("bearer ", 0),    KEY("basic ", 0), KEY("digest ", 0),
	KEY("negotiate ", 0), KEY("token ", 0), KEY("apikey ", 1),
	KEY("oauth ", 1),     KEY("ntlm ", 1),
#undef KEY
};

/* With which letters they begin. */
enum { BEGINS_SCHEME = 1, BEGINS_KEY = 2, BEGINS_PEM = 4 };
static const uint8_t begins[256] = {
	['b'] = BEGINS_SCHEME,
	['B'] = BEGINS_SCHEME,
	['d'] = BEGINS_SCHEME,
	['D'] = BEGINS_SCHEME,
	['n'] = BEGINS_SCHEME | BEGINS_KEY,
	['N'] = BEGINS_SCHEME,
	['t'] = BEGINS_SCHEME,
	['T'] = BEGINS_SCHEME,
	['a'] = BEGINS_SCHEME,
	['A'] = BEGINS_SCHEME | BEGINS_KEY,
	['o'] = BEGINS_SCHEME,
	['O'] = BEGINS_SCHEME,
	['g'] = BEGINS_KEY,
	['x'] = BEGINS_KEY,
	['s'] = BEGINS_KEY,
	['r'] = BEGINS_KEY,
	['e'] = BEGINS_KEY,
	['-'] = BEGINS_PEM,
};

static size_t token_end(struct span_str s, size_t i)
{
	while (i < s.len && is_token(s.p[i]))
		i++;
	return i;
}

bool span__is_no_word(struct span_str s, size_t i, size_t n)
{
	if (n >= 16)
		return true;
	for (size_t k = 0; k < n; k++)
		if (span__is_digit(s.p[i + k]) ||
		    (k && s.p[i + k] >= 'A' && s.p[i + k] <= 'Z'))
			return true;
	return false;
}

/* Is what begins at I the value of an "Authorization:", or the like? */
static bool is_authorization(struct span_str s, size_t i)
{
	size_t name = span__back_over(s, i, BEHIND_HEADER, ":=,>([{\t");
	bool sign = false;

	for (size_t k = name; k < i; k++)
		sign |= s.p[k] != ' ' && s.p[k] != '\t';
	return sign &&
	       ((name >= 13 && span__has_word(s, name - 13, "authorization")) ||
		(name >= 4 && span__has_word(s, name - 4, "auth")));
}

/* Is it no token, but the name of a parameter, realm="x"? */
static bool is_parameter(struct span_str s, size_t start, size_t len)
{
	size_t end = start + len;

	for (size_t i = start; i + 1 < end; i++)
		if (span__is_digit(s.p[i]) || s.p[i] != span__lower(s.p[i]))
			return false;
	return len >= 2 && s.p[end - 1] == '=' && s.p[end - 2] != '=' &&
	       span__char_at(s, end) == '"' &&
	       span__is_alnum(span__char_at(s, end + 1));
}

/* Is what ends before END the name of a value that has to be found itself? */
static bool is_named(struct span_str s, size_t end)
{
	size_t i = end;

	while (i - end < BEHIND_HEADER && span__char_at(s, i) &&
	       strchr(" \t\"'\\", s.p[i]))
		i++;
	return (span__char_at(s, i) == ':' || span__char_at(s, i) == '=') &&
	       span__is_secret_name(s, end);
}

/* "basic" is also what people say, before another word. */
static bool scheme_at(struct span_str s, size_t i, size_t *start, size_t *len)
{
	for (size_t k = 0; k < sizeof(schemes) / sizeof(*schemes); k++) {
		if (span__lower(s.p[i]) != schemes[k].text[0] ||
		    !span__has_word(s, i, schemes[k].text))
			continue;
		*start = i + schemes[k].len;
		*len = token_end(s, *start) - *start;
		if (is_parameter(s, *start, *len))
			return false;
		if (!*len || is_named(s, *start + *len) ||
		    !is_authorization(s, i))
			return !schemes[k].least && *len >= 8 &&
			       span__is_no_word(s, *start, *len);
		/* A user and a password as they are. */
		if (span__char_at(s, *start + *len) == ':')
			while (*start + *len < s.len &&
			       !strchr(" \t\r\n\"'<>\\", s.p[*start + *len]))
				++*len;
		return true;
	}
	return false;
}

static bool key_at(struct span_str s, size_t i, size_t *start, size_t *len)
{
	for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++) {
		size_t n = keys[k].len;

		if (s.p[i] != keys[k].text[0] || n > s.len - i ||
		    memcmp(s.p + i, keys[k].text, n))
			continue;
		*start = i;
		*len = token_end(s, i + n) - i;
		return *len >= n + keys[k].least;
	}
	return false;
}

/* PEM, RFC 7468: all from the first line of a private key to the last. */
static bool pem_at(struct span_str s, size_t i, size_t *start, size_t *len)
{
	static const char begin[] = "-----BEGIN ", end[] = "-----END ";
	const char *p, *stop;

	if (s.len - i < sizeof(begin) || memcmp(s.p + i, begin, 11) ||
	    !(p = memmem(s.p + i, s.len - i < 64 ? s.len - i : 64,
			 "PRIVATE KEY", 11)))
		return false;
	stop = memmem(p, s.len - (size_t)(p - s.p), end, sizeof(end) - 1);
	*start = i;
	*len = stop ? (size_t)(stop - s.p) - i : s.len - i;
	return true;
}

/* May a scheme or a key begin with these two letters? */
static bool may_begin(char a, char b)
{
	switch (a) {
	case 'b':
	case 'B':
		return span__lower(b) == 'e' || span__lower(b) == 'a';
	case 'd':
	case 'D':
		return span__lower(b) == 'i';
	case 'n':
	case 'N':
		return span__lower(b) == 'e' || span__lower(b) == 't' ||
		       b == 'p';
	case 'o':
	case 'O':
		return span__lower(b) == 'a';
	case 'a':
		return span__lower(b) == 'p';
	case 't':
	case 'T':
		return span__lower(b) == 'o';
	case 'A':
		return b == 'K' || b == 'S' || b == 'I' || b == 'c' ||
		       span__lower(b) == 'p';
	case 'g':
		return b == 'h' || b == 'l' || b == 'i';
	case 'x':
		return b == 'o';
	case 's':
	case 'r':
		return b == 'k';
	case 'e':
		return b == 'y';
	default:
		return false;
	}
}

bool span__find_token(struct span_str s, size_t from, size_t *start,
		      size_t *len)
{
	for (size_t i = from; i < s.len; i++) {
		unsigned what = begins[(unsigned char)s.p[i]];

		if (!what)
			continue;
		if (what == BEGINS_PEM && span__char_at(s, i + 1) == '-' &&
		    pem_at(s, i, start, len))
			return true;
		if (what == BEGINS_PEM ||
		    span__is_alnum(span__char_before(s, i)) ||
		    !may_begin(s.p[i], span__char_at(s, i + 1)))
			continue;
		if ((what & BEGINS_SCHEME && scheme_at(s, i, start, len)) ||
		    (what & BEGINS_KEY && key_at(s, i, start, len)))
			return true;
	}
	return false;
}
