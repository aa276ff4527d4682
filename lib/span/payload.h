/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/payload.h - read and write payload streams
 *
 * A payload is one message as it came from the network: a datagram, a body.
 * span-capture writes them, span-decode reads them; between the two they can
 * be kept and played again. span-payload(5) is the format.
 */
#ifndef SPAN_PAYLOAD_H
#define SPAN_PAYLOAD_H

#include <span/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPAN_PAYLOAD_MAX (32u << 20) /* bytes of one payload's data */
#define SPAN_PAYLOAD_TEXT 1024u	     /* bytes of peer and content type */

enum span_transport {
	SPAN_TRANSPORT_FILE = 0,
	SPAN_TRANSPORT_UDP,
	SPAN_TRANSPORT_HTTP,
	SPAN_TRANSPORT_GRPC,
};

/* What a payload says about itself. A view, like struct span. */
struct span_payload {
	uint64_t time_ns;     /* when it arrived, since the Unix epoch */
	struct span_str peer; /* "192.0.2.1:4711", "[2001:db8::1]:4711", "" */
	uint16_t port;	      /* the local port it was sent to; 0: none */
	uint8_t transport;    /* enum span_transport */
	bool truncated;	      /* the data is not all that was sent */
	struct span_str content_type; /* of an HTTP body; else empty */
	struct span_str path;	      /* of an HTTP or gRPC request */
	struct span_str data;
};

struct span_payload_writer;
struct span_payload_reader;

/* As span_writer_*: FD is borrowed; put copies; flush writes what waits. */
SPAN_API SPAN_NODISCARD int
span_payload_writer_open(struct span_payload_writer **out, int fd,
			 struct span_error *err);
/*
 * 0; SPAN_E_LIMIT when a field is above its limit (nothing is written);
 * SPAN_E_PIPE, SPAN_E_IO, SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int
span_payload_writer_put(struct span_payload_writer *w,
			const struct span_payload *p, struct span_error *err);
SPAN_API SPAN_NODISCARD int
span_payload_writer_flush(struct span_payload_writer *w,
			  struct span_error *err);
SPAN_API void span_payload_writer_close(struct span_payload_writer **w);

/*
 * Append one payload to a buffer: what span_payload_writer_put() does, for
 * callers with a queue of their own. 0, SPAN_E_LIMIT or SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_payload_encode(struct span_buf *b,
						const struct span_payload *p,
						struct span_error *err);

struct span_writer;
struct span_payload_reader_opts {
	struct span_writer *tie; /* as in struct span_reader_opts */
	bool skip_bad;		 /* after damage go on at the next payload */
	struct span_str head;	 /* bytes that were read already; copied */
};

SPAN_API SPAN_NODISCARD int
span_payload_reader_open(struct span_payload_reader **out, int fd,
			 const struct span_payload_reader_opts *o,
			 struct span_error *err);
SPAN_API SPAN_NODISCARD int span_payload_reader_open_mem(
	struct span_payload_reader **out, const void *p, size_t len,
	const struct span_payload_reader_opts *o, struct span_error *err);

/*
 * 1 with *P filled, valid until the next call; 0 at the end between two
 * payloads; or a negative code with the contract of span_reader_next().
 */
SPAN_API SPAN_NODISCARD int
span_payload_reader_next(struct span_payload_reader *r, struct span_payload *p,
			 struct span_error *err);
/* Offset in the input at which the last returned payload began. */
SPAN_API uint64_t span_payload_reader_pos(const struct span_payload_reader *r);
SPAN_API uint64_t span_payload_reader_skipped(
	const struct span_payload_reader *r, uint64_t *places);
SPAN_API void span_payload_reader_close(struct span_payload_reader **r);

/*
 * True when the LEN bytes at P begin like a payload stream (or a span
 * stream), so that a command can say which program would read them.
 */
SPAN_API bool span_payload_detect(const void *p, size_t len);
SPAN_API bool span_stream_detect(const void *p, size_t len);

#ifdef __cplusplus
}
#endif
#endif
