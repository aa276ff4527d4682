/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secrets.h - parts of a text that should not be passed on
 *
 * Each detector looks at one kind of secret. All read a text once from left to
 * right, with a look to both sides that is bounded, so that time is linear in
 * the text whatever it holds. They judge bytes: what is not ASCII is part of
 * values and never of a delimiter.
 */
#ifndef SPAN_TEXT_SECRETS_H
#define SPAN_TEXT_SECRETS_H

#include <span/base.h>

enum span__secret {
	SECRET_CARD,   /* 13 to 19 digits whose Luhn sum is right */
	SECRET_EMAIL,  /* RFC 5321 addresses without quoted local parts */
	SECRET_IP,     /* addresses of IPv4 and IPv6 */
	SECRET_TOKEN,  /* behind Bearer or Basic, JWTs, keys of known forms */
	SECRET_VALUE,  /* of password=, "token":, --pwd and the like */
	SECRET_XML,    /* what elements hold that are named so */
	SECRET_SQL,    /* literals of a text that is SQL */
	SECRET_QUERY,  /* values of a URL's query, and its user and password */
	SECRET_DIGITS, /* SECRET_RUN digits and more in a row */
	SECRET_KINDS,
};

#define SECRET_RUN 9u

/*
 * A part of a text is replaced with the name of its kind, "[card]", or with
 * this, its hash in letters and "]". Neither is found again.
 */
#define SECRET_HASHED "[hash:"

/* "card", "email" ..., as rules name them; and the way back, or -1. */
const char *span__secret_name(enum span__secret kind);
int span__secret_parse(struct span_str name);

/*
 * The first secret of KIND in TEXT that begins at FROM or behind it, in *PART;
 * false when there is none. The next one is looked for from the end of this.
 */
bool span__secret_find(enum span__secret kind, struct span_str text,
		       size_t from, struct span_str *part);

/*
 * The kinds, as bits 1 << SECRET_CARD ..., of which TEXT may have one: there is
 * none of another. It reads the text once, and costs less than a detector.
 */
unsigned span__secret_hints(struct span_str text);

#endif
