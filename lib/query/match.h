/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match.h - the parts of a query, each compiled once and asked many times
 *
 * What is compiled belongs to one thread: regular expressions and caches have
 * working memory of their own.
 */
#ifndef SPAN_QUERY_MATCH_H
#define SPAN_QUERY_MATCH_H

#include <span/query.h>

#include "query/matchers.h"
#include "text/tag_values.h"

/*
 * True when the whole of TEXT fits PATTERN: * is any text, ? a character,
 * [a-z] and [!a-z] one of a set, \ quotes. Time is at most the product of the
 * two lengths.
 */
bool span__glob(struct span_str pattern, struct span_str text);
/* True when TEXT has a character that makes it a glob. */
bool span__glob_is(struct span_str text);

/* A PCRE2 expression that is looked for anywhere in a text. */
struct span__regex;

SPAN_NODISCARD int span__regex_open(struct span__regex **out,
				    struct span_str pattern,
				    struct span_error *err);
/*
 * The same for one that must fit the whole text, where a dot is any character,
 * newlines too.
 */
SPAN_NODISCARD int span__regex_open_whole(struct span__regex **out,
					  struct span_str pattern,
					  struct span_error *err);
/*
 * Is one of a whole text sure to say the same of texts that are equal but for
 * the decimal digits of a number in them, and how many these are?
 */
bool span__regex_digits_alike(const struct span__regex *r);
/*
 * And of those that are equal but for both such digits and those of UUIDs, and
 * of hexadecimal numbers of 8 digits or more, in lower case?
 */
bool span__regex_hex_alike(const struct span__regex *r);
/* 1, 0, SPAN_E_LIMIT when it takes too long, or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__regex_match(struct span__regex *r,
				     struct span_str text,
				     struct span_error *err);
/*
 * The same from FROM on, with where the match is: *START and *END, which may be
 * equal.
 */
SPAN_NODISCARD int span__regex_find(struct span__regex *r, struct span_str text,
				    size_t from, size_t *start, size_t *end,
				    struct span_error *err);
void span__regex_close(struct span__regex **r);

/*
 * A list of alternative names, as struct span_select describes them.
 */
struct span__name {
	struct span_str text;
	struct span__regex *regex; /* NULL: exact or a glob */
	bool glob;
};

struct span__names {
	struct span__name *v;
	size_t n;
	struct span__verdict *cache; /* NULL: no globs, no regexes */
};

/* Texts are copied to ARENA; WHAT is the option's name for messages. */
SPAN_NODISCARD int span__names_compile(struct span__names *names,
				       const char *const *v, size_t n,
				       const char *what,
				       struct span_arena *arena,
				       struct span_error *err);
/* 1 when one of them fits (or there is none), 0, or a negative code. */
SPAN_NODISCARD int span__names_match(const struct span__names *names,
				     struct span_str text,
				     struct span_error *err);
/* True when all of them are exact names, and there are some. */
bool span__names_exact(const struct span__names *names);
void span__names_release(struct span__names *names);

/*
 * One condition on the values of a key.
 */
struct span__tag {
	struct span__tag_eq eq;	   /* its value is the expression of a regex */
	struct span__regex *regex; /* of k~re, else NULL */
	bool negate;		   /* k!=v, k!~re */
};

struct span__tags {
	struct span__tag *v;
	size_t n;
	struct span_buf *text; /* working memory of a match */
};

/* Append the conditions of the list TEXT. */
SPAN_NODISCARD int span__tags_parse(struct span__tags *tags, const char *text,
				    struct span_arena *arena,
				    struct span_error *err);
/* Append one; the texts are borrowed. VALUE is the expression of a regex. */
SPAN_NODISCARD int span__tags_add(struct span__tags *tags, struct span_str key,
				  struct span_str value, bool regex,
				  struct span_arena *arena,
				  struct span_error *err);
/* Make ready for matches. 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__tags_init(struct span__tags *tags,
				   struct span_error *err);
/* 1 when all of them hold for S, 0, or a negative code. */
SPAN_NODISCARD int span__tags_match(const struct span__tags *tags,
				    const struct span *s,
				    struct span_error *err);
