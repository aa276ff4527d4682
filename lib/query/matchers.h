/* SPDX-License-Identifier: Apache-2.0 */
/*
 * matchers.h - Prometheus selectors, asked of spans
 *
 *	selector = metric | [ metric ] "{" [ matcher { "," matcher } [ "," ] ]
 *"}" matcher  = label op value | quoted metric op       = "=" "!=" "=~" "!~"
 *	value    = "text" | 'text' | `text`
 *	label    = name | quoted name
 *
 * as PromQL has it, escapes of Go in the first two kinds of quotes. What an
 * exposition, promtool or a page shows behind it is read and left alone: the
 * value of a sample, its time, an exemplar.
 *
 * A selector chooses the spans that a series of that name counts, see
 * span-query(1). Labels that metrics of spans have are fields of the span; any
 * other one is an attribute, and names all whose keys become it by
 * span_text_label().
 */
#ifndef SPAN_QUERY_MATCHERS_H
#define SPAN_QUERY_MATCHERS_H

#include <span/model.h>

struct span__regex;

enum span__label {
	SPAN__LABEL_ATTRIBUTE = 0,
	SPAN__LABEL_SERVICE,
	SPAN__LABEL_OPERATION,
	SPAN__LABEL_KIND,
	SPAN__LABEL_STATUS,
	SPAN__LABEL_ERROR, /* or an attribute */
	SPAN__LABEL_MESSAGE,
	SPAN__LABEL_TRACE_ID,
	SPAN__LABEL_SPAN_ID,
	SPAN__LABEL_LE,
	SPAN__LABEL_NONE, /* it says nothing of spans, and holds */
};

struct span__matcher {
	struct span_str name; /* as it was typed */
	struct span_str key;  /* without "exported_" */
	size_t pos;	      /* of the name, and of the value with quotes */
	size_t value_pos;
	enum span__label label;
	bool negate, is_regex;
	bool escapes; /* places in the value are not those in the text */
	struct span_str value;
	struct span__regex *regex; /* of =~ and !~ */
	uint64_t most_ns;	   /* of le */
};

struct span__selector {
	struct span_str metric; /* empty: not named */
	struct span__matcher *v;
	size_t n;
};

/* Alternatives, each a list of matchers that must all hold. */
struct span__matchers {
	struct span__selector *v;
	size_t n;
	struct span__matching *work; /* memory of a match */
};

/*
 * Read selectors. What they have is in ARENA, but for regular expressions. 0;
 * SPAN_E_INVALID with the column (from 0) in err->pos; SPAN_E_NOMEM. Release
 * what it says, also when it fails.
 */
SPAN_NODISCARD int span__matchers_compile(struct span__matchers *m,
					  const char *const *v, size_t n,
					  struct span_arena *arena,
					  struct span_error *err);
/* 1 when one of them holds for S, or there is none; 0; or a negative code. */
SPAN_NODISCARD int span__matchers_match(const struct span__matchers *m,
					const struct span *s,
					struct span_error *err);
void span__matchers_release(struct span__matchers *m);

/* Of the above: one selector read as it is typed, then what it means. */
SPAN_NODISCARD int span__selector_read(struct span__selector *s,
				       const char *text,
				       struct span_arena *arena,
				       struct span_error *err);
SPAN_NODISCARD int span__selector_resolve(struct span__selector *s,
					  struct span_error *err);

#endif
