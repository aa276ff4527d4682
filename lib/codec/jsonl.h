/* SPDX-License-Identifier: Apache-2.0 */
/* jsonl.h - what the two halves of the reader of JSON lines share */
#ifndef SPAN__JSONL_H
#define SPAN__JSONL_H

#include "codec/jaeger_json.h"

struct span__jsonl {
	struct span__message *m;
	struct span__json j;
	struct span_buf stack; /* lists that are not complete yet */
	const char *bad;       /* why the span cannot be taken, or NULL */
	const unsigned char *bad_at;
};

/* Keep the first reason. */
void span__jsonl_bad(struct span__jsonl *r, const unsigned char *at,
		     const char *why);

struct span_str span__jsonl_text(struct span__jsonl *r);

/*
 * The member KEY, when it is NAME, or NAME_list, which has all of them and
 * comes behind.
 */
bool span__jsonl_attrs(struct span__jsonl *r, struct span_str key,
		       const char *name, struct span_attrs *a);

#endif
