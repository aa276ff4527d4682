/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_newest.h - what is newest comes first
 *
 * A scan with a floor (struct span_range) goes through files, and frames of
 * logs, in the order of the latest times they have, so that the caller soon
 * knows how old a span may be.
 */
#ifndef SPAN_STORE_NEWEST_H
#define SPAN_STORE_NEWEST_H

#include "store/store_view.h"

/*
 * The numbers of the N files of a view, that with the latest start or end
 * first: *OUT is the caller's to free(). 0, SPAN_E_NOMEM, SPAN_E_IO.
 */
SPAN_NODISCARD int span__newest_files(struct span__view *view,
				      const struct span__dir *d, size_t **out,
				      struct span_error *err);

/*
 * Put the entries of *INDEX, which are those of frames in BUF, into groups of
 * some that come one after another, the group with the latest end first. 0 or
 * SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__newest_frames(struct span_buf *buf,
				       struct span_str *index,
				       struct span_error *err);

#endif
