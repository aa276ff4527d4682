/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_chunks.h - a long sequence of bytes, compressed in chunks
 *
 * Chunks of 64 KiB, the last one shorter, each with its own codec (none, zlib,
 * zstd) and length, so that any of them is decompressed alone.
 */
#ifndef SPAN_SEG_CHUNKS_H
#define SPAN_SEG_CHUNKS_H

#include "store/seg_ints.h"

#define SEG_CHUNK (64u << 10)
#define SEG_THREADS_MAX 16u	       /* that write */
#define SEG_CHUNKS_GET_MAX (64u << 20) /* bytes that are had at once */

enum span__seg_codec { SEG_CODEC_NONE = 0, SEG_CODEC_ZLIB, SEG_CODEC_ZSTD };

/* The best one that this build has: zstd, else zlib. */
enum span__seg_codec span__seg_codec_best(void);

struct span__chunks_writer;

/* 0; SPAN_E_INVALID when this build has no such codec; SPAN_E_NOMEM. */
SPAN_NODISCARD int span__chunks_writer_open(struct span__chunks_writer **out,
					    enum span__seg_codec codec,
					    struct span_error *err);
/*
 * Compress with THREADS threads. What comes out is the same; it takes memory
 * for so many times 4 chunks.
 */
void span__chunks_writer_threads(struct span__chunks_writer *w,
				 unsigned threads);
/* Append bytes; returns the offset of the first in the sequence. Sticky
 * errors come out of finish. */
uint64_t span__chunks_writer_put(struct span__chunks_writer *w, const void *p,
				 size_t len);
/* Length of the sequence so far. */
uint64_t span__chunks_writer_len(const struct span__chunks_writer *w);
/* Memory that it holds. */
size_t span__chunks_writer_memory(const struct span__chunks_writer *w);
/* Append all of it to OUT: the content of a section. 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__chunks_writer_finish(struct span__chunks_writer *w,
					      struct span_buf *out,
					      struct span_error *err);
/* The same as section TYPE of a file that is written; codes of the writer. */
SPAN_NODISCARD int span__chunks_writer_write(struct span__chunks_writer *w,
					     struct span__seg_writer *to,
					     enum span__seg_section type,
					     struct span_error *err);
void span__chunks_writer_close(struct span__chunks_writer **w);

/* Reading: the last chunks that were read are kept decompressed. */
struct span__chunks;

/*
 * Open the section AREA; an empty area is an empty sequence. 0; SPAN_E_NOMEM;
 * SPAN_E_CORRUPT; SPAN_E_FORMAT when a codec is used that this build lacks.
 */
SPAN_NODISCARD int span__chunks_open(struct span__chunks **out,
				     const struct span__area *area,
				     struct span_error *err);
uint64_t span__chunks_len(const struct span__chunks *c);
/*
 * The LEN bytes at POS: in *OUT, valid until the next call. A piece that goes
 * over chunks is put together. False when damaged (the file is marked bad),
 * longer than SEG_CHUNKS_GET_MAX, or memory is out.
 */
bool span__chunks_get(struct span__chunks *c, uint64_t pos, size_t len,
		      struct span_str *out);
/*
 * The chunk that has the byte at POS: *OUT, as long, which begins at *BEGIN.
 * False likewise.
 */
bool span__chunks_around(struct span__chunks *c, uint64_t pos, uint64_t *begin,
			 struct span_str *out);
/* Memory that it holds. */
size_t span__chunks_held(const struct span__chunks *c);
void span__chunks_close(struct span__chunks **c);

#endif
