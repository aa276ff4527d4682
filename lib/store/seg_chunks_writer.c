/* SPDX-License-Identifier: Apache-2.0 */
#include "store/seg_chunks.h"

#include <stdlib.h>
#include <string.h>

#include "base/le.h"
#include "store/seg_codec.h"

#include "base/banned.h"

struct span__chunks_writer {
	enum span__seg_codec codec;
	struct span__codec state;
	uint32_t codecs;       /* a bit for each that was used */
	struct span_buf index; /* an entry for each chunk */
	struct span_buf data;  /* the chunks */
	uint64_t len;	       /* of the sequence */
	size_t pending;	       /* bytes of the chunk that is filled */
	char chunk[SEG_CHUNK], packed[SEG_CHUNK];
};

int span__chunks_writer_open(struct span__chunks_writer **out,
			     enum span__seg_codec codec, struct span_error *err)
{
	struct span__chunks_writer *w;

	*out = NULL;
	if (!span__codec_known((unsigned)codec))
		return span_error_set(err, SPAN_E_INVALID,
				      "this build cannot compress with codec "
				      "%d",
				      (int)codec);
	w = calloc(1, sizeof(*w));
	if (!w)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	w->codec = codec;
	*out = w;
	return 0;
}

static void end_chunk(struct span__chunks_writer *w)
{
	size_t n = span__codec_pack(&w->state, w->codec, w->chunk, w->pending,
				    w->packed);
	unsigned codec = n ? (unsigned)w->codec : SEG_CODEC_NONE;
	uint8_t entry[CHUNKS_ENTRY];

	if (n)
		span_buf_put(&w->data, w->packed, n);
	else
		span_buf_put(&w->data, w->chunk, w->pending);
	span__put64(entry, (uint64_t)w->data.len | (uint64_t)codec << 56);
	span_buf_put(&w->index, entry, sizeof(entry));
	w->codecs |= 1u << codec;
	w->pending = 0;
}

uint64_t span__chunks_writer_put(struct span__chunks_writer *w, const void *p,
				 size_t len)
{
	const char *from = p;
	uint64_t pos = w->len;

	w->len += len;
	while (len) {
		size_t room = SEG_CHUNK - w->pending;
		size_t n = len < room ? len : room;

		memcpy(w->chunk + w->pending, from, n);
		w->pending += n;
		from += n;
		len -= n;
		if (w->pending == SEG_CHUNK)
			end_chunk(w);
	}
	return pos;
}

uint64_t span__chunks_writer_len(const struct span__chunks_writer *w)
{
	return w->len;
}

size_t span__chunks_writer_memory(const struct span__chunks_writer *w)
{
	return sizeof(*w) + w->index.cap + w->data.cap +
	       span__codec_memory(&w->state);
}

int span__chunks_writer_finish(struct span__chunks_writer *w,
			       struct span_buf *out, struct span_error *err)
{
	uint8_t header[CHUNKS_HEADER];

	if (!w->len)
		return 0;
	if (w->pending)
		end_chunk(w);
	span__put64(header, w->len);
	span__put32(header + 8, (uint32_t)(w->index.len / CHUNKS_ENTRY));
	span__put32(header + 12, w->codecs);
	span_buf_put(out, header, sizeof(header));
	span_buf_put(out, w->index.p, w->index.len);
	span_buf_put(out, w->data.p, w->data.len);
	if (out->failed || w->index.failed || w->data.failed)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	return 0;
}

void span__chunks_writer_close(struct span__chunks_writer **writer)
{
	struct span__chunks_writer *w = *writer;

	if (!w)
		return;
	span__codec_release(&w->state);
	span_buf_release(&w->index);
	span_buf_release(&w->data);
	free(w);
	*writer = NULL;
}
