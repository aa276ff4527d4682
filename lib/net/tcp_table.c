/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tcp_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/banned.h"

int span__tcp_table_init(struct span__tcp_table *t, struct span_error *err)
{
	memset(t, 0, sizeof(*t));
	/* As span__key_init(), which libspan does not export. */
	if (getrandom(t->key.secret, sizeof(t->key.secret), 0) !=
	    (ssize_t)sizeof(t->key.secret))
		return span_error_set(err, SPAN_E_IO,
				      "cannot get random bytes");
	return 0;
}

static size_t home(const struct span__tcp_table *t,
		   const struct span__tcp_ends *e)
{
	return span__hash(&t->key, e, sizeof(*e)) % SPAN__TCP_SLOTS;
}

/* Where the stream between E is, or the empty slot where it would be. */
static size_t find(const struct span__tcp_table *t,
		   const struct span__tcp_ends *e)
{
	size_t i = home(t, e);

	while (t->slots[i] && memcmp(&t->slots[i]->ends, e, sizeof(*e)) != 0)
		i = (i + 1) % SPAN__TCP_SLOTS;
	return i;
}

/* Empty slot I, and move up those that the gap would hide. */
static void empty_slot(struct span__tcp_table *t, size_t i)
{
	size_t k = i;

	for (;;) {
		size_t want;

		k = (k + 1) % SPAN__TCP_SLOTS;
		if (!t->slots[k])
			break;
		want = home(t, &t->slots[k]->ends);
		if ((k - want) % SPAN__TCP_SLOTS < (k - i) % SPAN__TCP_SLOTS)
			continue;
		t->slots[i] = t->slots[k];
		i = k;
	}
	t->slots[i] = NULL;
}

static void unlink_stream(struct span__tcp_table *t, struct span__tcp_stream *s)
{
	*(s->older ? &s->older->newer : &t->oldest) = s->newer;
	*(s->newer ? &s->newer->older : &t->newest) = s->older;
}

static void link_newest(struct span__tcp_table *t, struct span__tcp_stream *s)
{
	s->older = t->newest;
	s->newer = NULL;
	*(t->newest ? &t->newest->newer : &t->oldest) = s;
	t->newest = s;
}

struct span__tcp_stream *span__tcp_table_find(const struct span__tcp_table *t,
					      const struct span__tcp_ends *e)
{
	return t->slots[find(t, e)];
}

struct span__tcp_stream *span__tcp_table_add(struct span__tcp_table *t,
					     const struct span__tcp_ends *e)
{
	struct span__tcp_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->ends = *e;
	t->slots[find(t, &s->ends)] = s;
	link_newest(t, s);
	t->n++;
	return s;
}

void span__tcp_table_touch(struct span__tcp_table *t,
			   struct span__tcp_stream *s, uint64_t time_ns)
{
	s->last_ns = time_ns;
	if (t->newest == s)
		return;
	unlink_stream(t, s);
	link_newest(t, s);
}

void span__tcp_table_remove(struct span__tcp_table *t,
			    struct span__tcp_stream *s)
{
	empty_slot(t, find(t, &s->ends));
	unlink_stream(t, s);
	t->n--;
	free(s);
}
