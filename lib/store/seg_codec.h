/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_codec.h - how chunks are stored and compressed
 */
#ifndef SPAN_SEG_CODEC_H
#define SPAN_SEG_CODEC_H

#include "store/seg_chunks.h"

/*
 * The content of the section: length of the sequence (8 bytes), number of
 * chunks (4), a bit for each codec that occurs (4); an entry of 8 bytes for
 * each chunk, the end of its bytes and, in the highest byte, its codec; the
 * chunks.
 */
#define CHUNKS_HEADER 16u
#define CHUNKS_ENTRY 8u
#define CHUNKS_END (((uint64_t)1 << 56) - 1)

/* True when this build has the codec. */
bool span__codec_known(unsigned codec);

/*
 * Compress LEN bytes at P into OUT, which has room for LEN. Returns the length,
 * which is below LEN, or 0 when they do not become shorter (or memory is out).
 */
size_t span__codec_pack(struct span__codec *c, enum span__seg_codec codec,
			const void *p, size_t len, void *out);

/* Decompress LEN bytes at P to exactly OUT_LEN: false when that fails. */
bool span__codec_unpack(struct span__codec *c, unsigned codec, const void *p,
			size_t len, void *out, size_t out_len);

/* Bytes of memory it holds. */
size_t span__codec_memory(const struct span__codec *c);
void span__codec_release(struct span__codec *c);

#endif
