/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions that cannot hang.
 *
 * PCRE2 counts its steps anew for each place in the text where a match could
 * begin, so its limit alone leaves a long text with a million times as many
 * as a short one. Long texts are therefore searched in pieces, each with a
 * bounded number of such places, and the time is looked at between them.
 */
#include "query/match.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/banned.h"

#define MAX_PATTERN 4096u
#define MAX_STEPS 100000u      /* from one place, see above */
#define MAX_DEPTH 10000u       /* only without the JIT compiler */
#define MAX_HEAP_KIB 16384u    /* the same */
#define MAX_STACK (256u << 10) /* only with it */
#define PIECE 1024u	       /* places between two looks at the clock */
#define MAX_NS 200000000u      /* for one text */

struct span__regex {
	bool whole; /* it can only match where the text begins */
	bool digits_alike, hex_alike;
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
	char name[64]; /* the pattern for messages, cut */
};

static int bad_pattern(int code, size_t offset, struct span_error *err)
{
	unsigned char text[160];

	if (code == PCRE2_ERROR_NOMEMORY)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	pcre2_get_error_message(code, text, sizeof(text));
	return span_error_at(err, SPAN_E_INVALID, offset,
			     "regular expression, column %zu: %s", offset + 1,
			     text);
}

static int open_regex(struct span__regex **out, struct span_str pattern,
		      uint32_t options, struct span_error *err)
{
	struct span__regex *r;
	int code = 0;
	size_t offset = 0, cut;

	*out = NULL;
	if (pattern.len > MAX_PATTERN)
		return span_error_at(err, SPAN_E_INVALID, MAX_PATTERN,
				     "regular expression above %u bytes",
				     MAX_PATTERN);
	r = calloc(1, sizeof(*r));
	if (!r)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	r->whole = options & PCRE2_ANCHORED;
	cut = pattern.len < sizeof(r->name) ? pattern.len : sizeof(r->name) - 1;
	for (size_t i = 0; i < cut; i++)
		r->name[i] = pattern.p[i];
	r->code = pcre2_compile(
		(PCRE2_SPTR)(pattern.len ? pattern.p : ""), pattern.len,
		options | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF |
			PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT,
		&code, &offset, NULL);
	if (!r->code) {
		span__regex_close(&r);
		return bad_pattern(code, offset, err);
	}
	r->data = pcre2_match_data_create(1, NULL);
	r->context = pcre2_match_context_create(NULL);
	if (!r->data || !r->context) {
		span__regex_close(&r);
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	}
	pcre2_set_match_limit(r->context, MAX_STEPS);
	pcre2_set_depth_limit(r->context, MAX_DEPTH);
	pcre2_set_heap_limit(r->context, MAX_HEAP_KIB);
	/* Where it cannot be had, the interpreter does the same, slower. */
	if (!pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE))
		r->stack = pcre2_jit_stack_create(32u << 10, MAX_STACK, NULL);
	if (r->stack)
		pcre2_jit_stack_assign(r->context, NULL, r->stack);
	*out = r;
	return 0;
}

int span__regex_open(struct span__regex **out, struct span_str pattern,
		     struct span_error *err)
{
	return open_regex(out, pattern, 0, err);
}

/*
 * May ".*" go from the begin of the pattern, at AT = 0, or from its end, since
 * the pattern is looked for anywhere then? Only where it is plain to see.
 */
static bool is_free(struct span_str pattern, size_t at)
{
	size_t backslashes = 0;

	if (pattern.len < at + 2 || pattern.p[at] != '.' ||
	    pattern.p[at + 1] != '*' || memchr(pattern.p, '|', pattern.len) ||
	    memmem(pattern.p, pattern.len, "(?", 2) ||
	    memmem(pattern.p, pattern.len, "(*", 2) ||
	    memmem(pattern.p, pattern.len, "\\Q", 2))
		return false;
	for (size_t i = at; i && pattern.p[i - 1] == '\\'; i--)
		backslashes++;
	return backslashes % 2 == 0 &&
	       (pattern.len == at + 2 || !memchr("?+*{", pattern.p[at + 2], 4));
}

/*
 * Is the pattern of a whole text made of ".*", of characters that are no digits
 * and stand for themselves, of "|" and of groups? Then a digit can only be part
 * of what ".*" stands for.
 */
static bool has_no_digits(struct span_str pattern)
{
	const char *p = pattern.p, *end = p + pattern.len;

	for (; p < end; p++) {
		char next = p + 1 < end ? p[1] : 0;

		if (strchr("0123456789[]{}?*+^$", *p))
			return false;
		if (*p == '(' && (next == '?' || next == '*'))
			return false;
		if (*p == '.' && next != '*')
			return false;
		if (*p == '.' && p + 2 < end && strchr("?+*{", p[2]))
			return false;
		if (*p == '\\' && (!next || !strchr("./|()-_:,;=\\", next)))
			return false;
		p += *p == '.' || *p == '\\';
	}
	return true;
}

