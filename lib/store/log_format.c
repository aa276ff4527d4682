/* SPDX-License-Identifier: Apache-2.0 */
#include "store/log_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/le.h"

#include "base/banned.h"

static const uint8_t header_magic[8] = {0x89, 'S', 'P', 'A',
					'N',  'L', 'O', 'G'};
static const uint8_t trailer_magic[8] = {0x89, 'S', 'P', 'A',
					 'N',  'E', 'N', 'D'};
static const uint8_t record_mark[4] = {'S', 'R', 'E', 'C'};
static const uint8_t section_mark[4] = {'S', 'S', 'E', 'C'};

uint32_t span__log_seed(const struct span__log_id *id, uint64_t pos)
{
	uint8_t bytes[32];

	memcpy(bytes, id->uuid, 16);
	span__put64(bytes + 16, id->number);
	span__put64(bytes + 24, pos);
	return span__crc32c(0, bytes, sizeof(bytes));
}

int span__features_check(const struct span__features *f, bool writer,
			 struct span_error *err)
{
	if (f->incompat)
		return span_error_set(err, SPAN_E_FORMAT,
				      "a later version wrote it");
	if (writer && f->ro_compat)
		return span_error_set(err, SPAN_E_FORMAT,
				      "a later version wrote it, and this "
				      "one can only read it");
	return 0;
}

void span__log_header_put(uint8_t out[LOG_HEADER],
			  const struct span__log_header *h)
{
	memset(out, 0, LOG_HEADER);
	memcpy(out, header_magic, sizeof(header_magic));
	span__put16(out + 8, LOG_MAJOR);
	span__put32(out + 12, LOG_HEADER);
	span__put64(out + 16, h->features.compat);
	span__put64(out + 24, h->features.ro_compat);
	span__put64(out + 32, h->features.incompat);
	memcpy(out + 40, h->id.uuid, 16);
	span__put64(out + 56, h->id.number);
	span__put64(out + 64, h->first_seq);
	span__put64(out + 72, h->created_ns);
	span__put64(out + 80, h->created_boot_ns);
	memcpy(out + 88, h->boot_id, 16);
	span__put32(out + 104, h->sync_mode);
	span__put32(out + 108, h->sync_delay_us);
	span__put64(out + 112, h->sync_bytes);
	span__put32(out + 124, span__crc32c(0, out, 124));
}

int span__log_header_get(struct span__log_header *out, const uint8_t *p,
			 size_t len, bool writer, struct span_error *err)
{
	uint32_t header_len;

	if (len < LOG_HEADER || memcmp(p, header_magic, sizeof(header_magic)))
		return span_error_at(err, SPAN_E_CORRUPT, 0, "no log header");
	header_len = span__get32(p + 12);
	if (header_len < LOG_HEADER || header_len > LOG_HEADER_MAX ||
	    header_len % LOG_ALIGN || header_len > len)
		return span_error_at(err, SPAN_E_CORRUPT, 12,
				     "bad length of the log header");
	if (span__get32(p + header_len - 4) !=
	    span__crc32c(0, p, header_len - 4))
		return span_error_at(err, SPAN_E_CORRUPT, 0,
				     "bad checksum of the log header");
	if (span__get16(p + 8) != LOG_MAJOR)
		return span_error_set(err, SPAN_E_FORMAT,
				      "a later version wrote it");
	*out = (struct span__log_header){
		.features = {span__get64(p + 16), span__get64(p + 24),
			     span__get64(p + 32)},
		.header_len = header_len,
		.first_seq = span__get64(p + 64),
		.created_ns = span__get64(p + 72),
		.created_boot_ns = span__get64(p + 80),
		.sync_mode = span__get32(p + 104),
		.sync_delay_us = span__get32(p + 108),
		.sync_bytes = span__get64(p + 112),
	};
	memcpy(out->id.uuid, p + 40, 16);
	out->id.number = span__get64(p + 56);
	memcpy(out->boot_id, p + 88, 16);
	return span__features_check(&out->features, writer, err);
}

/*
 * The CRC of the whole record leaves out the header's own CRC, and itself.
 */
static uint32_t record_crc(const struct span__log_id *id, uint64_t pos,
			   const uint8_t *header, const void *rest, size_t len)
{
	uint32_t crc = span__crc32c(span__log_seed(id, pos), header + 8, 44);

	return span__crc32c(crc, rest, len);
}

