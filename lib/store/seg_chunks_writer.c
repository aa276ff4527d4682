/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks are compressed a few at a time, each by itself, so that threads can
 * share them out; one thread does one at a time.
 */
#include "store/seg_chunks.h"

#include <stdlib.h>
#include <string.h>

#include "base/le.h"
#include "base/parallel.h"
#include "store/seg_codec.h"

#include "base/banned.h"

#define EACH 4u /* chunks that wait, of each thread */

struct waiting {
	size_t len, packed_len;
	char chunk[SEG_CHUNK], packed[SEG_CHUNK];
};

struct span__chunks_writer {
	enum span__seg_codec codec;
	unsigned threads;
	struct span__codec state[SEG_THREADS_MAX];
	uint32_t codecs;       /* a bit for each that was used */
	struct span_buf index; /* an entry for each chunk */
	struct span_buf data;  /* the chunks */
	uint64_t len;	       /* of the sequence */
	struct waiting *waiting;
	size_t n_waiting, filled; /* room for them; that are full */
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
	w->threads = 1;
	*out = w;
	return 0;
}

void span__chunks_writer_threads(struct span__chunks_writer *w,
				 unsigned threads)
{
	if (!w->waiting)
		w->threads =
			threads < SEG_THREADS_MAX ? threads : SEG_THREADS_MAX;
}

/* The chunks that are THREAD's. */
static void pack_some(void *arg, size_t thread)
{
	struct span__chunks_writer *w = arg;

	for (size_t i = thread; i < w->filled; i += w->threads) {
		struct waiting *c = &w->waiting[i];

		c->packed_len = span__codec_pack(&w->state[thread], w->codec,
						 c->chunk, c->len, c->packed);
	}
}

static void put_chunk(struct span__chunks_writer *w, const struct waiting *c)
{
	unsigned codec = c->packed_len ? (unsigned)w->codec : SEG_CODEC_NONE;
	uint8_t entry[CHUNKS_ENTRY];

	if (c->packed_len)
		span_buf_put(&w->data, c->packed, c->packed_len);
	else
		span_buf_put(&w->data, c->chunk, c->len);
	span__put64(entry, (uint64_t)w->data.len | (uint64_t)codec << 56);
	span_buf_put(&w->index, entry, sizeof(entry));
	w->codecs |= 1u << codec;
}

static void pack_all(struct span__chunks_writer *w)
{
	span__parallel(w->threads, w->threads, pack_some, w);
	for (size_t i = 0; i < w->filled; i++)
		put_chunk(w, &w->waiting[i]);
	w->filled = 0;
	w->waiting[0].len = 0;
}

/* Memory for what waits, when the first bytes come. */
static bool begin(struct span__chunks_writer *w)
{
	size_t n = w->threads > 1 ? w->threads * EACH : 1;

	if (w->waiting || w->data.failed)
		return w->waiting;
	w->waiting = malloc(n * sizeof(*w->waiting));
	if (!w->waiting) {
		w->data.failed = true;
		return false;
	}
	w->waiting[0].len = 0;
	w->n_waiting = n;
	return true;
}

static void end_chunk(struct span__chunks_writer *w)
{
	if (++w->filled == w->n_waiting)
		pack_all(w);
	else
		w->waiting[w->filled].len = 0;
}

uint64_t span__chunks_writer_put(struct span__chunks_writer *w, const void *p,
				 size_t len)
{
	const char *from = p;
	uint64_t pos = w->len;

	w->len += len;
	if (!begin(w))
		return pos;
	while (len) {
		struct waiting *c = &w->waiting[w->filled];
		size_t room = SEG_CHUNK - c->len;
		size_t n = len < room ? len : room;

		memcpy(c->chunk + c->len, from, n);
		c->len += n;
		from += n;
		len -= n;
		if (c->len == SEG_CHUNK)
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
	size_t codecs = 0;

	for (unsigned i = 0; i < w->threads; i++)
		codecs += span__codec_memory(&w->state[i]);
	return sizeof(*w) + w->index.cap + w->data.cap +
	       w->n_waiting * sizeof(*w->waiting) + codecs;
}

static void put_last(struct span__chunks_writer *w)
{
	if (!w->waiting)
		return;
	w->filled += w->waiting[w->filled].len != 0;
	if (w->filled)
		pack_all(w);
}

static void get_header(const struct span__chunks_writer *w,
		       uint8_t header[CHUNKS_HEADER])
{
	span__put64(header, w->len);
	span__put32(header + 8, (uint32_t)(w->index.len / CHUNKS_ENTRY));
	span__put32(header + 12, w->codecs);
}

static int check(const struct span__chunks_writer *w, bool failed,
		 struct span_error *err)
{
	if (failed || w->index.failed || w->data.failed)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	return 0;
}

int span__chunks_writer_finish(struct span__chunks_writer *w,
			       struct span_buf *out, struct span_error *err)
{
	uint8_t header[CHUNKS_HEADER];

	if (!w->len)
		return 0;
	put_last(w);
	get_header(w, header);
	span_buf_put(out, header, sizeof(header));
	span_buf_put(out, w->index.p, w->index.len);
	span_buf_put(out, w->data.p, w->data.len);
	return check(w, out->failed, err);
}

int span__chunks_writer_write(struct span__chunks_writer *w,
			      struct span__seg_writer *to,
			      enum span__seg_section type,
			      struct span_error *err)
{
	uint8_t header[CHUNKS_HEADER];
	int rc;

	if (!w->len)
		return 0;
	put_last(w);
	get_header(w, header);
	rc = check(w, false, err);
	if (!rc)
		rc = span__seg_writer_begin(to, type, err);
	if (!rc)
		rc = span__seg_writer_add(to, header, sizeof(header), err);
	if (!rc)
		rc = span__seg_writer_add(to, w->index.p, w->index.len, err);
	return rc ? rc : span__seg_writer_add(to, w->data.p, w->data.len, err);
}

void span__chunks_writer_close(struct span__chunks_writer **writer)
{
	struct span__chunks_writer *w = *writer;

	if (!w)
		return;
	for (unsigned i = 0; i < SEG_THREADS_MAX; i++)
		span__codec_release(&w->state[i]);
	span_buf_release(&w->index);
	span_buf_release(&w->data);
	free(w->waiting);
	free(w);
	*writer = NULL;
}
