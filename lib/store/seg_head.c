/* SPDX-License-Identifier: Apache-2.0 */
#include "store/seg_head.h"

#include <string.h>

#include "base/crc32c.h"
#include "base/le.h"

#include "base/banned.h"

static const uint8_t head_magic[8] = {0x89, 'S', 'P', 'A', 'N', 'S', 'E', 'G'};
static const uint8_t trailer_magic[8] = {0x89, 'S', 'P', 'A',
					 'N',  'E', 'O', 'S'};

static void put_sum(uint8_t *p, const struct span__log_sum *sum)
{
	span__put64(p, sum->n_frames);
	span__put64(p + 8, sum->n_spans);
	span__put64(p + 16, sum->first_seq);
	span__put64(p + 24, sum->last_seq);
	span__put64(p + 32, sum->min_start_ns);
	span__put64(p + 40, sum->max_end_ns);
	span__put64(p + 48, sum->min_arrival_ns);
	span__put64(p + 56, sum->max_arrival_ns);
}

static void get_sum(struct span__log_sum *out, const uint8_t *p)
{
	*out = (struct span__log_sum){
		.n_frames = span__get64(p),
		.n_spans = span__get64(p + 8),
		.first_seq = span__get64(p + 16),
		.last_seq = span__get64(p + 24),
		.min_start_ns = span__get64(p + 32),
		.max_end_ns = span__get64(p + 40),
		.min_arrival_ns = span__get64(p + 48),
		.max_arrival_ns = span__get64(p + 56),
	};
}

void span__seg_head_put(uint8_t *out, const struct span__seg_head *head)
{
	const struct span__seg_header *h = &head->header;
	size_t size = span__seg_head_size(head->n_sections);
	uint8_t *p = out + SEG_HEADER;

	memset(out, 0, size);
	memcpy(out, head_magic, sizeof(head_magic));
	span__put16(out + 8, SEG_MAJOR);
	span__put32(out + 12, (uint32_t)size);
	span__put64(out + 16, h->features.compat);
	span__put64(out + 24, h->features.ro_compat);
	span__put64(out + 32, h->features.incompat);
	memcpy(out + 40, h->id.uuid, 16);
	span__put64(out + 56, h->id.number);
	span__put64(out + 64, h->first_number);
	put_sum(out + 72, &h->sum);
	span__put64(out + 136, h->missing_frames);
	span__put64(out + 144, h->created_ns);
	span__put64(out + 152, h->stamp_ns);
	span__put64(out + 160, h->stamp_boot_ns);
	memcpy(out + 168, h->boot_id, 16);
	span__put64(out + 184, h->n_traces);
	span__put64(out + 192, h->n_blocks);
	span__put64(out + 200, h->n_types);
	span__put64(out + 208, h->n_shapes);
	span__put64(out + 216, h->hash_seed);
	span__put64(out + 224, h->max_start_ns);
	span__put64(out + 232, h->build_bytes);
	span__put64(out + 240, head->pos);
	span__put64(out + 248, head->file_size);
	span__put64(out + 256, head->data_end);
	span__put32(out + 264, h->flags);
	span__put32(out + 268, SEG_HEADER);
	span__put32(out + 272, (uint32_t)head->n_sections);
	span__put32(out + 276, h->log_crc);
	span__put64(out + 280, h->log_pos);
	for (size_t i = 0; i < head->n_sections; i++, p += SEG_ENTRY) {
		span__put32(p, head->sections[i].type);
		span__put64(p + 8, head->sections[i].pos);
		span__put64(p + 16, head->sections[i].len);
	}
	span__put32(out + size - 4, span__crc32c(0, out, size - 4));
}

static void get_header(struct span__seg_header *out, const uint8_t *p)
{
	*out = (struct span__seg_header){
		.features = {span__get64(p + 16), span__get64(p + 24),
			     span__get64(p + 32)},
		.id.number = span__get64(p + 56),
		.first_number = span__get64(p + 64),
		.missing_frames = span__get64(p + 136),
		.created_ns = span__get64(p + 144),
		.stamp_ns = span__get64(p + 152),
		.stamp_boot_ns = span__get64(p + 160),
		.n_traces = span__get64(p + 184),
		.n_blocks = span__get64(p + 192),
		.n_types = span__get64(p + 200),
		.n_shapes = span__get64(p + 208),
		.hash_seed = span__get64(p + 216),
		.max_start_ns = span__get64(p + 224),
		.build_bytes = span__get64(p + 232),
		.flags = span__get32(p + 264),
		.log_crc = span__get32(p + 276),
		.log_pos = span__get64(p + 280),
	};
	memcpy(out->id.uuid, p + 40, 16);
	memcpy(out->boot_id, p + 168, 16);
	get_sum(&out->sum, p + 72);
}

