/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_format.h - the bytes of a log, as span-store(5) draws them
 *
 * Encoding and decoding of the fixed parts, and nothing else: no input or
 * output, no allocation.
 */
#ifndef SPAN_LOG_FORMAT_H
#define SPAN_LOG_FORMAT_H

#include <span/base.h>

#define LOG_MAJOR 1u
#define LOG_ALIGN 8u
#define LOG_HEADER 128u	     /* bytes of the header that we write */
#define LOG_HEADER_MAX 4096u /* and that we accept */
#define LOG_RECORD 56u	     /* bytes of a record's header */
#define LOG_SECTION 16u	     /* bytes of a section's header */
#define LOG_INDEX_ENTRY 24u  /* bytes of an entry of the index */
#define LOG_TRAILER 128u
#define LOG_PAYLOAD_MAX (64u << 20)
#define LOG_SIZE_MAX (1ull << 35) /* what the index can address */

enum {
	LOG_TYPE_FRAME = 1,    /* of a record */
	LOG_TYPE_IDS = 2,      /* see log_ids.h */
	LOG_TYPE_FILTERS = 3,  /* see log_filters.h */
	LOG_FLAG_FUTURE = 1,   /* of a record */
	LOG_SECTION_INDEX = 1, /* of a section */
	LOG_SECTION_IDS = 2,
};

/* What the CRCs of a log begin with. */
struct span__log_id {
	uint8_t uuid[16];
	uint64_t number;
};

struct span__features {
	uint64_t compat, ro_compat, incompat;
};

struct span__log_header {
	struct span__log_id id;
	struct span__features features;
	uint32_t header_len;
	uint64_t first_seq;
	uint64_t created_ns, created_boot_ns;
	uint8_t boot_id[16];
	uint32_t sync_mode, sync_delay_us;
	uint64_t sync_bytes;
};

struct span__log_record {
	uint64_t pos; /* in the file */
	uint32_t len; /* of the payload */
	uint16_t type, flags;
	uint64_t seq, arrival_ns;
	uint64_t min_start_ns, max_end_ns;
	uint32_t n_spans;
	uint32_t crc; /* of all of it */
};

struct span__log_entry {
	uint64_t pos;
	uint32_t n_spans;
	uint64_t min_start_ns, max_end_ns;
};

/* What a trailer says, or what a walk over the records found. */
struct span__log_sum {
	uint64_t n_frames, n_spans;
	uint64_t first_seq, last_seq;
	uint64_t min_start_ns, max_end_ns;
	uint64_t min_arrival_ns, max_arrival_ns;
};

struct span__log_trailer {
	uint64_t data_end;
	struct span__log_sum sum;
	uint8_t hash[16];
};

/* The bytes that a record, or a section, of LEN bytes takes. */
static inline uint64_t span__log_record_size(uint64_t len)
{
	return (LOG_RECORD + len + LOG_ALIGN - 1) & ~(uint64_t)(LOG_ALIGN - 1);
}

static inline uint64_t span__log_section_size(uint64_t len)
{
	return (LOG_SECTION + len + LOG_ALIGN - 1) & ~(uint64_t)(LOG_ALIGN - 1);
}

/*
 * What a CRC begins with, so that bytes which belong elsewhere, in another
 * file or at another place of the same file, never pass for valid.
 */
uint32_t span__log_seed(const struct span__log_id *id, uint64_t pos);

void span__log_header_put(uint8_t out[LOG_HEADER],
			  const struct span__log_header *h);

/*
 * 0; SPAN_E_CORRUPT; SPAN_E_FORMAT when a later version wrote it and a
 * reader, or a WRITER, must not touch it. LEN bytes at P are there, of which
 * a header takes out->header_len.
 */
SPAN_NODISCARD int span__log_header_get(struct span__log_header *out,
					const uint8_t *p, size_t len,
					bool writer, struct span_error *err);

/* 0, or SPAN_E_FORMAT when F has a bit that must be known. */
SPAN_NODISCARD int span__features_check(const struct span__features *f,
					bool writer, struct span_error *err);

/* The record's header; PAYLOAD is rec->len bytes, and the padding zero. */
void span__log_record_put(uint8_t out[LOG_RECORD],
			  const struct span__log_id *id,
			  const struct span__log_record *rec,
			  const void *payload);

/* True when the LOG_RECORD bytes at P are a valid header for offset POS. */
bool span__log_record_get(struct span__log_record *out,
			  const struct span__log_id *id, const uint8_t *p,
			  uint64_t pos);

/* True when the whole record at P, header and padding too, is unharmed. */
bool span__log_record_verify(const struct span__log_record *rec,
			     const struct span__log_id *id, const uint8_t *p);

/* Append a section that will be at offset POS of the file. */
void span__log_section_put(struct span_buf *out, const struct span__log_id *id,
			   uint64_t pos, uint32_t type, const void *content,
			   uint32_t len);

/*
 * The section at P, LEN bytes at most: true with its type and content; false
 * when it is damaged.
 */
bool span__log_section_get(const struct span__log_id *id, const uint8_t *p,
			   uint64_t len, uint64_t pos, uint32_t *type,
			   struct span_str *content);

void span__log_entry_put(uint8_t out[LOG_INDEX_ENTRY],
			 const struct span__log_entry *e);
void span__log_entry_get(struct span__log_entry *out,
			 const uint8_t p[LOG_INDEX_ENTRY]);

void span__log_trailer_put(uint8_t out[LOG_TRAILER],
			   const struct span__log_id *id, uint64_t pos,
			   const struct span__log_trailer *t);
bool span__log_trailer_get(struct span__log_trailer *out,
			   const struct span__log_id *id,
			   const uint8_t p[LOG_TRAILER], uint64_t pos);

/* "frame 2 is missing", "frames 2 to 5 are missing"; returns OUT. */
#define LOG_MISSING 80
const char *span__missing_text(char out[LOG_MISSING], uint64_t first,
			       uint64_t last);

/* Take a frame into the sum. */
void span__log_sum_add(struct span__log_sum *sum,
		       const struct span__log_record *rec);
/* Take all of FROM into the sum. */
void span__log_sum_merge(struct span__log_sum *sum,
			 const struct span__log_sum *from);

#endif
