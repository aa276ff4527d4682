/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/tcp_pieces.h - what came of a stream before its turn
 *
 * Sequence numbers are counted from one that is before all of them and less
 * than 2^31 away, so that they may wrap.
 */
#ifndef NET_TCP_PIECES_H
#define NET_TCP_PIECES_H

#include <span/base.h>

#define SPAN__TCP_PIECE_COST 128u /* bytes of memory besides the data */

struct span__tcp_piece {
	uint32_t seq; /* of the first byte */
	uint32_t len;
	uint32_t missing;      /* bytes after them that the capture has not */
	bool begins, disputed; /* as in struct span__tcp_bytes */
	uint64_t time_ns;
	uint8_t *p; /* LEN bytes: not there when it is 0 */
};

/* In order and without overlaps. A zeroed struct is empty. */
struct span__tcp_pieces {
	struct span__tcp_piece *v;
	size_t first, n, cap; /* v[first] to v[n - 1] are there */
	size_t memory;
};

/*
 * Add a copy of the piece P, less what is there already; what is there in its
 * place with other bytes is marked as disputed. BASE is the sequence number
 * to count from. 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__tcp_pieces_add(struct span__tcp_pieces *s,
					uint32_t base,
					const struct span__tcp_piece *p,
					struct span_error *err);

/* The first piece, or NULL. */
const struct span__tcp_piece *
span__tcp_pieces_first(const struct span__tcp_pieces *s);

/* Take the first one out: its bytes are the caller's to free. */
struct span__tcp_piece span__tcp_pieces_take(struct span__tcp_pieces *s);

void span__tcp_pieces_release(struct span__tcp_pieces *s);

#endif
