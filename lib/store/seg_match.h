/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_match.h - which spans of a segment may be in a scan, from its columns
 *
 * The conditions are asked of each type once, then of its columns: what is
 * left are the spans, by type and rank, for which all hold, but for their
 * start, and for two things that columns do not tell: the rest of a loose span,
 * and the process of a span whose type has same_process.
 */
#ifndef SPAN_SEG_MATCH_H
#define SPAN_SEG_MATCH_H

#include "store/frame_judge.h"
#include "store/seg_read.h"

enum span__seg_found {
	SEG_FOUND_NONE = 0,
	SEG_FOUND_SOME,
	SEG_FOUND_ALL,
};

/* A tag that a span has by a bit, or by its process. */
struct span__open_tag {
	unsigned tag;
	const uint64_t *bits; /* by rank; NULL: none has it */
};

/* The spans of a type. */
struct span__seg_hits {
	enum span__seg_found found;
	bool check;	      /* they must be decoded to be sure */
	uint64_t n;	      /* how many */
	const uint64_t *bits; /* by rank, when SEG_FOUND_SOME */
	const struct span__open_tag *open;
	size_t n_open;
};

/* What a tag is in this segment. */
struct span__seg_tag {
	const struct span__tag_eq *eq;
	const struct span_attr_test *test; /* in its place, or NULL */
	uint32_t key;			   /* string, or SEG_NO_STRING */
	bool known;			   /* the processes were asked */
	uint64_t n_found;		   /* processes that have it */
	uint64_t *processes; /* a bit for each; NULL: none has it */
};

struct span__seg_match {
	struct span__seg *s;
	const struct span__filter *filter;
	struct span__seg_hits *types;
	uint64_t n_types; /* 0 when nothing matches */
	uint64_t n;	  /* spans of all types */
	struct span__seg_tag tags[JUDGE_TAGS];
	uint32_t *services, *operations; /* strings */
	size_t n_services, n_operations;
	uint8_t *verdicts;	 /* of functions, by string */
	struct span_arena arena; /* of what is kept */
	struct span_arena temp;
	struct span_buf bits, text; /* working memory */
	struct span_error *err;	    /* while it is opened */
};

/*
 * 0; SPAN_E_NOMEM; SPAN_E_CORRUPT when nothing can be read; or what a function
 * of the range returned. Damage is passed over, the file is marked.
 */
SPAN_NODISCARD int span__seg_match_open(struct span__seg_match *m,
					struct span__seg *s,
					const struct span__filter *filter,
					struct span_error *err);
void span__seg_match_close(struct span__seg_match *m);

static inline size_t span__bit_words(uint64_t n)
{
	return (size_t)((n + 63) / 64);
}

static inline bool span__bit(const uint64_t *bits, uint64_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

/* Is the span of RANK among them? The open tags are not looked at. */
static inline bool span__seg_hit(const struct span__seg_hits *h, uint64_t rank)
{
	return h->found == SEG_FOUND_ALL ||
	       (h->found == SEG_FOUND_SOME && span__bit(h->bits, rank));
}

/* Are columns not enough for its spans? */
static inline bool span__seg_is_open(const struct span__seg_hits *h)
{
	return h->check || h->n_open;
}

/* How many bits from FROM to TO - 1 are set. */
uint64_t span__bits_count(const uint64_t *bits, uint64_t from, uint64_t to);

/*
 * Of the spans of type T those that have tag K: SEG_FOUND_SOME with bits in
 * OUT, which has room and is cleared; *OPEN when spans may have it by their
 * process, which is not known here. Below 0: SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__seg_match_tag(struct span__seg_match *m,
				       struct span__seg_type_reader *t,
				       unsigned k, uint64_t *out, bool *open);

/* The same of a tag that is a test; below 0 also what its function returned. */
SPAN_NODISCARD int span__seg_match_test(struct span__seg_match *m,
					struct span__seg_type_reader *t,
					unsigned k, uint64_t *out, bool *open);
/* The same as far as processes have it. */
SPAN_NODISCARD int span__seg_match_by_process(struct span__seg_match *m,
					      struct span__seg_type_reader *t,
					      unsigned k, uint64_t *out,
					      bool *open);

/* Find out which processes have the tag. 0 or a negative code. */
SPAN_NODISCARD int span__seg_match_processes(struct span__seg_match *m,
					     struct span__seg_tag *tag);

#endif