static uint32_t record_header_crc(const struct span__log_id *id, uint64_t pos,
				  const uint8_t *header)
{
	return span__crc32c(span__log_seed(id, pos), header + 8,
			    LOG_RECORD - 8);
}

void span__log_record_put(uint8_t out[LOG_RECORD],
			  const struct span__log_id *id,
			  const struct span__log_record *rec,
			  const void *payload)
{
	static const uint8_t zero[LOG_ALIGN];
	size_t pad = span__log_record_size(rec->len) - LOG_RECORD - rec->len;
	uint32_t crc;

	memcpy(out, record_mark, sizeof(record_mark));
	span__put32(out + 8, rec->len);
	span__put16(out + 12, rec->type);
	span__put16(out + 14, rec->flags);
	span__put64(out + 16, rec->seq);
	span__put64(out + 24, rec->arrival_ns);
	span__put64(out + 32, rec->min_start_ns);
	span__put64(out + 40, rec->max_end_ns);
	span__put32(out + 48, rec->n_spans);
	crc = record_crc(id, rec->pos, out, payload, rec->len);
	span__put32(out + 52, span__crc32c(crc, zero, pad));
	span__put32(out + 4, record_header_crc(id, rec->pos, out));
}

bool span__log_record_get(struct span__log_record *out,
			  const struct span__log_id *id, const uint8_t *p,
			  uint64_t pos)
{
	uint32_t len = span__get32(p + 8);

	if (memcmp(p, record_mark, sizeof(record_mark)) || !len ||
	    len > LOG_PAYLOAD_MAX)
		return false;
	if (span__get32(p + 4) != record_header_crc(id, pos, p))
		return false;
	*out = (struct span__log_record){
		.pos = pos,
		.len = len,
		.type = span__get16(p + 12),
		.flags = span__get16(p + 14),
		.seq = span__get64(p + 16),
		.arrival_ns = span__get64(p + 24),
		.min_start_ns = span__get64(p + 32),
		.max_end_ns = span__get64(p + 40),
		.n_spans = span__get32(p + 48),
		.crc = span__get32(p + 52),
	};
	return true;
}

bool span__log_record_verify(const struct span__log_record *rec,
			     const struct span__log_id *id, const uint8_t *p)
{
	return rec->crc ==
	       record_crc(id, rec->pos, p, p + LOG_RECORD,
			  span__log_record_size(rec->len) - LOG_RECORD);
}

void span__log_section_put(struct span_buf *out, const struct span__log_id *id,
			   uint64_t pos, uint32_t type, const void *content,
			   uint32_t len)
{
	size_t size = span__log_section_size(len);
	uint8_t *p = (uint8_t *)span_buf_reserve(out, size);

	if (!p)
		return;
	memset(p + size - LOG_ALIGN, 0, LOG_ALIGN);
	memcpy(p, section_mark, sizeof(section_mark));
	span__put32(p + 8, type);
	span__put32(p + 12, len);
	if (len)
		memcpy(p + LOG_SECTION, content, len);
	span__put32(p + 4,
		    span__crc32c(span__log_seed(id, pos), p + 8, size - 8));
	out->len += size;
}

bool span__log_section_get(const struct span__log_id *id, const uint8_t *p,
			   uint64_t len, uint64_t pos, uint32_t *type,
			   struct span_str *content)
{
	uint64_t size;

	if (len < LOG_SECTION || memcmp(p, section_mark, sizeof(section_mark)))
		return false;
	size = span__log_section_size(span__get32(p + 12));
	if (size > len)
		return false;
	if (span__get32(p + 4) !=
	    span__crc32c(span__log_seed(id, pos), p + 8, size - 8))
		return false;
	*type = span__get32(p + 8);
	*content = (struct span_str){(const char *)p + LOG_SECTION,
				     span__get32(p + 12)};
	return true;
}

void span__log_entry_put(uint8_t out[LOG_INDEX_ENTRY],
			 const struct span__log_entry *e)
{
	span__put32(out, (uint32_t)(e->pos / LOG_ALIGN));
	span__put32(out + 4, e->n_spans);
	span__put64(out + 8, e->min_start_ns);
	span__put64(out + 16, e->max_end_ns);
}

