/* SPDX-License-Identifier: Apache-2.0 */
/* Tags that spans have by their process. */
#include <string.h>

#include "store/attr_test.h"
#include "store/seg_match.h"

#include "base/banned.h"

static int ask_process(struct span__seg_match *m,
		       const struct span__seg_tag *tag,
		       const struct span_process *p)
{
	if (!tag->test)
		return span__tag_eq_attrs(tag->eq, &p->attrs, &m->text);
	if (!(tag->test->of & (SPAN_ATTRS_PROCESS | SPAN_ATTRS_PROCESS_ELSE)))
		return 0;
	return span__attr_test_attrs(tag->test, &p->attrs, m->err);
}

int span__seg_match_processes(struct span__seg_match *m,
			      struct span__seg_tag *tag)
{
	uint64_t n = m->s->process_ends.n;
	size_t words = span__bit_words(n);

	if (tag->known)
		return 0;
	tag->processes = span_arena_array(&m->arena, words, sizeof(uint64_t));
	if (!tag->processes)
		return SPAN_E_NOMEM;
	memset(tag->processes, 0, words * sizeof(uint64_t));
	for (uint64_t i = 0; i < n; i++) {
		const struct span_process *p;
		int rc;

		span_arena_reset(&m->temp);
		p = span__seg_process(m->s, i, &m->temp);
		if (!p && !m->s->file.bad)
			return SPAN_E_NOMEM;
		rc = p ? ask_process(m, tag, p) : 0;
		if (rc < 0)
			return rc;
		tag->processes[i / 64] |= (uint64_t)rc << i % 64;
		tag->n_found += (uint64_t)rc;
	}
	tag->known = true;
	return 0;
}

/* By the column of processes. */
static int find_processes(const struct span__seg_match *m,
			  const struct span__seg_tag *tag,
			  const struct span__ints *c, uint64_t *out)
{
	uint64_t numbers[SEG_GROUP], n_processes = m->s->process_ends.n;
	int found = SEG_FOUND_NONE;

	for (uint64_t at = 0; at < c->n; at += SEG_GROUP) {
		size_t n =
			c->n - at < SEG_GROUP ? (size_t)(c->n - at) : SEG_GROUP;

		span__ints_range(c, at, n, numbers);
		for (size_t i = 0; i < n; i++) {
			uint64_t p = numbers[i], to = at + i;

			if (p >= n_processes || !span__bit(tag->processes, p))
				continue;
			found = SEG_FOUND_SOME;
			out[to / 64] |= UINT64_C(1) << to % 64;
		}
	}
	return found;
}

int span__seg_match_by_process(struct span__seg_match *m,
			       struct span__seg_type_reader *t, unsigned k,
			       uint64_t *out, bool *open)
{
	struct span__seg_tag *tag = &m->tags[k];
	struct span__seg_column *c;
	int rc = span__seg_match_processes(m, tag);

	if (rc < 0 || !tag->n_found)
		return rc;
	if (tag->n_found == m->s->process_ends.n)
		return SEG_FOUND_ALL;
	if (t->type.same_process) {
		*open = true;
		return SEG_FOUND_NONE;
	}
	c = span__seg_column(m->s, t, 2);
	if (!c || !c->ints)
		return m->s->file.bad ? SEG_FOUND_NONE : SPAN_E_NOMEM;
	return find_processes(m, tag, c->ints, out);
}
