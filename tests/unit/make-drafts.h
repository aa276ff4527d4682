/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make-drafts.h - drafts of all logs of a store, however small, and no segment
 */
#ifndef MAKE_DRAFTS_H
#define MAKE_DRAFTS_H

#include <span/store.h>

#include <stdio.h>
#include <stdlib.h>

static const struct span_seal_opts only_drafts = {
	.drafts = true,
	.draft_bytes = 1,
	.max_spans = UINT64_MAX / 4,
	.max_age_ns = UINT64_MAX,
};

/* Make them in the directory NAME, however young its logs are: how many. */
static inline uint64_t make_drafts(const char *name)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_MAINTAIN};
	struct span_seal_opts how = only_drafts;
	struct span_sealed done = {0};
	struct span_error why = {0};
	struct span_store *st;
	int rc = span_store_open(&st, name, &o, &why);

	how.now_ns = UINT64_MAX;
	if (!rc)
		rc = span_store_seal(st, &how, &done, NULL, NULL, &why);
	if (!rc)
		rc = span_store_close(&st, &why);
	if (rc < 0) {
		fprintf(stderr, "%s\n", why.msg);
		abort();
	}
	return done.n_drafts;
}

#endif
