/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_file.h - the container of a sealed segment: head, sections, checksums
 *
 *     head | section ... | page checksums | copy of the head | trailer
 *
 * The bytes of a section are anybody's; what they mean is drawn in
 * span-store(5). Everything before the page checksums is covered by one
 * CRC-32C for each 4096 bytes, so that a reader checks just what it touches
 * and can tell the place of any damage. The CRCs are seeded with the UUID and
 * number of the segment's origin and the offset, as those of a log are. The
 * head, with the table of sections, is there twice: one of them is enough.
 */
#ifndef SPAN_SEG_FILE_H
#define SPAN_SEG_FILE_H

#include "base/huge.h"
#include "base/io.h"
#include "store/log_format.h"
#include "store/work.h"

#define SEG_MAJOR 1u
#define SEG_HEADER 320u /* bytes of the head before its table */
#define SEG_ENTRY 24u	/* bytes of an entry of the table */
#define SEG_PAGE 4096u	/* the head has the first one for itself */
#define SEG_ALIGN 8u
/*
 * What is written at once, and begins at a multiple of that: file systems that
 * can then keep it in memory as one large page, which readers map for the price
 * of a small one.
 */
#define SEG_WRITE HUGE_PAGE
#define SEG_TRAILER 64u
#define SEG_SECTIONS 128u /* in a table at most */
#define SEG_SIZE_MAX (1ull << 44)

enum span__seg_section {
	SEG_STRINGS = 1,  /* seg_strings.h */
	SEG_PROCESSES,	  /* chunks; seg_pack.h */
	SEG_PROCESS_ENDS, /* numbers: where each process ends in the chunks */
	SEG_PROCESS_SERVICES, /* numbers: the service's string */
	SEG_SCOPES,
	SEG_SCOPE_ENDS,
	SEG_TYPES,	 /* seg_types.h */
	SEG_SHAPES,	 /* seg_shapes.h */
	SEG_TRACE_HIGH,	 /* numbers, one a trace: the id's first 8 bytes */
	SEG_TRACE_LOW,	 /* its last 8 bytes, both big-endian values */
	SEG_TRACE_START, /* earliest start of its spans */
	SEG_TRACE_END,	 /* latest end, as the distance from the start */
	SEG_TRACE_SHAPE, /* number of its shape */
	SEG_SPAN_IDS,	 /* numbers, one a span, in the order of the traces */
	SEG_EXPLICIT_TRACE, /* numbers: spans whose parent is not in the trace
			     */
	SEG_EXPLICIT_NODE,  /* their place in the trace */
	SEG_EXPLICIT_ID,    /* the parent's id */
	SEG_BLOCK_TRACE,    /* numbers, one a block: its first trace */
	SEG_BLOCK_SPAN,	    /* its first span */
	SEG_BLOCK_MIN_START,
	SEG_BLOCK_MAX_START,
	SEG_RANKS,   /* see seg_types.h */
	SEG_BUCKETS, /* numbers: the trace directory, see seg_read.h */
	SEG_BUCKET_TRACES,
	SEG_COLUMNS,	   /* the values of the types' slots */
	SEG_HEAP,	   /* chunks: long and unlike texts */
	SEG_AGGREGATES,	   /* seg_agg.h */
	SEG_EDGES,	   /* edges to other segments, seg_edges.h */
	SEG_SHORT_STRINGS, /* those of SEG_STRINGS once more; seg_strings.h */
	SEG_SECTION_TYPES,
};

/*
 * Where a segment comes from and what it covers: the logs FIRST to NUMBER of
 * the store UUID.
 */
struct span__seg_header {
	struct span__log_id id; /* of the origin; number: the last log */
	struct span__features features;
	uint64_t first_number;
	struct span__log_sum sum; /* over all logs that it covers */
	uint64_t missing_frames;  /* known to be lost among them */
	uint64_t created_ns;
	uint64_t n_traces, n_blocks, n_types, n_shapes;
	uint64_t hash_seed; /* of the trace directory */
	uint64_t max_start_ns;
	uint64_t build_bytes; /* memory that building it took */
	uint32_t flags;	      /* none yet */
	/* of a draft: the last record that it has, and the CRC of that */
	uint32_t log_crc;
	uint64_t log_pos;
	/* log stamps of the youngest log, for clocks: see log_format.h */
	uint64_t stamp_ns, stamp_boot_ns;
	uint8_t boot_id[16];
};

/* An entry of the table. */
struct span__seg_entry {
	uint32_t type;
	uint64_t pos, len;
};

/*
 * Writing. Sections are appended one after another; nothing is seen under the
 * final name before span__seg_writer_finish() returned 0.
 */
struct span__seg_writer;
struct span__seg_file;

/* Create NAME ("00000012.new") in DIRFD, anew when it exists. */
SPAN_NODISCARD int span__seg_writer_open(struct span__seg_writer **out,
					 const struct span__io *io, int dirfd,
					 const char *name,
					 const struct span__seg_header *h,
					 struct span_error *err);
/*
 * Append to the sections of the whole, undamaged file F of DIRFD, in place: it
 * is no segment again before finish. F must not be read meanwhile, nor after.
 */
SPAN_NODISCARD int span__seg_writer_extend(struct span__seg_writer **out,
					   const struct span__seg_file *f,
					   int dirfd, struct span_error *err);