static bool get_sections(struct span__seg_head *out, const uint8_t *p, size_t n)
{
	for (; n; n--, p += SEG_ENTRY) {
		struct span__seg_entry e = {span__get32(p), span__get64(p + 8),
					    span__get64(p + 16)};

		if (e.pos < SEG_PAGE || e.pos % SEG_ALIGN ||
		    e.pos > out->data_end || e.len > out->data_end - e.pos)
			return false;
		if (e.type >= 1 && e.type < SEG_SECTION_TYPES &&
		    out->n_sections < SEG_SECTIONS)
			out->sections[out->n_sections++] = e;
	}
	return true;
}

/* The places that it gives are within the file, in order, and aligned. */
static bool makes_sense(const struct span__seg_head *h)
{
	const struct span__seg_header *s = &h->header;
	uint64_t end = h->data_end;

	return end >= SEG_PAGE && end % SEG_ALIGN == 0 &&
	       h->file_size < SEG_SIZE_MAX && end < h->file_size &&
	       span__seg_crcs_size(end) + SEG_HEADER + SEG_TRAILER <=
		       h->file_size - end &&
	       s->first_number <= s->id.number;
}

int span__seg_head_get(struct span__seg_head *out, const uint8_t *p,
		       uint64_t len, uint64_t pos, struct span_error *err)
{
	uint32_t size, table, n;

	*out = (struct span__seg_head){.pos = pos};
	if (len < SEG_HEADER || memcmp(p, head_magic, sizeof(head_magic)))
		return span_error_at(err, SPAN_E_CORRUPT, pos,
				     "no head of a segment");
	size = span__get32(p + 12);
	if (size < SEG_HEADER || size > SEG_HEAD_MAX || size > len ||
	    span__get32(p + size - 4) != span__crc32c(0, p, size - 4))
		return span_error_at(err, SPAN_E_CORRUPT, pos,
				     "bad checksum of the segment's head");
	get_header(&out->header, p);
	if (span__get16(p + 8) != SEG_MAJOR)
		return span_error_set(err, SPAN_E_FORMAT,
				      "a later version wrote it");
	if (span__features_check(&out->header.features, false, err) < 0)
		return SPAN_E_FORMAT;
	out->file_size = span__get64(p + 248);
	out->data_end = span__get64(p + 256);
	table = span__get32(p + 268);
	n = span__get32(p + 272);
	if (span__get64(p + 240) != pos || !makes_sense(out) ||
	    table < SEG_HEADER || table > size - 4 ||
	    n > (size - 4 - table) / SEG_ENTRY ||
	    !get_sections(out, p + table, n))
		return span_error_at(err, SPAN_E_CORRUPT, pos,
				     "the segment's head makes no sense");
	return 0;
}

void span__seg_trailer_put(uint8_t out[SEG_TRAILER],
			   const struct span__log_id *id, uint64_t pos,
			   const struct span__seg_trailer *t)
{
	memset(out, 0, SEG_TRAILER);
	memcpy(out, trailer_magic, sizeof(trailer_magic));
	span__put64(out + 8, t->head_pos);
	span__put64(out + 16, t->data_end);
	memcpy(out + 24, t->hash, sizeof(t->hash));
	span__put32(out + 40, t->crc);
	span__put32(out + 60, span__crc32c(span__log_seed(id, pos), out, 60));
}

uint64_t span__seg_trailer_head(const uint8_t p[SEG_TRAILER])
{
	return span__get64(p + 8);
}

bool span__seg_trailer_get(struct span__seg_trailer *out,
			   const struct span__log_id *id,
			   const uint8_t p[SEG_TRAILER], uint64_t pos)
{
	if (memcmp(p, trailer_magic, sizeof(trailer_magic)) ||
	    span__get32(p + 60) != span__crc32c(span__log_seed(id, pos), p, 60))
		return false;
	*out = (struct span__seg_trailer){
		.head_pos = span__get64(p + 8),
		.data_end = span__get64(p + 16),
		.crc = span__get32(p + 40),
	};
	memcpy(out->hash, p + 24, sizeof(out->hash));
	return true;
}

uint32_t span__seg_page_crc(const struct span__log_id *id, uint64_t page,
			    const void *p, size_t len)
{
	return span__crc32c(span__log_seed(id, page * SEG_PAGE), p, len);
}
