/* SPDX-License-Identifier: Apache-2.0 */
#include "net/send_batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

int span__batch_open(struct span__batch **out, size_t max,
		     struct span_error *err)
{
	struct span__batch *b = calloc(1, sizeof(*b));
	size_t slots = 4;

	*out = NULL;
	if (!b)
		return no_memory(err);
	while (slots < 2 * max)
		slots *= 2;
	b->max = max;
	b->table_mask = slots - 1;
	b->spans = calloc(max, sizeof(*b->spans));
	b->process_of = calloc(max, sizeof(*b->process_of));
	b->processes = calloc(max, sizeof(*b->processes));
	b->table = calloc(slots, sizeof(*b->table));
	b->marks = calloc(max, sizeof(*b->marks));
	if (!b->spans || !b->marks || !b->process_of || !b->processes ||
	    !b->table) {
		span__batch_close(&b);
		return no_memory(err);
	}
	*out = b;
	return 0;
}

static bool same_process(const struct span__batch_process *a,
			 const struct span_process *p, uint64_t hash)
{
	struct span x = {.process = a->p}, y = {.process = p};

	if (a->p->serial && a->p->serial == p->serial)
		return true;
	return a->hash == hash && span_equal(&x, &y);
}

static int add_process(struct span__batch *b, const struct span_process *p,
		       uint64_t hash, struct span_error *err)
{
	struct span copy, s = {.process = p};

	if (span_copy(&copy, &s, &b->arena) < 0)
		return no_memory(err);
	b->processes[b->n_processes++] =
		(struct span__batch_process){.p = copy.process, .hash = hash};
	return 0;
}

/* The index of a process, added where it is new; or a negative code. */
static int64_t find_process(struct span__batch *b, const struct span_process *p,
			    struct span_error *err)
{
	size_t last = b->n ? b->process_of[b->n - 1] : 0, at;
	struct span s = {.process = p};
	uint64_t hash;

	if (b->n && p->serial && b->processes[last].p->serial == p->serial)
		return (int64_t)last;
	hash = span_hash(&s);
	for (at = hash & b->table_mask; b->table[at];
	     at = (at + 1) & b->table_mask)
		if (same_process(&b->processes[b->table[at] - 1], p, hash))
			return b->table[at] - 1;
	if (add_process(b, p, hash, err) < 0)
		return SPAN_E_NOMEM;
	b->table[at] = (uint32_t)b->n_processes;
	return (int64_t)b->n_processes - 1;
}

int span__batch_put(struct span__batch *b, const struct span *s,
		    struct span_error *err)
{
	static const struct span_process none;
	int64_t process = find_process(b, s->process, err);
	struct span view = *s;

	if (process < 0)
		return (int)process;
	view.process = &none;
	if (span_copy(&b->spans[b->n], &view, &b->arena) < 0)
		return no_memory(err);
	b->spans[b->n].process = b->processes[process].p;
	b->processes[process].n++;
	b->process_of[b->n++] = (uint32_t)process;
	return 0;
}

size_t span__batch_size(const struct span__batch *b)
{
	return span_arena_size(&b->arena);
}

/* Where the spans of each process begin, in NEXT. */
static void find_groups(const struct span__batch *b, size_t *next)
{
	size_t at = 0;

	for (size_t i = 0; i < b->n_processes; i++) {
		next[i] = at;
		at += b->processes[i].n;
	}
}

int span__batch_group(struct span__batch *b, struct span_error *err)
{
	struct span *spans = calloc(b->max, sizeof(*spans));
	struct span__batch_mark *marks = calloc(b->max, sizeof(*marks));
	size_t *next = calloc(b->n_processes + 1, sizeof(*next));

	if (!spans || !marks || !next) {
		free(spans);
		free(marks);
		free(next);
		return no_memory(err);
	}
	find_groups(b, next);
	for (size_t i = 0; i < b->n; i++) {
		size_t to = next[b->process_of[i]]++;

		spans[to] = b->spans[i];
		marks[to] = b->marks[i];
	}
	free(b->spans);
	free(b->marks);
	free(next);
	b->spans = spans;
	b->marks = marks;
	return 0;
}

void span__batch_close(struct span__batch **bp)
{
	struct span__batch *b = *bp;

	if (!b)
		return;
	free(b->spans);
	free(b->process_of);
	free(b->processes);
	free(b->table);
	free(b->marks);
	span_arena_release(&b->arena);
	free(b);
	*bp = NULL;
}