/*
 * Is such a pattern one of texts with ".*" between them, of which no part can
 * be in a hexadecimal number, or all around it? None begins or ends as one
 * does, nor has so much of one.
 */
static bool has_no_hex(struct span_str pattern)
{
	const char *p = pattern.p, *end = p + pattern.len;
	bool begin = true; /* of a text */
	unsigned run = 0;

	for (; p < end; p++) {
		bool dots = *p == '.';

		if (strchr("()|", *p))
			return false;
		if (dots && run)
			return false;
		if (dots || *p == '\\')
			p++;
		run = !dots && strchr("0123456789abcdef-", *p) ? run + 1 : 0;
		if (run == 8 || (run && begin))
			return false;
		begin = dots;
	}
	return !run;
}

bool span__regex_hex_alike(const struct span__regex *r)
{
	return r->hex_alike;
}

bool span__regex_digits_alike(const struct span__regex *r)
{
	return r->digits_alike;
}

/*
 * ".*x.*" would try each place of the text for the first part, and each
 * behind it for the second: it is "x" anywhere.
 */
int span__regex_open_whole(struct span__regex **out, struct span_str pattern,
			   struct span_error *err)
{
	bool digits_alike = has_no_digits(pattern);
	bool hex_alike = digits_alike && has_no_hex(pattern);
	uint32_t options = PCRE2_DOTALL;
	int rc;

	if (is_free(pattern, 0)) {
		pattern.p += 2;
		pattern.len -= 2;
	} else {
		options |= PCRE2_ANCHORED;
	}
	if (pattern.len >= 2 && is_free(pattern, pattern.len - 2))
		pattern.len -= 2;
	else
		options |= PCRE2_ENDANCHORED;
	rc = open_regex(out, pattern, options, err);
	if (rc < 0)
		return rc;
	(*out)->digits_alike = digits_alike;
	(*out)->hex_alike = hex_alike;
	return 0;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int too_long(const struct span__regex *r, struct span_error *err)
{
	return span_error_set(err, SPAN_E_LIMIT,
			      "regular expression '%s' takes too many steps",
			      r->name);
}

/* Does a match begin at FROM or later, but not after TO? */
static int match_piece(struct span__regex *r, struct span_str text, size_t from,
		       size_t to, struct span_error *err)
{
	int rc;

	pcre2_set_offset_limit(r->context, to);
	rc = pcre2_match(r->code, (PCRE2_SPTR)(text.len ? text.p : ""),
			 text.len, from, 0, r->data, r->context);
	if (rc >= 0)
		return 1;
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	if (rc == PCRE2_ERROR_NOMEMORY)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return too_long(r, err);
}

/* Does a match begin at FROM or later? */
static int match_from(struct span__regex *r, struct span_str text, size_t from,
		      struct span_error *err)
{
	uint64_t start;
	int rc;

	if (text.len - from <= PIECE || r->whole)
		return match_piece(r, text, from, text.len, err);
	start = cpu_ns();
	for (;;) {
		size_t to = text.len - from > PIECE ? from + PIECE : text.len;

		/* A piece begins with a character, not inside of one. */
		for (int i = 0; i < 3; i++)
			if (to < text.len && (text.p[to] & 0xc0) == 0x80)
				to++;
		rc = match_piece(r, text, from, to, err);
		if (rc || to == text.len)
			return rc;
		if (cpu_ns() - start > MAX_NS)
			return too_long(r, err);
		from = to;
	}
}

int span__regex_match(struct span__regex *r, struct span_str text,
		      struct span_error *err)
{
	return match_from(r, text, 0, err);
}

int span__regex_find(struct span__regex *r, struct span_str text, size_t from,
		     size_t *start, size_t *end, struct span_error *err)
{
	int rc = match_from(r, text, from, err);
	const size_t *ends = pcre2_get_ovector_pointer(r->data);

	if (rc <= 0)
		return rc;
	/* \K can begin a match behind its end, or before FROM. */
	*end = ends[1] > from ? ends[1] : from;
	*start = ends[0] < *end ? ends[0] : *end;
	*start = *start > from ? *start : from;
	return rc;
}

void span__regex_close(struct span__regex **r)
{
	if (!*r)
		return;
	pcre2_jit_stack_free((*r)->stack);
	pcre2_match_context_free((*r)->context);
	pcre2_match_data_free((*r)->data);
	pcre2_code_free((*r)->code);
	free(*r);
	*r = NULL;
}
