/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/split.h - files of any size to messages of bounded size
 *
 * A decoder takes a whole message in memory. A splitter reads a file and gives
 * it piece by piece: each line, each of JSON values end to end, each item of
 * a top-level array, of OTLP's resourceSpans, of the data of Jaeger's API.
 * What is no JSON is one piece.
 *
 * What is damaged costs as little as can be: in a file of JSON lines the line,
 * in a sequence of RFC 7464 the record, elsewhere what comes before the next
 * line that begins with { or [.
 */
#ifndef SPAN_SPLIT_H
#define SPAN_SPLIT_H

#include <span/codec.h>
#include <span/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct span_splitter;

/* What a file is that begins so, as far as it has to be known to split it. */
enum span_head {
	SPAN_HEAD_MORE,	   /* that is not known yet */
	SPAN_HEAD_SPACE,   /* nothing but space */
	SPAN_HEAD_JSON,	   /* of whatever format, damaged or not */
	SPAN_HEAD_CSV,	   /* with a header that is known */
	SPAN_HEAD_MESSAGE, /* one message of another format */
	SPAN_HEAD_UNKNOWN, /* no known format */
};

/*
 * What the LEN bytes at P begin; ALL: nothing follows them. More bytes do not
 * change an answer other than SPAN_HEAD_MORE, which is none above 1 MiB.
 */
SPAN_API enum span_head span_split_head(const void *p, size_t len, bool all);

struct span_splitter_opts {
	int format; /* enum span_format; 0: by the bytes */
	struct span_str
		head; /* of the input, which were read already; copied */
	size_t max;   /* bytes of a piece; 0: SPAN_MESSAGE_MAX */
	struct span_writer *tie; /* as in struct span_reader_opts */
};

/* A message for span_decoder_message(); valid until the next call. */
struct span_piece {
	int format; /* may be SPAN_FORMAT_AUTO */
	struct span_str data;
	uint64_t pos; /* where it begins in the input */
};

/* Read FD, or LEN bytes at P; both borrowed. O may be NULL. 0 or a code. */
SPAN_API SPAN_NODISCARD int
span_splitter_open(struct span_splitter **out, int fd,
		   const struct span_splitter_opts *o, struct span_error *err);
SPAN_API SPAN_NODISCARD int
span_splitter_open_mem(struct span_splitter **out, const void *p, size_t len,
		       const struct span_splitter_opts *o,
		       struct span_error *err);

/*
 * The next piece: 1; 0 at the end of the input. SPAN_E_LIMIT (a piece was too
 * long), SPAN_E_CORRUPT or SPAN_E_TRUNCATED: something was passed over, ERR
 * has the offset in the input, and the next call goes on behind it.
 * SPAN_E_IO, SPAN_E_NOMEM and what the writer returned are the end.
 */
SPAN_API SPAN_NODISCARD int span_splitter_next(struct span_splitter *s,
					       struct span_piece *piece,
					       struct span_error *err);

SPAN_API void span_splitter_close(struct span_splitter **s);

#ifdef __cplusplus
}
#endif
#endif
