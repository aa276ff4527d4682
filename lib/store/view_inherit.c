/* SPDX-License-Identifier: Apache-2.0 */
/* What a new view of a store takes over from the one before. */
#include "store/store_view.h"

#include <string.h>

#include "base/banned.h"

/* The same segment, not one that took its name. */
static bool same_segment(const struct span__seg *a, const struct span__seg *b)
{
	const struct span__seg_header *x = &a->file.header;
	const struct span__seg_header *y = &b->file.header;

	return a->file.size == b->file.size && x->created_ns == y->created_ns &&
	       x->first_number == y->first_number &&
	       x->hash_seed == y->hash_seed &&
	       !memcmp(&x->id, &y->id, sizeof(x->id)) &&
	       !memcmp(&x->sum, &y->sum, sizeof(x->sum));
}

static void inherit(struct span__view_file *f, struct span__view_file *o)
{
	if (f->kind != o->kind)
		return;
	/* A log only grows. */
	if (f->drafted == o->drafted) {
		f->names = o->names;
		o->names = NULL;
	}
	if (f->kind == FILE_OPEN)
		return;
	if (f->kind == FILE_SEG) {
		struct span__seg *seg = f->seg;

		if (!seg != !o->seg || (seg && !same_segment(seg, o->seg)))
			return;
		f->seg = o->seg;
		f->seg_held = o->seg_held;
		o->seg = seg;
		f->verified = o->verified;
	}
	f->has_sum = o->has_sum;
	f->told = o->told;
	f->size = o->size;
	f->sum = o->sum;
}

void span__view_inherit(struct span__view *view, struct span__view *old)
{
	size_t i = 0, k = 0;

	while (i < view->n && k < old->n) {
		int order = span__file_order(&view->v[i].file, &old->v[k].file);

		if (!order)
			inherit(&view->v[i], &old->v[k]);
		i += order <= 0;
		k += order >= 0;
	}
}
