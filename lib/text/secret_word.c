/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that are words: addresses of people, tokens, values of names. */
#include "text/secret_scan.h"

#include <string.h>

#include "base/banned.h"

#define LOCAL_MAX 64u	/* of an address, RFC 5321 4.5.3.1.1 */
#define DOMAIN_MAX 255u /* and of its domain */
#define NAME_MAX_LEN 64u

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
static const struct {
	const char *prefix;
	unsigned least; /* characters behind it */
} keys[] = {
	{"AKIA", 16},	     {"ASIA", 16},     {"AIza", 30},
	{"ghp_", 20},	     {"gho_", 20},     {"ghs_", 20},
	{"ghu_", 20},	     {"ghr_", 20},     {"github_pat_", 20},
	{"glpat-", 16},	     {"xoxa-", 10},    {"xoxb-", 10},
	{"xoxp-", 10},	     {"xoxr-", 10},    {"xoxs-", 10},
	{"sk-", 20},	     {"sk_live_", 10}, {"rk_live_", 10},
	{"sk_test_", 10},    {"npm_", 30},     {"eyJ", 20},
	{"AccountKey=", 40},
};

/* Schemes of HTTP's Authorization, RFC 9110 11.4. */
static const char *const schemes[] = {"bearer ", "basic ", "digest ",
				      "negotiate ", "token "};

static size_t token_end(struct span_str s, size_t i)
{
	while (i < s.len && is_token(s.p[i]))
		i++;
	return i;
}

/* A digit, or a capital letter that is not the first. */
static bool is_no_word(struct span_str s, size_t i, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (span__is_digit(s.p[i + k]) ||
		    (k && s.p[i + k] >= 'A' && s.p[i + k] <= 'Z'))
			return true;
	return false;
}

/* "basic" is also what people say, before another word. */
static bool scheme_at(struct span_str s, size_t i, size_t *start, size_t *len)
{
	for (size_t k = 0; k < sizeof(schemes) / sizeof(*schemes); k++) {
		if (!span__has_word(s, i, schemes[k]))
			continue;
		*start = i + strlen(schemes[k]);
		*len = token_end(s, *start) - *start;
		return *len >= 16 || (*len >= 8 && is_no_word(s, *start, *len));
	}
	return false;
}

static bool key_at(struct span_str s, size_t i, size_t *start, size_t *len)
{
	for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++) {
		size_t n = strlen(keys[k].prefix);

		if (n > s.len - i || memcmp(s.p + i, keys[k].prefix, n))
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

bool span__find_token(struct span_str s, size_t from, size_t *start,
		      size_t *len)
{
	for (size_t i = from; i < s.len; i++) {
		char c = s.p[i];

		if (!span__is_letter(c) && c != '-')
			continue;
		if (c == '-' && pem_at(s, i, start, len))
			return true;
		if (span__is_alnum(span__char_before(s, i)))
			continue;
		if (scheme_at(s, i, start, len) || key_at(s, i, start, len))
			return true;
	}
	return false;
}

/* ---- Values of names ---- */

/* What a name ends with whose value is a secret; in lower case. */
static const char *const names[] = {
	"password",	 "passwd",     "pwd",	      "passphrase",
	"passcode",	 "secret",     "token",	      "api_key",
	"api-key",	 "apikey",     "access_key",  "access-key",
	"accesskey",	 "secret_key", "private_key", "privatekey",
	"authorization", "cookie",     "credential",  "credentials",
	"sessionid",	 "session_id", "session-id",  "signature",
	"auth",		 "jwt",	       "ssn",	      "otp",
};

static bool is_name(char c)
{
	return span__is_alnum(c) || c == '_' || c == '-' || c == '.';
}

/* Does the name that ends before I end with one of these words? */
static bool is_secret_name(struct span_str s, size_t i)
{
	size_t begin = i;

	while (begin && i - begin < NAME_MAX_LEN && is_name(s.p[begin - 1]))
		begin--;
	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
		size_t n = strlen(names[k]);

		if (n <= i - begin && span__has_word(s, i - n, names[k]))
			return true;
	}
	return false;
}

/*
 * Where the value ends that begins at I behind QUOTE (0: none). In JSON within
 * JSON quotes have a backslash themselves: NESTED.
 */
static size_t value_end(struct span_str s, size_t i, char quote, bool nested)
{
	const char *stops = " \t\r\n&;,)}]\"'<>";

	for (; i < s.len; i++) {
		if (!quote && s.p[i] && strchr(stops, s.p[i]))
			return i;
		if (quote && s.p[i] == (nested ? '\\' : quote))
			return i;
		if (quote && s.p[i] == '\\')
			i++;
	}
	return s.len;
}

/* The value that begins at I, and may be quoted. */
static bool value_at(struct span_str s, size_t i, size_t *start, size_t *len)
{
	bool nested;
	char quote = 0;

	while (i < s.len && (s.p[i] == ' ' || s.p[i] == '\t'))
		i++;
	nested = span__char_at(s, i) == '\\';
	i += nested;
	if (span__char_at(s, i) == '"' || span__char_at(s, i) == '\'')
		quote = s.p[i++];
	if (i >= s.len || span__label_at(s, i))
		return false;
	*start = i;
	*len = value_end(s, i, quote, nested) - i;
	return *len != 0;
}

bool span__find_value(struct span_str s, size_t from, size_t *start,
		      size_t *len)
{
	for (size_t i = from; i < s.len; i++) {
		size_t name = i;

		if (s.p[i] != '=' && s.p[i] != ':')
			continue;
		while (name &&
		       (s.p[name - 1] == ' ' || s.p[name - 1] == '"' ||
			s.p[name - 1] == '\'' || s.p[name - 1] == '\\') &&
		       i - name < 8)
			name--;
		if (is_secret_name(s, name) && value_at(s, i + 1, start, len))
			return true;
	}
	return false;
}
