/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream that has ended stays in the table for a while, without data: its
 * packets that are sent again must not begin it anew.
 */
#include "net/tcp.h"

#include <stdlib.h>
#include <string.h>

#include "net/packet_window.h"
#include "net/tcp_table.h"

#include "base/banned.h"

#define HEADER 20u
#define FLAG_FIN 1u
#define FLAG_SYN 2u
#define FLAG_RST 4u
#define FLAG_ACK 16u

struct span__tcp {
	struct span__tcp_sink sink;
	const uint16_t *ports;
	size_t n_ports;
	struct span__tcp_table table;
	size_t memory;
};

/* A packet, taken apart. */
struct segment {
	struct span__tcp_ends ends;
	uint8_t flags;
	uint32_t seq, len;
	uint32_t missing; /* bytes after LEN that were sent */
	const uint8_t *p;
	uint64_t time_ns;
};

int span__tcp_open(struct span__tcp **out, const uint16_t *ports,
		   size_t n_ports, const struct span__tcp_sink *sink,
		   struct span_error *err)
{
	struct span__tcp *t = calloc(1, sizeof(*t));
	int rc;

	*out = NULL;
	if (!t)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	t->sink = *sink;
	t->ports = ports;
	t->n_ports = n_ports;
	rc = span__tcp_table_init(&t->table, err);
	if (rc < 0)
		span__tcp_close(&t);
	*out = t;
	return rc;
}

static void count_memory(struct span__tcp *t, struct span__tcp_stream *s)
{
	size_t now = sizeof(*s) + s->pieces.memory;

	if (s->taken)
		now += t->sink.memory(s->taken);
	t->memory += now - s->memory;
	s->memory = now;
}

/* ---- the bytes of a stream, in order ---- */

static void close_taken(struct span__tcp *t, struct span__tcp_stream *s)
{
	if (s->taken)
		t->sink.close(s->taken);
	s->taken = NULL;
	span__tcp_pieces_release(&s->pieces);
	s->deaf = true;
	s->gap_ns = 0;
}

static int open_taken(struct span__tcp *t, struct span__tcp_stream *s,
		      struct span_error *err)
{
	if (s->taken)
		return 0;
	return t->sink.open(t->sink.arg, &s->ends, s->whole, &s->taken, err);
}

static int hand_on(struct span__tcp *t, struct span__tcp_stream *s,
		   const struct span__tcp_bytes *b, struct span_error *err)
{
	int rc;

	s->next += (uint32_t)b->len;
	if (s->deaf || !b->len)
		return 0;
	rc = open_taken(t, s, err);
	if (rc >= 0)
		rc = t->sink.bytes(s->taken, b, err);
	if (rc > 0)
		close_taken(t, s);
	return rc < 0 ? rc : 0;
}

/* The next N bytes do not come any more. */
static int leave_gap(struct span__tcp *t, struct span__tcp_stream *s,
		     uint32_t n, enum span__drop cause, struct span_error *err)
{
	int rc;

	s->next += n;
	if (s->deaf)
		return 0;
	rc = open_taken(t, s, err);
	if (rc >= 0)
		rc = t->sink.gap(s->taken, n, cause);
	if (rc > 0)
		close_taken(t, s);
	return rc < 0 ? rc : 0;
}

static int32_t distance(uint32_t from, uint32_t to)
{
	return (int32_t)(to - from);
}

/* Take bytes that are due, or were handed on already. */
static int take_bytes(struct span__tcp *t, struct span__tcp_stream *s,
		      const struct span__tcp_piece *p, uint64_t time_ns,
		      struct span_error *err)
{
	uint32_t old = s->next - p->seq;
	struct span__tcp_bytes b = {
		.time_ns = time_ns,
		.begins = p->begins && !old,
		.disputed = p->disputed,
	};

	if (old >= p->len)
		return 0;
	b.p = p->p + old;
	b.len = p->len - old;
	return hand_on(t, s, &b, err);
}

/* What piece P was cut by is a gap, unless a packet repeated it. */
static int leave_missing(struct span__tcp *t, struct span__tcp_stream *s,
			 const struct span__tcp_piece *p,
			 struct span_error *err)
{
	const struct span__tcp_piece *more = span__tcp_pieces_first(&s->pieces);
	int32_t n = distance(s->next, p->seq + p->len + p->missing);

	if (!p->missing || n <= 0)
		return 0;
	if (more) {
		int32_t until = distance(s->next, more->seq);

		if (until < n)
			n = until;
	}
	if (n <= 0)
		return 0;
	return leave_gap(t, s, (uint32_t)n, SPAN__DROP_TRUNCATED, err);
}

/* Hand on the pieces that are due; nothing of them came before SINCE_NS. */
static int drain(struct span__tcp *t, struct span__tcp_stream *s,
		 uint64_t since_ns, struct span_error *err)
{
	const struct span__tcp_piece *first;
	int rc = 0;

	while (rc >= 0 && (first = span__tcp_pieces_first(&s->pieces)) &&
	       distance(s->next, first->seq) <= 0) {
		struct span__tcp_piece p = span__tcp_pieces_take(&s->pieces);

		rc = take_bytes(t, s, &p,
				p.time_ns > since_ns ? p.time_ns : since_ns,
				err);
		if (rc >= 0)
			rc = leave_missing(t, s, &p, err);
		free(p.p);
	}
	return rc;
}