/*
 * What the head will say: may be changed until finish, but for the id, which
 * all checksums begin with.
 */
struct span__seg_header *span__seg_writer_header(struct span__seg_writer *w);
/* Append a section; each type once, and not when LEN is 0. Sticky errors. */
SPAN_NODISCARD int span__seg_writer_put(struct span__seg_writer *w,
					enum span__seg_section type,
					const void *p, size_t len,
					struct span_error *err);
/* The same in pieces: begin, then add as often as needed. */
SPAN_NODISCARD int span__seg_writer_begin(struct span__seg_writer *w,
					  enum span__seg_section type,
					  struct span_error *err);
SPAN_NODISCARD int span__seg_writer_add(struct span__seg_writer *w,
					const void *p, size_t len,
					struct span_error *err);
/*
 * Write checksums, table and trailer, and sync the file. *SIZE is its length.
 * 0, SPAN_E_IO, SPAN_E_FULL, SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__seg_writer_finish(struct span__seg_writer *w,
					   uint64_t *size,
					   struct span_error *err);
/* Closes; the file stays as it is. NULL is fine. */
void span__seg_writer_close(struct span__seg_writer **w);

/* What libraries keep between chunks: see seg_codec.h. A zeroed struct. */
struct span__codec {
	void *packer, *unpacker;
};

/*
 * Reading. The file is mapped whole; it must never change. One thread at a
 * time may have a struct span__seg_file, but others may open the same file.
 */
struct span__seg_file {
	const struct span__io *io;
	char name[64];
	const uint8_t *map;
	uint64_t size;	    /* of the file as it is */
	uint64_t full_size; /* as its head says; above size: it was cut */
	struct span__seg_header header;
	uint64_t data_end; /* where the page checksums begin */
	const uint8_t *crcs;
	uint64_t n_crcs;
	uint8_t *checked; /* a bit for each page that was found good */
	uint8_t *damaged; /* and for each that was not */
	bool check_all;	  /* no: pages are taken as good (tests) */
	/* Sticky until cleared: the first place that was found damaged. */
	bool bad;
	uint64_t bad_pos;
	struct span__seg_entry sections[SEG_SECTIONS];
	size_t n_sections;
	struct span__codec codec; /* for all that is read from it */
	struct span__work *work;  /* where that is counted, or NULL */
};

/*
 * Open and map a segment; checks the head, or its copy when that is damaged.
 * 0; SPAN_E_NOTFOUND when there is none; SPAN_E_FORMAT; SPAN_E_CORRUPT when
 * the file cannot be used at all; SPAN_E_IO; SPAN_E_NOMEM.
 *
 * A file that was cut opens, marked bad: what is left of its sections is read
 * as it is where their checksums are gone. Who wants to write in its stead
 * asks span__features_check() about header.features first.
 */
SPAN_NODISCARD int span__seg_file_open(struct span__seg_file *f,
				       const struct span__io *io, int dirfd,
				       const char *name,
				       struct span_error *err);
void span__seg_file_close(struct span__seg_file *f);

/*
 * A piece of memory to read from: of a file, whose pages are checked as they
 * are touched, or (FILE is NULL) of bytes that were checked before.
 */
struct span__area {
	const uint8_t *p;
	uint64_t len;
	struct span__seg_file *file;
};

/* The section TYPE; empty (p NULL, len 0) when there is none. */
struct span__area span__seg_area(struct span__seg_file *f,
				 enum span__seg_section type);

/* LEN bytes at POS within A; empty when that is not within A. */
static inline struct span__area span__area_sub(const struct span__area *a,
					       uint64_t pos, uint64_t len)
{
	if (!a->p || pos > a->len || len > a->len - pos)
		return (struct span__area){NULL, 0, a->file};
	return (struct span__area){a->p + pos, len, a->file};
}

/* Check the pages of LEN bytes at P, which lie in F's map. */
bool span__seg_check(struct span__seg_file *f, const uint8_t *p, uint64_t len);

/* Mark the file bad at A's begin: what is there makes no sense. False. */
bool span__area_bad(const struct span__area *a);

/*
 * True when the LEN bytes at POS lie in A and are undamaged; else the file is
 * marked bad. Called before any byte of A is read.
 */
static inline bool span__area_ok(const struct span__area *a, uint64_t pos,
				 uint64_t len)
{
	uint64_t at, page;

	if (pos > a->len || len > a->len - pos)
		return span__area_bad(a);
	if (!a->file || !len)
		return true;
	at = (uint64_t)(a->p - a->file->map) + pos;
	page = at / SEG_PAGE;
	if (at % SEG_PAGE + len <= SEG_PAGE &&
	    (a->file->checked[page / 8] >> page % 8 & 1))
		return true;
	return span__seg_check(a->file, a->p + pos, len);
}

/*
 * Check every byte: pages, checksums, both heads, trailer, hash. Calls FN with
 * the offset and length of each damaged place; it ends with what FN returns
 * when that is not 0. 0, or that, or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__seg_verify(struct span__seg_file *f,
				    int (*fn)(void *arg, uint64_t pos,
					      uint64_t len,
					      struct span_error *err),
				    void *arg, struct span_error *err);

#endif
