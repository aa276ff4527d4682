/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/seen_tags.h - keys and values that spans have, to choose from
 *
 * They come from recent spans that match: as many as can be looked at while
 * somebody waits. Names of services and operations are all known, see
 * span_store_names().
 */
#ifndef SERVE_SEEN_TAGS_H
#define SERVE_SEEN_TAGS_H

#include "serve/select.h"

#define SPAN__SEEN_SPANS 20000u	  /* that match, of */
#define SPAN__SEEN_LOOKED 200000u /* so many */
#define SPAN__SEEN_MAX 10000u	  /* texts of a set, at most */
#define SPAN__SEEN_BYTES (1u << 20)

/*
 * Call FN with spans that S selects, of SERVICE unless it is NULL: those of the
 * newest files first. 0; what span__select_compile(), span__serve_take() and a
 * scan return.
 */
typedef void span__seen_fn(void *arg, const struct span *s);
SPAN_NODISCARD int span__seen_spans(const struct span__serve *serve,
				    struct span__select *s,
				    const struct span_str *service,
				    span__seen_fn *fn, void *arg,
				    struct span_error *err);

/* A set of texts, each in one of several groups; by group, then by text. */
struct span__seen_text {
	unsigned group;
	struct span_str text;
};
struct span__seen {
	struct span_arena arena;
	struct span__seen_text *v;
	size_t n, cap, bytes;
	size_t limit; /* of a group's texts; 0: none of its own */
	bool failed;  /* memory is out */
};

/* What is beyond the limits is not taken. */
void span__seen_add(struct span__seen *s, unsigned group, struct span_str text);
void span__seen_release(struct span__seen *s);

/* A value as a text, as search conditions have it, in B. */
struct span_str span__seen_value(struct span_buf *b,
				 const struct span_value *v);

#endif
