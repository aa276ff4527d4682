/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/tcp.h - put the segments of TCP connections in order
 *
 * Each direction of a connection is a stream of its own. Its bytes are handed
 * on in order and once, whatever came late, twice or overlapping; the first
 * bytes win. What never comes is a gap, after which the stream goes on.
 *
 * Memory, number and age of streams are bounded: what is over a bound goes on
 * as if its missing segments were lost, the stream longest without traffic
 * first. Source: RFC 9293.
 */
#ifndef NET_TCP_H
#define NET_TCP_H

#include <span/base.h>

#include "net/counts.h"

#define SPAN__TCP_STREAMS 4096u
#define SPAN__TCP_MEMORY (64u << 20)	/* bytes of all streams */
#define SPAN__TCP_WAITING (4u << 20)	/* bytes behind a gap, of a stream */
#define SPAN__TCP_PIECES 4096u		/* segments behind a gap, of a stream */
#define SPAN__TCP_WINDOW (64u << 20)	/* how far ahead a segment may be */
#define SPAN__TCP_GAP_NS 10000000000ull /* how long a gap may be filled */
#define SPAN__TCP_IDLE_NS 60000000000ull /* without a segment */

struct span__tcp_ends {
	uint8_t family_size; /* bytes of an address: 4 or 16 */
	uint8_t source[16], target[16];
	uint16_t source_port, target_port;
};

/* A packet: its IP addresses, and the bytes from the TCP header on. */
struct span__tcp_packet {
	uint8_t family_size;
	const uint8_t *source, *target;
	const uint8_t *p;
	size_t len;	 /* bytes at P */
	size_t wire_len; /* bytes that were sent: more when it was cut */
	uint64_t time_ns;
};

/* The next bytes of a stream. */
struct span__tcp_bytes {
	const uint8_t *p;
	size_t len;	  /* more than 0 */
	uint64_t time_ns; /* of the packet that made them come in order */
	bool begins;	  /* the first byte is the first one of a packet */
	bool disputed;	  /* packets had different bytes in their place */
};

/* Who takes the streams. A negative code ends all, and is handed on. */
struct span__tcp_sink {
	void *arg;
	/*
	 * A stream begins; WHOLE when with the connection. *STREAM is what
	 * the other calls get.
	 */
	int (*open)(void *arg, const struct span__tcp_ends *ends, bool whole,
		    void **stream, struct span_error *err);
	/* 1: none of the further bytes are wanted. */
	int (*bytes)(void *stream, const struct span__tcp_bytes *b,
		     struct span_error *err);
	/* LEN bytes are missing, for CAUSE. 1: as above. */
	int (*gap)(void *stream, uint32_t len, enum span__drop cause);
	/* Bytes that the stream holds. */
	size_t (*memory)(const void *stream);
	/* Nothing more comes. */
	void (*close)(void *stream);
};

struct span__tcp;

/* Streams to any of N_PORTS PORTS (borrowed), or to all when there is none. */
SPAN_NODISCARD int span__tcp_open(struct span__tcp **out, const uint16_t *ports,
				  size_t n_ports,
				  const struct span__tcp_sink *sink,
				  struct span_error *err);

/*
 * Take the next packet. 0; SPAN_E_NOMEM; SPAN_E_IO without randomness; or
 * what the sink returned.
 */
SPAN_NODISCARD int span__tcp_put(struct span__tcp *t,
				 const struct span__tcp_packet *p,
				 struct span_error *err);

/* The end: hand on what waits behind gaps, and close every stream. */
SPAN_NODISCARD int span__tcp_finish(struct span__tcp *t,
				    struct span_error *err);

/* Streams that are open, and bytes held for them. */
size_t span__tcp_streams(const struct span__tcp *t);
size_t span__tcp_memory(const struct span__tcp *t);

void span__tcp_close(struct span__tcp **t);

#endif
