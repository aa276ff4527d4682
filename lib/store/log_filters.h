/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_filters.h - what the spans of frames of a log cannot have
 *
 * For each frame of a list: the longest duration of its spans, and a filter
 * (seg_filter.h) of their names and services, and of the keys and values of
 * attributes, so that a search leaves out frames in which nothing can match.
 */
#ifndef SPAN_LOG_FILTERS_H
#define SPAN_LOG_FILTERS_H

#include "store/frame_judge.h"
#include "store/log_lists.h"

/*
 * What is put into a filter is one of these times the hash of a key or name,
 * and for the first two plus that of the value.
 */
enum span__log_factor {
	LOG_IS_STRING = 3,
	LOG_IS_INT = 5,
	LOG_HAS_STRING = 7,
	LOG_HAS_INT = 9,
	LOG_HAS_TRUE = 11,
	LOG_HAS_FALSE = 13,
	LOG_HAS_DOUBLE = 15,
	LOG_HAS_ELSE = 17,
	LOG_SERVICE = 19,
	LOG_NAME_OF_SPAN = 21,
};

/* Durations are in units of 2^16 ns, and the longest are not told apart. */
#define LOG_DURATION_SHIFT 16u

struct span__log_filters;

/* Gathers lists while a log is written; NULL when memory is out. */
SPAN_NODISCARD struct span__log_filters *span__log_filters_open(void);
/* Note the valid frame at POS: LEN bytes at P. It may be left out. */
void span__log_filters_add(struct span__log_filters *f, uint64_t pos,
			   const void *p, size_t len);
/* The list that is to be written. */
struct span__log_list *span__log_filters_list(struct span__log_filters *f);
void span__log_filters_close(struct span__log_filters **f);

/*
 * The frames of L that may have spans of the scan, as entries of an index. 1
 * with *INDEX in BUF; 0 when filters do not tell, or all have to be read;
 * SPAN_E_IO, SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__log_filters_find(const struct span__log *l,
					  const struct span__filter *scan,
					  struct span_buf *buf,
					  struct span_str *index,
					  struct span_error *err);

#endif