static bool is_waiting(const struct span__tcp_stream *s)
{
	return !s->deaf &&
	       (s->pieces.n || (s->fin && distance(s->next, s->fin_seq) > 0));
}

/* What is missing before the first piece, or before the end, is lost. */
static int skip_gap(struct span__tcp *t, struct span__tcp_stream *s,
		    struct span_error *err)
{
	const struct span__tcp_piece *first =
		span__tcp_pieces_first(&s->pieces);
	uint32_t to = first ? first->seq : s->fin_seq;
	int rc;

	rc = leave_gap(t, s, to - s->next, SPAN__DROP_INCOMPLETE, err);
	return rc < 0 ? rc : drain(t, s, 0, err);
}

static int skip_gaps(struct span__tcp *t, struct span__tcp_stream *s,
		     struct span_error *err)
{
	int rc = 0;

	while (rc >= 0 && is_waiting(s))
		rc = skip_gap(t, s, err);
	return rc;
}

/* ---- the life of a stream ---- */

static int end_stream(struct span__tcp *t, struct span__tcp_stream *s,
		      struct span_error *err)
{
	int rc = skip_gaps(t, s, err);

	close_taken(t, s);
	s->closed = true;
	return rc;
}

static void remove_stream(struct span__tcp *t, struct span__tcp_stream *s)
{
	close_taken(t, s);
	t->memory -= s->memory;
	span__tcp_table_remove(&t->table, s);
}

static int give_up(struct span__tcp *t, struct span__tcp_stream *s,
		   struct span_error *err)
{
	int rc = end_stream(t, s, err);

	remove_stream(t, s);
	return rc;
}

static int expire(struct span__tcp *t, uint64_t now_ns, struct span_error *err)
{
	int rc = 0;

	/* A clock that went back makes nothing old. */
	while (rc >= 0 && t->table.oldest &&
	       now_ns > t->table.oldest->last_ns &&
	       now_ns - t->table.oldest->last_ns > SPAN__TCP_IDLE_NS)
		rc = give_up(t, t->table.oldest, err);
	return rc;
}

static int add_stream(struct span__tcp *t, const struct segment *g,
		      struct span__tcp_stream **out, struct span_error *err)
{
	struct span__tcp_stream *s;
	int rc;

	if (t->table.n == SPAN__TCP_STREAMS) {
		rc = give_up(t, t->table.oldest, err);
		if (rc < 0)
			return rc;
	}
	s = span__tcp_table_add(&t->table, &g->ends);
	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	s->start = s->next = g->seq;
	*out = s;
	return 0;
}

/* A connection begins: what had the same ends before is over. */
static int begin(struct span__tcp *t, struct span__tcp_stream **sp,
		 const struct segment *g, struct span_error *err)
{
	struct span__tcp_stream *s = *sp;
	int rc = 0;

	if (s && s->start == g->seq) { /* sent once more, or late */
		s->whole = true;
		return 0;
	}
	if (s)
		rc = give_up(t, s, err);
	*sp = NULL;
	if (rc >= 0)
		rc = add_stream(t, g, sp, err);
	if (rc >= 0)
		(*sp)->whole = true;
	return rc;
}

/* ---- packets ---- */

static bool is_wanted(const struct span__tcp *t, uint16_t port)
{
	for (size_t i = 0; i < t->n_ports; i++)
		if (t->ports[i] == port)
			return true;
	return !t->n_ports;
}

/* False when it is no packet to a wanted port. */
static bool take_apart(const struct span__tcp *t,
		       const struct span__tcp_packet *p, struct segment *g)
{
	size_t header;

	if (p->len < HEADER || !is_wanted(t, span__get16(p->p + 2)))
		return false;
	header = (p->p[12] >> 4) * 4u;
	if (header < HEADER || header > p->wire_len)
		return false;
	memset(g, 0, sizeof(*g)); /* the padding of ENDS is hashed */
	g->ends.family_size = p->family_size;
	memcpy(g->ends.source, p->source, p->family_size);
	memcpy(g->ends.target, p->target, p->family_size);
	g->ends.source_port = span__get16(p->p);
	g->ends.target_port = span__get16(p->p + 2);
	g->flags = p->p[13];
	g->seq = span__get32(p->p + 4) + (g->flags & FLAG_SYN ? 1 : 0);
	g->time_ns = p->time_ns;
	if (p->len > header) {
		g->p = p->p + header;
		g->len = (uint32_t)(p->len - header);
	}
	g->missing = (uint32_t)(p->wire_len - header) - g->len;
	return true;
}

