/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_maintain.h - what sealing and expiry have in common
 *
 * All of it needs the lock on MAINT.
 */
#ifndef SPAN_STORE_MAINTAIN_H
#define SPAN_STORE_MAINTAIN_H

#include "store/store_directory.h"

/*
 * See what is there now, and remove what a run that died has left: files that
 * were being written or removed, and what segments that are sound have in
 * full. A damaged log is kept as N.bad.
 */
SPAN_NODISCARD int span__maintain_begin(struct span__directory *s,
					struct span_error *err);

/*
 * The log NUMBER and the frames up to SEQ will be removed from it: neither is
 * used again by a later appender.
 */
SPAN_NODISCARD int span__maintain_remember(struct span__directory *s,
					   uint64_t number, uint64_t seq,
					   struct span_error *err);

/* Is FILE a draft, and the log of which it is not in L? */
bool span__maintain_is_left(const struct span__listing *l,
			    const struct span__file *file);

/*
 * Remove a log that a segment has, or keep it as N.bad when it is DAMAGED. The
 * directory is not synced. The draft of a log goes first. A file that is not
 * there is fine.
 */
SPAN_NODISCARD int span__maintain_retire(const struct span__directory *s,
					 const struct span__file *file,
					 bool damaged, struct span_error *err);

#endif
