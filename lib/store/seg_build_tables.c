/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers of strings and processes in the segment: strings by their bytes,
 * those that something refers to; processes by service, so that the processes
 * of one type of spans have numbers near each other.
 */
#include "store/seg_build_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/sort.h"

#include "base/banned.h"

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM,
			      "no memory for a segment's tables");
}

/* The first bytes of a text, as a number that orders as they do. */
static uint64_t first_bytes(struct span_str s)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | (i < s.len ? (unsigned char)s.p[i] : 0u);
	return v;
}

static int compare_strings(const void *arg, uint32_t x, uint32_t y)
{
	const struct span__seg_builder *b = arg;

	return span_str_compare(b->strings.v[x], b->strings.v[y]);
}

static int compare_services(const void *arg, uint32_t x, uint32_t y)
{
	const struct span__seg_builder *b = arg;

	return compare_strings(b, b->services[x], b->services[y]);
}

int span__build_processes(struct span__seg_builder *b,
			  struct span__build_output *out,
			  struct span_error *err)
{
	size_t n = b->processes.n;
	struct span__item *items = malloc((2 * n + 1) * sizeof(*items));

	out->processes = malloc((n + 1) * sizeof(*out->processes));
	out->process_order = malloc((n + 1) * sizeof(*out->process_order));
	if (!items || !out->processes || !out->process_order) {
		free(items);
		return no_memory(err);
	}
	for (uint32_t i = 0; i < n; i++)
		items[i] = (struct span__item){
			first_bytes(b->strings.v[b->services[i]]), i};
	span__sort(items, items + n, n, compare_services, b);
	for (uint32_t i = 0; i < n; i++) {
		out->process_order[i] = items[i].i;
		out->processes[items[i].i] = i;
	}
	free(items);
	return 0;
}

static void use(uint32_t *used, uint32_t string)
{
	if (string != SEG_NO_STRING)
		used[string] = 0;
}

/* Mark every string that something refers to by 0. */
static void mark_used(const struct span__seg_builder *b,
		      const struct span__build_output *out, uint32_t *used)
{
	for (size_t i = 0; i < out->n_plans; i++)
		for (size_t k = 0; k < out->plans[i].n_strings; k++)
			use(used, out->plans[i].strings[k]);
	for (size_t i = 0; i < b->processes.n; i++)
		use(used, b->services[i]);
	for (size_t i = 0; i < span__build_n_types(b); i++) {
		const struct span__seg_type *t = &span__build_types(b)[i].type;

		use(used, t->service);
		use(used, t->name);
		for (unsigned k = 0; k < t->n_events; k++)
			use(used, t->events[k].name);
		for (unsigned k = 0; k < t->n_slots; k++)
			use(used, t->slots[k].key);
	}
}

static size_t count_used(const uint32_t *used, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += used[i] == 0;
	return count;
}

/* Sort the N strings that are used, and give them their numbers. */
static bool number_used(struct span__seg_builder *b, uint32_t *used, size_t n,
			struct span_str *sorted)
{
	struct span__item *items = malloc((2 * n + 1) * sizeof(*items));
	size_t to = 0;

	if (!items)
		return false;
	for (uint32_t i = 0; i < b->strings.n; i++)
		if (used[i] == 0)
			items[to++] = (struct span__item){
				first_bytes(b->strings.v[i]), i};
	span__sort(items, items + n, n, compare_strings, b);
	for (uint32_t i = 0; i < n; i++) {
		used[items[i].i] = i;
		sorted[i] = b->strings.v[items[i].i];
	}
	free(items);
	return true;
}

int span__build_strings(struct span__seg_builder *b,
			struct span__build_output *out,
			struct span_buf *section, struct span_buf *shorts,
			struct span_error *err)
{
	size_t n_all = b->strings.n, n;
	struct span_str *sorted;
	int rc;

	out->strings = malloc(n_all * sizeof(*out->strings));
	if (!out->strings)
		return no_memory(err);
	memset(out->strings, 0xff, n_all * sizeof(*out->strings));
	mark_used(b, out, out->strings);
	n = count_used(out->strings, n_all);
	sorted = malloc((n + 1) * sizeof(*sorted));
	if (sorted && number_used(b, out->strings, n, sorted))
		rc = span__strings_put_section(section, sorted, n, b->codec,
					       err);
	else
		rc = no_memory(err);
	if (rc == 0)
		rc = span__strings_put_short(shorts, sorted, n, b->codec, err);
	free(sorted);
	return rc;
}