void span__log_entry_get(struct span__log_entry *out,
			 const uint8_t p[LOG_INDEX_ENTRY])
{
	*out = (struct span__log_entry){
		.pos = (uint64_t)span__get32(p) * LOG_ALIGN,
		.n_spans = span__get32(p + 4),
		.min_start_ns = span__get64(p + 8),
		.max_end_ns = span__get64(p + 16),
	};
}

void span__log_trailer_put(uint8_t out[LOG_TRAILER],
			   const struct span__log_id *id, uint64_t pos,
			   const struct span__log_trailer *t)
{
	const struct span__log_sum *sum = &t->sum;

	memset(out, 0, LOG_TRAILER);
	memcpy(out, trailer_magic, sizeof(trailer_magic));
	span__put64(out + 8, t->data_end);
	span__put64(out + 16, sum->n_frames);
	span__put64(out + 24, sum->n_spans);
	span__put64(out + 32, sum->first_seq);
	span__put64(out + 40, sum->last_seq);
	span__put64(out + 48, sum->min_start_ns);
	span__put64(out + 56, sum->max_end_ns);
	span__put64(out + 64, sum->min_arrival_ns);
	span__put64(out + 72, sum->max_arrival_ns);
	memcpy(out + 80, t->hash, sizeof(t->hash));
	span__put32(out + 124, span__crc32c(span__log_seed(id, pos), out, 124));
}

bool span__log_trailer_get(struct span__log_trailer *out,
			   const struct span__log_id *id,
			   const uint8_t p[LOG_TRAILER], uint64_t pos)
{
	if (memcmp(p, trailer_magic, sizeof(trailer_magic)) ||
	    span__get32(p + 124) !=
		    span__crc32c(span__log_seed(id, pos), p, 124))
		return false;
	*out = (struct span__log_trailer){
		.data_end = span__get64(p + 8),
		.sum =
			{
				.n_frames = span__get64(p + 16),
				.n_spans = span__get64(p + 24),
				.first_seq = span__get64(p + 32),
				.last_seq = span__get64(p + 40),
				.min_start_ns = span__get64(p + 48),
				.max_end_ns = span__get64(p + 56),
				.min_arrival_ns = span__get64(p + 64),
				.max_arrival_ns = span__get64(p + 72),
			},
	};
	memcpy(out->hash, p + 80, sizeof(out->hash));
	return out->data_end <= pos && out->data_end % LOG_ALIGN == 0;
}

const char *span__missing_text(char out[LOG_MISSING], uint64_t first,
			       uint64_t last)
{
	if (first == last)
		snprintf(out, LOG_MISSING, "frame %" PRIu64 " is missing",
			 first);
	else
		snprintf(out, LOG_MISSING,
			 "frames %" PRIu64 " to %" PRIu64 " are missing", first,
			 last);
	return out;
}

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void span__log_sum_add(struct span__log_sum *sum,
		       const struct span__log_record *rec)
{
	struct span__log_sum one = {
		.n_frames = 1,
		.n_spans = rec->n_spans,
		.first_seq = rec->seq,
		.last_seq = rec->seq,
		.min_start_ns = rec->min_start_ns,
		.max_end_ns = rec->max_end_ns,
		.min_arrival_ns = rec->arrival_ns,
		.max_arrival_ns = rec->arrival_ns,
	};

	span__log_sum_merge(sum, &one);
}

void span__log_sum_merge(struct span__log_sum *sum,
			 const struct span__log_sum *from)
{
	if (!from->n_frames)
		return;
	if (!sum->n_frames) {
		*sum = *from;
		return;
	}
	sum->n_frames += from->n_frames;
	sum->n_spans += from->n_spans;
	sum->first_seq = min64(sum->first_seq, from->first_seq);
	sum->last_seq = max64(sum->last_seq, from->last_seq);
	sum->min_start_ns = min64(sum->min_start_ns, from->min_start_ns);
	sum->max_end_ns = max64(sum->max_end_ns, from->max_end_ns);
	sum->min_arrival_ns = min64(sum->min_arrival_ns, from->min_arrival_ns);
	sum->max_arrival_ns = max64(sum->max_arrival_ns, from->max_arrival_ns);
}
