/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/pieces.h - answers of any length, a result at a time
 *
 * What is small is whole before anything of it is sent, so that its errors are
 * answers of their own; of what is larger the rest comes in pieces.
 */
#ifndef SERVE_PIECES_H
#define SERVE_PIECES_H

#include "serve/serve.h"

#define SPAN__PIECE (64u << 10) /* bytes, or what one result has */

struct span__pieces {
	const char *head, *between, *tail; /* static, around and between */
	/* Append the next result: 1, 0 at the end, or a negative code. */
	int (*next)(void *arg, struct span_buf *out, struct span_error *err);
	void (*close)(void *arg);
	void *arg;
};

/*
 * Answer with P, whose ARG is closed once nothing more is wanted, also when
 * this fails. 1; 0 when there is no result, and the body then has head and tail
 * alone; or a negative code, and the answer has nothing.
 */
SPAN_NODISCARD int span__pieces_answer(struct span__serve_answer *a,
				       const struct span__pieces *p,
				       struct span_error *err);

#endif
