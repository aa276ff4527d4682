/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a text cannot have, by the characters in it. Most texts have nothing,
 * so this is what most of the time goes to.
 */
#include "text/secret_scan.h"
#include "text/secrets.h"

#include <string.h>

#include "base/banned.h"

#define CARD_DIGITS 13u
#define TOKEN_LEN 12u /* "auth:basic x", the shortest */

/*
 * Characters are counted by classes, in bytes of one number, which BLOCK of
 * them do not fill.
 */
#define BLOCK 255u
enum { DIGIT, DOT, COLON, AT, EQUALS, QUOTE, TOKEN, MARKUP, N_CLASSES };
#define OF(class) (UINT64_C(1) << 8 * (class))

static const uint64_t classes[256] = {
	['0'] = OF(DIGIT),
	['1'] = OF(DIGIT),
	['2'] = OF(DIGIT),
	['3'] = OF(DIGIT),
	['4'] = OF(DIGIT),
	['5'] = OF(DIGIT),
	['6'] = OF(DIGIT),
	['7'] = OF(DIGIT),
	['8'] = OF(DIGIT),
	['9'] = OF(DIGIT),
	['.'] = OF(DOT),
	[':'] = OF(COLON),
	['@'] = OF(AT),
	['='] = OF(EQUALS) | OF(TOKEN),
	['"'] = OF(QUOTE),
	['\''] = OF(QUOTE),
	['$'] = OF(QUOTE),
	/* A bracket as it is, in XML, and in JSON. */
	['<'] = OF(MARKUP),
	['&'] = OF(MARKUP),
	['\\'] = OF(MARKUP),
	/* One of these is in all beginnings of tokens. */
	[' '] = OF(TOKEN),
	['-'] = OF(TOKEN),
	['_'] = OF(TOKEN),
	['I'] = OF(TOKEN),
	['J'] = OF(TOKEN),
	['K'] = OF(TOKEN),
};

/* Are there SECRET_RUN digits in a row? */
static bool has_run(struct span_str s)
{
	size_t run = 0;

	for (size_t i = 0; i < s.len && run < SECRET_RUN; i++)
		run = span__is_digit(s.p[i]) ? run + 1 : 0;
	return run == SECRET_RUN;
}

static void count_classes(struct span_str s, size_t n[N_CLASSES])
{
	while (s.len) {
		size_t len = s.len < BLOCK ? s.len : BLOCK;
		uint64_t sum = 0;

		for (size_t i = 0; i < len; i++)
			sum += classes[(unsigned char)s.p[i]];
		for (size_t k = 0; k < N_CLASSES; k++)
			n[k] += sum >> 8 * k & 0xff;
		s.p += len;
		s.len -= len;
	}
}

unsigned span__secret_hints(struct span_str s)
{
	size_t n[N_CLASSES] = {0};
	unsigned hints = 0;

	count_classes(s, n);
	if (n[DIGIT] >= CARD_DIGITS)
		hints |= 1u << SECRET_CARD;
	if (n[DIGIT] >= SECRET_RUN && has_run(s))
		hints |= 1u << SECRET_DIGITS;
	if (n[DOT] >= 3 || n[COLON] >= 2)
		hints |= 1u << SECRET_IP;
	if (n[DIGIT] || n[QUOTE])
		hints |= 1u << SECRET_SQL;
	if (n[AT] && n[DOT])
		hints |= 1u << SECRET_EMAIL;
	if (n[EQUALS] || n[COLON] ||
	    (n[TOKEN] >= 2 && memmem(s.p, s.len, "--", 2)))
		hints |= 1u << SECRET_VALUE;
	if (n[MARKUP])
		hints |= 1u << SECRET_XML;
	if (n[EQUALS] || n[AT])
		hints |= 1u << SECRET_QUERY;
	if (s.len >= TOKEN_LEN && n[TOKEN])
		hints |= 1u << SECRET_TOKEN;
	return hints;
}
