/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/pool.h - stores that are open, each for one request at a time
 *
 * Opening a store reads what its files say of themselves, refreshing an open
 * one only what is new. So a few stay open.
 */
#ifndef SERVE_POOL_H
#define SERVE_POOL_H

#include <span/store.h>

#include "serve/serve.h"

struct span__serve_pool_opts {
	size_t max_idle; /* that stay open while nobody uses them; 0: 1 */
	/* As in struct span_store_opts; called by any thread, one at a time. */
	void (*damage)(void *arg, const char *text);
	void *arg;
};

/*
 * Of the store NAME, which need not be there yet and is copied. 0 or
 * SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__serve_pool_open(struct span__serve_pool **out,
					 const char *name,
					 const struct span__serve_pool_opts *o,
					 struct span_error *err);

/*
 * What this thread takes from now on stops reading once *GONE is true, until
 * it is given back. GONE is borrowed until then; NULL: it does not stop. So a
 * request need not be handed to all that takes a store for it.
 */
void span__serve_pool_watch(const bool *gone);

/* All that were taken must have been given back. */
void span__serve_pool_close(struct span__serve_pool **p);

#endif
