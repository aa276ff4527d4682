/* SPDX-License-Identifier: Apache-2.0 */
/*
 * news.h - what is remembered from one look at a store to the next
 */
#ifndef SPAN_QUERY_NEWS_H
#define SPAN_QUERY_NEWS_H

#include "query/search.h"

/*
 * Of the traces that were told this many are remembered, the last ones: more
 * than a segment of the usual size can have.
 */
#define NEWS_TOLD 1048576u
#define NEWS_TOLD_SPARE 65536u /* that go at once, to make room */

struct span__news_state {
	uint8_t uuid[16]; /* of the store */
	struct span_store_mark mark;
	struct span__ids waiting; /* matching traces; key: last arrival */
	struct span__ids told;	  /* key: their number, from 1 */
	uint64_t n_told;
};

SPAN_NODISCARD int span__news_state_init(struct span__news_state *s,
					 struct span_error *err);
/* Remember ID as told. 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__news_state_tell(struct span__news_state *s,
					 const uint8_t id[16],
					 struct span_error *err);

/*
 * As text, whose format is span__news_state_write()'s own:
 *
 *	span-cursor 1
 *	uuid 4f3c1a52-9e0b-4c7d-8a61-52d7e9b0c3f4
 *	seq 123
 *	arrival 1795341600000000000
 *	waiting TRACE-ID ARRIVAL	any number
 *	told TRACE-ID			any number, oldest first
 *	crc32c 5d0f9e1b			of all bytes before
 *
 * Read returns 0; SPAN_E_CORRUPT with the offset in err->pos; SPAN_E_FORMAT
 * when a later version wrote it; SPAN_E_NOMEM. S is initialised before.
 */
void span__news_state_write(struct span__news_state *s, struct span_buf *out);
SPAN_NODISCARD int span__news_state_read(struct span__news_state *s,
					 struct span_str text,
					 struct span_error *err);
void span__news_state_release(struct span__news_state *s);

#endif
