/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a text cannot have, by the characters in it. Most texts have nothing,
 * so this is what most of the time goes to.
 */
#include "text/secret_scan.h"
#include "text/secrets.h"

#include "base/banned.h"

#define CARD_DIGITS 13u
#define TOKEN_LEN 14u /* "basic " and 8 characters, the shortest */

/*
 * What is counted, in fields of one number that no text fills, and what is only
 * seen, behind them.
 */
#define ONE_DIGIT (UINT64_C(1))
#define ONE_DOT (UINT64_C(1) << 20)
#define ONE_COLON (UINT64_C(1) << 40)
#define COUNT(sum, one) ((sum) / (one)&0xfffff)
#define COUNTED ((size_t)0xfffff) /* bytes that are counted at once */
enum { SEEN_AT = 1, SEEN_EQUALS = 2, SEEN_QUOTE = 4, SEEN_TOKEN = 8 };

static const struct {
	uint64_t counts;
	uint64_t seen;
} classes[256] = {
	['0'] = {ONE_DIGIT, 0},
	['1'] = {ONE_DIGIT, 0},
	['2'] = {ONE_DIGIT, 0},
	['3'] = {ONE_DIGIT, 0},
	['4'] = {ONE_DIGIT, 0},
	['5'] = {ONE_DIGIT, 0},
	['6'] = {ONE_DIGIT, 0},
	['7'] = {ONE_DIGIT, 0},
	['8'] = {ONE_DIGIT, 0},
	['9'] = {ONE_DIGIT, 0},
	['.'] = {ONE_DOT, 0},
	[':'] = {ONE_COLON, 0},
	['@'] = {0, SEEN_AT},
	['='] = {0, SEEN_EQUALS | SEEN_TOKEN},
	['"'] = {0, SEEN_QUOTE},
	['\''] = {0, SEEN_QUOTE},
	['$'] = {0, SEEN_QUOTE},
	/* One of these is in all beginnings of tokens. */
	[' '] = {0, SEEN_TOKEN},
	['-'] = {0, SEEN_TOKEN},
	['_'] = {0, SEEN_TOKEN},
	['I'] = {0, SEEN_TOKEN},
	['J'] = {0, SEEN_TOKEN},
	['K'] = {0, SEEN_TOKEN},
};

/* Are there SECRET_RUN digits in a row? */
static bool has_run(struct span_str s)
{
	size_t run = 0;

	for (size_t i = 0; i < s.len && run < SECRET_RUN; i++)
		run = span__is_digit(s.p[i]) ? run + 1 : 0;
	return run == SECRET_RUN;
}

unsigned span__secret_hints(struct span_str s)
{
	uint64_t sum = 0, seen = 0;
	unsigned hints = 0;

	if (s.len > COUNTED)
		return (1u << SECRET_KINDS) - 1;
	for (size_t i = 0; i < s.len; i++) {
		sum += classes[(unsigned char)s.p[i]].counts;
		seen |= classes[(unsigned char)s.p[i]].seen;
	}
	if (COUNT(sum, ONE_DIGIT) >= CARD_DIGITS)
		hints |= 1u << SECRET_CARD;
	if (COUNT(sum, ONE_DIGIT) >= SECRET_RUN && has_run(s))
		hints |= 1u << SECRET_DIGITS;
	if (COUNT(sum, ONE_DOT) >= 3 || COUNT(sum, ONE_COLON) >= 2)
		hints |= 1u << SECRET_IP;
	if (COUNT(sum, ONE_DIGIT) || seen & SEEN_QUOTE)
		hints |= 1u << SECRET_SQL;
	if (seen & SEEN_AT && COUNT(sum, ONE_DOT))
		hints |= 1u << SECRET_EMAIL;
	if (seen & SEEN_EQUALS || COUNT(sum, ONE_COLON))
		hints |= 1u << SECRET_VALUE;
	if (seen & (SEEN_EQUALS | SEEN_AT))
		hints |= 1u << SECRET_QUERY;
	if (s.len >= TOKEN_LEN && seen & SEEN_TOKEN)
		hints |= 1u << SECRET_TOKEN;
	return hints;
}
