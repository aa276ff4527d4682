/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draft_fit.h - drafts, as a reader finds them beside their logs
 *
 * The draft of a log is a segment of its first frames, made before the log can
 * be sealed, so that a search need not read them one by one. It is derived: it
 * may be missing, old or damaged, and then the log is read. In a view it is a
 * file like a segment, and comes before the log, of which only the frames
 * behind it are left to be read.
 *
 * A draft is only used beside the log that it was made of: the last record that
 * it has must be there. After a power cut a log may end before that, and go on
 * with other frames.
 */
#ifndef SPAN_DRAFT_FIT_H
#define SPAN_DRAFT_FIT_H

#include "store/store_view.h"

/*
 * Once all files of a view are open: close the drafts that fit no log of it,
 * and tell the logs of the others from where on they are to be read.
 */
void span__drafts_fit(struct span__view *view, const struct span__dir *d);

/* The draft of the log F, or NULL. */
const struct span__view_file *span__draft_of(const struct span__view *view,
					     const struct span__view_file *f);

/*
 * Read the drafts that were not yet, and close those of which any byte is not
 * as it was written: their logs are read as if there were none.
 */
void span__drafts_verify(struct span__view *view);

#endif
