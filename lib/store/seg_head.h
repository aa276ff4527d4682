/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_head.h - the fixed parts of a segment, as span-store(5) draws them
 *
 * Encoding and decoding, and nothing else: no input or output, no allocation.
 */
#ifndef SPAN_SEG_HEAD_H
#define SPAN_SEG_HEAD_H

#include "store/seg_file.h"

#define SEG_HEAD_MAX SEG_PAGE

struct span__seg_head {
	struct span__seg_header header;
	uint64_t pos;	    /* of this copy */
	uint64_t file_size; /* of the whole file */
	uint64_t data_end;  /* where the page checksums begin */
	struct span__seg_entry sections[SEG_SECTIONS];
	size_t n_sections;
};

struct span__seg_trailer {
	uint64_t head_pos; /* of the copy */
	uint64_t data_end;
	uint8_t hash[16];
	uint32_t crc; /* of the page checksums */
};

/* How long the head of N sections is: a multiple of 8. */
static inline size_t span__seg_head_size(size_t n)
{
	return SEG_HEADER + n * SEG_ENTRY + 8;
}

/* How many pages there are, and how long their checksums with padding. */
static inline uint64_t span__seg_pages(uint64_t data_end)
{
	return data_end / SEG_PAGE + (data_end % SEG_PAGE != 0);
}

static inline uint64_t span__seg_crcs_size(uint64_t data_end)
{
	return (span__seg_pages(data_end) * 4 + 7) & ~(uint64_t)7;
}

/* OUT has room for span__seg_head_size(h->n_sections). */
void span__seg_head_put(uint8_t *out, const struct span__seg_head *h);
/*
 * LEN bytes at P, which is at POS of its file. 0; SPAN_E_CORRUPT;
 * SPAN_E_FORMAT. Sections of types that this version does not know are left
 * out; the others lie between the first page and data_end.
 */
SPAN_NODISCARD int span__seg_head_get(struct span__seg_head *out,
				      const uint8_t *p, uint64_t len,
				      uint64_t pos, struct span_error *err);

void span__seg_trailer_put(uint8_t out[SEG_TRAILER],
			   const struct span__log_id *id, uint64_t pos,
			   const struct span__seg_trailer *t);
/* Where the head's copy should be: the caller knows no id yet. */
uint64_t span__seg_trailer_head(const uint8_t p[SEG_TRAILER]);
bool span__seg_trailer_get(struct span__seg_trailer *out,
			   const struct span__log_id *id,
			   const uint8_t p[SEG_TRAILER], uint64_t pos);

/* The checksum of page number PAGE, LEN bytes at P. */
uint32_t span__seg_page_crc(const struct span__log_id *id, uint64_t page,
			    const void *p, size_t len);

#endif
