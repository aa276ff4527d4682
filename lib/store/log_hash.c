/* SPDX-License-Identifier: Apache-2.0 */
#include "store/log_hash.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/banned.h"

struct span__log_hash {
	XXH3_state_t state; /* aligned to 64 bytes */
};

struct span__log_hash *span__log_hash_open(void)
{
	struct span__log_hash *h =
		aligned_alloc(_Alignof(XXH3_state_t), sizeof(*h));

	if (h)
		XXH3_128bits_reset(&h->state);
	return h;
}

void span__log_hash_add(struct span__log_hash *h, const void *p, size_t len)
{
	XXH3_128bits_update(&h->state, p, len);
}

void span__log_hash_get(const struct span__log_hash *h, const void *p,
			size_t len, uint8_t out[16])
{
	XXH128_canonical_t canonical;
	XXH3_state_t state;

	XXH3_copyState(&state, &h->state);
	XXH3_128bits_update(&state, p, len);
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
	memcpy(out, canonical.digest, 16);
}

void span__log_hash_close(struct span__log_hash **h)
{
	free(*h);
	*h = NULL;
}