static int take_data(struct span__tcp *t, struct span__tcp_stream *s,
		     const struct segment *g, struct span_error *err)
{
	struct span__tcp_piece p = {
		.seq = g->seq,
		.len = g->len,
		.missing = g->missing,
		.begins = true,
		.time_ns = g->time_ns,
		.p = (uint8_t *)(uintptr_t)g->p, /* copied before it is kept */
	};
	int32_t ahead = distance(s->next, g->seq);
	int rc;

	if (ahead <= 0 && !span__tcp_pieces_first(&s->pieces)) {
		rc = take_bytes(t, s, &p, g->time_ns, err);
		return rc < 0 ? rc : leave_missing(t, s, &p, err);
	}
	if (ahead < 0 && (uint32_t)-ahead < p.len) {
		p.seq += (uint32_t)-ahead;
		p.len -= (uint32_t)-ahead;
		p.p += -ahead;
		p.begins = false;
	} else if (ahead < 0) {
		return 0; /* sent once more */
	}
	rc = span__tcp_pieces_add(&s->pieces, s->next, &p, err);
	return rc < 0 ? rc : drain(t, s, g->time_ns, err);
}

/* How long a gap is there, and how much waits behind it, is bounded. */
static int bound(struct span__tcp *t, struct span__tcp_stream *s,
		 uint32_t before, uint64_t now_ns, struct span_error *err)
{
	int rc = 0;

	if (!is_waiting(s)) {
		s->gap_ns = 0;
		return 0;
	}
	if (!s->gap_ns || s->next != before)
		s->gap_ns = now_ns;
	if (now_ns > s->gap_ns && now_ns - s->gap_ns > SPAN__TCP_GAP_NS)
		return skip_gaps(t, s, err);
	while (rc >= 0 && is_waiting(s) &&
	       (s->pieces.memory > SPAN__TCP_WAITING ||
		s->pieces.n - s->pieces.first > SPAN__TCP_PIECES))
		rc = skip_gap(t, s, err);
	return rc;
}

static int take_segment(struct span__tcp *t, struct span__tcp_stream *s,
			const struct segment *g, struct span_error *err)
{
	uint32_t before = s->next, end = g->seq + g->len + g->missing;
	int rc = 0;

	if (s->deaf && distance(s->next, end) > 0)
		s->next = end;
	else if (!s->deaf && end != g->seq)
		rc = take_data(t, s, g, err);
	if (g->flags & FLAG_FIN) {
		s->fin = true;
		s->fin_seq = end;
	}
	if (rc >= 0)
		rc = bound(t, s, before, g->time_ns, err);
	if (rc >= 0 && (g->flags & FLAG_RST ||
			(s->fin && distance(s->next, s->fin_seq) <= 0)))
		rc = end_stream(t, s, err);
	return rc;
}

/*
 * A segment far away belongs to another connection, or to none. One that has
 * ended makes place for it.
 */
static int find_stream(struct span__tcp *t, const struct segment *g,
		       struct span__tcp_stream **out, struct span_error *err)
{
	struct span__tcp_stream *s = span__tcp_table_find(&t->table, &g->ends);
	int32_t ahead = s ? distance(s->next, g->seq) : 0;

	*out = s;
	if (g->flags & FLAG_SYN)
		return g->flags & (FLAG_ACK | FLAG_RST) ? 0
							: begin(t, out, g, err);
	if (ahead > (int32_t)SPAN__TCP_WINDOW ||
	    ahead < -(int32_t)SPAN__TCP_WINDOW) {
		*out = NULL;
		if (!s->closed || g->flags & FLAG_RST)
			return 0;
		remove_stream(t, s);
	}
	if (*out || !g->len || g->flags & FLAG_RST)
		return 0;
	return add_stream(t, g, out, err);
}

int span__tcp_put(struct span__tcp *t, const struct span__tcp_packet *p,
		  struct span_error *err)
{
	struct segment g;
	struct span__tcp_stream *s;
	int rc;

	rc = expire(t, p->time_ns, err);
	if (rc < 0 || !take_apart(t, p, &g))
		return rc;
	rc = find_stream(t, &g, &s, err);
	if (rc < 0 || !s)
		return rc;
	span__tcp_table_touch(&t->table, s, g.time_ns);
	if (!s->closed)
		rc = take_segment(t, s, &g, err);
	count_memory(t, s);
	while (rc >= 0 && t->memory > SPAN__TCP_MEMORY && t->table.oldest != s)
		rc = give_up(t, t->table.oldest, err);
	return rc;
}

int span__tcp_finish(struct span__tcp *t, struct span_error *err)
{
	int rc = 0;

	while (t->table.oldest && rc >= 0)
		rc = give_up(t, t->table.oldest, err);
	return rc;
}

size_t span__tcp_streams(const struct span__tcp *t)
{
	return t->table.n;
}

size_t span__tcp_memory(const struct span__tcp *t)
{
	return t->memory;
}

void span__tcp_close(struct span__tcp **tp)
{
	struct span__tcp *t = *tp;

	*tp = NULL;
	if (!t)
		return;
	while (t->table.oldest)
		remove_stream(t, t->table.oldest);
	free(t);
}
