/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draft_make.h - drafts of the logs that cannot be sealed yet
 *
 * A draft is made as a segment is, of the frames that a log has when it is
 * begun, up to one that is not as it should be, and made anew when the log has
 * grown. A log that is younger than DRAFT_AGE_NS gets none: where that many
 * spans come it will be sealed before long. None is made where that could leave
 * less of the disk free than the policy of the store says, or DRAFT_FREE.
 */
#ifndef SPAN_DRAFT_MAKE_H
#define SPAN_DRAFT_MAKE_H

#include "store/seg_codec.h"
#include "store/store_directory.h"

#define DRAFT_AGE_NS 5000000000ull
#define DRAFT_FREE (64u << 20)

struct span__drafts {
	struct span__directory *store;
	const struct span_seal_opts *opts;  /* defaults filled in */
	const struct span__listing *sealed; /* of a dry run: they do not stay */
	enum span__seg_codec codec;
	struct span_sealed *out;
	span_store_file_fn *fn; /* or NULL */
	void *arg;
};

/*
 * Make the drafts that are due; with opts->dry_run only tell which. Needs the
 * lock on MAINT, but for that, and gives it to whoever waits in between. What
 * has no draft afterwards is read as it is. 0 or a negative code.
 */
SPAN_NODISCARD int span__drafts_make(const struct span__drafts *d,
				     struct span_error *err);

#endif