void span__tags_release(struct span__tags *tags);

/*
 * A trace id as it was typed: the exact id, else the start of a printed one.
 */
struct span__id {
	uint8_t exact[16];
	uint8_t prefix[16]; /* the digits from the left */
	size_t digits;
	struct span_str text;
};

/*
 * Read the digits of a trace id (1 to 32) out of what people have in hand:
 * the digits, in the form of a UUID too, the value of a traceparent, b3 or
 * uber-trace-id header, a link to a trace, a line of a log that names one.
 *
 * 0; SPAN_E_INVALID when TEXT has none, or several, with the column (from 0)
 * in err->pos; SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__trace_text_read(const char *text,
					 char out[SPAN_TRACE_ID_TEXT],
					 struct span_error *err);

/*
 * True when S begins with NAME, in any case, and then = or : with quotes and
 * blanks around it; *VALUE is what follows.
 */
bool span__trace_text_named(struct span_str s, const char *name,
			    struct span_str *value);

bool span__id_is_prefix(const struct span__id *id, const uint8_t trace_id[16]);

struct span__traceql;
struct tql_expr;
struct tql_hints;

/* What a store asks about names: of the options, and of hints (or NULL). */
struct span__asked {
	const struct span_query *q;
	const struct tql_hints *hints;
	bool options;
};

struct span_query {
	struct span_arena arena;
	struct span__names services, operations;
	struct span__tags tags;
	struct span__tags *not_tags; /* lists, none of which may hold */
	size_t n_not_tags;
	struct span__matchers matchers;
	bool root, orphans;
	struct span__id *ids;
	size_t n_ids;
	struct span__traceql *expression; /* or NULL */
	struct tql_hints *hints;	  /* of the expression */
	struct span_range range;	  /* what a store can look for */
	struct span__asked asked;
	/*
	 * That is all but trace ids; but for the tags of an expression, which
	 * are only hints. Of a WHOLE one: it finds the candidates.
	 */
	bool pushed;
	bool headed; /* all that is not pushed can be told by the head */
	bool whole;  /* a span alone is only a candidate */
	bool alone;  /* the expression is all there is, but for the time */
	bool all;    /* each span matches */
	/*
	 * Where no option narrows it, the traces of a WHOLE one are those with
	 * a span that is in this range and needed; PUSHED: all in the range
	 * are.
	 */
	struct span__need {
		struct tql_hints *hints; /* NULL: use the candidates */
		struct span_range range;
		struct span__asked asked;
		bool pushed;
	} need;
	/*
	 * Of an expression with "||": each matching span is in one of these,
	 * or in several. PUSHED: all in the range match.
	 */
	struct span__part {
		struct span_range range;
		struct span__asked asked;
		bool pushed;
	} * parts;
	size_t n_parts;
	const struct tql_expr *either; /* its operands are the parts */
};

/*
 * Fill in Q->range, and whether it is pushed; Q->need of a WHOLE one that SEL
 * has no other options for. 0 or a negative code.
 */
SPAN_NODISCARD int span__query_push_down(struct span_query *q,
					 struct span_error *err);
SPAN_NODISCARD int span__query_compile_need(struct span_query *q,
					    const struct span_select *sel,
					    struct span_error *err);

/* Of Q->matchers what a store can look for into Q->range. 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__matchers_push(struct span_query *q);

/* Is S a span that a WHOLE query needs? As span_query_match(). */
SPAN_NODISCARD int span__query_needs(const struct span_query *q,
				     const struct span *s,
				     struct span_error *err);

/*
 * Judge a whole trace: 1 when it is a result, with a byte for each of its
 * spans in MATCHED that says whether the query holds for it; 0; or a negative
 * code. What a search keeps was a candidate by span_query_match() before.
 */
SPAN_NODISCARD int span__query_judge(const struct span_query *q,
				     const struct span_trace *t,
				     uint8_t *matched, struct span_error *err);

#endif
