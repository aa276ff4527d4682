/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is the same for everybody, as a page's scripts, is compressed once and
 * kept under a digest of what it is made of. Of what does not fit any more the
 * one goes that was wanted least recently.
 */
#include <stdlib.h>
#include <string.h>

#include "net/web_state.h"

#include "base/banned.h"

#define KEPT_MAX (16u << 20) /* bytes, of all */
#define ONE_MAX (4u << 20)

static void drop(struct span__web_kept *k, struct span__web_kept_one *one)
{
	k->bytes -= one->len;
	free(one->p);
	*one = (struct span__web_kept_one){0};
}

static bool is_of(const struct span__web_kept_one *one, XXH128_hash_t digest)
{
	return one->p && XXH128_isEqual(one->digest, digest);
}

bool span__web_kept_get(struct span__web_kept *k, XXH128_hash_t digest,
			struct span_buf *out)
{
	bool found = false;

	pthread_mutex_lock(&k->lock);
	for (size_t i = 0; i < SPAN__WEB_KEPT && !found; i++) {
		struct span__web_kept_one *one = &k->v[i];

		found = is_of(one, digest);
		if (!found)
			continue;
		span_buf_put(out, one->p, one->len);
		one->used = ++k->clock;
	}
	pthread_mutex_unlock(&k->lock);
	return found;
}

/* A place for LEN bytes, for which others go. */
static struct span__web_kept_one *make_room(struct span__web_kept *k,
					    size_t len)
{
	for (;;) {
		struct span__web_kept_one *free_one = NULL, *oldest = NULL;

		for (size_t i = 0; i < SPAN__WEB_KEPT; i++) {
			struct span__web_kept_one *one = &k->v[i];

			if (!one->p)
				free_one = one;
			else if (!oldest || one->used < oldest->used)
				oldest = one;
		}
		if (free_one && k->bytes + len <= KEPT_MAX)
			return free_one;
		drop(k, oldest);
	}
}

void span__web_kept_put(struct span__web_kept *k, XXH128_hash_t digest,
			struct span_str s)
{
	char *p = s.len && s.len <= ONE_MAX ? malloc(s.len) : NULL;

	if (!p)
		return;
	memcpy(p, s.p, s.len);
	pthread_mutex_lock(&k->lock);
	*make_room(k, s.len) = (struct span__web_kept_one){
		.digest = digest, .p = p, .len = s.len, .used = ++k->clock};
	k->bytes += s.len;
	pthread_mutex_unlock(&k->lock);
}

void span__web_kept_release(struct span__web_kept *k)
{
	for (size_t i = 0; i < SPAN__WEB_KEPT; i++)
		if (k->v[i].p)
			drop(k, &k->v[i]);
	pthread_mutex_destroy(&k->lock);
}
