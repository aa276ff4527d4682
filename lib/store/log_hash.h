/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_hash.h - XXH3-128 of a log, as its bytes go by
 */
#ifndef SPAN_LOG_HASH_H
#define SPAN_LOG_HASH_H

#include <span/base.h>

struct span__log_hash;

/* NULL when memory is out. */
SPAN_NODISCARD struct span__log_hash *span__log_hash_open(void);
void span__log_hash_add(struct span__log_hash *h, const void *p, size_t len);
/*
 * The hash of what was added so far and the LEN bytes at P, high byte first;
 * H stays as it was.
 */
void span__log_hash_get(const struct span__log_hash *h, const void *p,
			size_t len, uint8_t out[16]);
void span__log_hash_close(struct span__log_hash **h);

#endif
