/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/tcp_table.h - the streams that are followed
 *
 * A hash table with a key of its own, and a list by the time of the last
 * packet.
 */
#ifndef NET_TCP_TABLE_H
#define NET_TCP_TABLE_H

#include <span/base.h>

#include "base/hash.h"
#include "net/tcp.h"
#include "net/tcp_pieces.h"

#define SPAN__TCP_SLOTS (SPAN__TCP_STREAMS * 2) /* a power of two */

struct span__tcp_stream {
	struct span__tcp_ends ends;
	struct span__tcp_stream *older, *newer;
	void *taken; /* the sink's; NULL before the first byte and when deaf */
	bool whole;  /* its beginning was captured */
	bool deaf;   /* none of its bytes are wanted */
	bool closed; /* FIN or RST */
	bool fin;    /* FIN_SEQ is known */
	uint32_t start, next, fin_seq;
	uint64_t last_ns, gap_ns;
	struct span__tcp_pieces pieces;
	size_t memory; /* counted last */
};

struct span__tcp_table {
	struct span__key key;
	struct span__tcp_stream *slots[SPAN__TCP_SLOTS];
	struct span__tcp_stream *oldest, *newest;
	size_t n;
};

/* 0 or SPAN_E_IO. */
SPAN_NODISCARD int span__tcp_table_init(struct span__tcp_table *t,
					struct span_error *err);

/* The stream between E, whose padding is zero; or NULL. */
struct span__tcp_stream *span__tcp_table_find(const struct span__tcp_table *t,
					      const struct span__tcp_ends *e);

/* A new one, the newest; below SPAN__TCP_STREAMS. NULL without memory. */
struct span__tcp_stream *span__tcp_table_add(struct span__tcp_table *t,
					     const struct span__tcp_ends *e);

/* A packet of it came: it is the newest. */
void span__tcp_table_touch(struct span__tcp_table *t,
			   struct span__tcp_stream *s, uint64_t time_ns);

/* Free it. What it points to is the caller's. */
void span__tcp_table_remove(struct span__tcp_table *t,
			    struct span__tcp_stream *s);

#endif
