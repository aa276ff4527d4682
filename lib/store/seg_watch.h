/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_watch.h - which values are damaged
 *
 * Columns mark the file when a value cannot be read, and the mark stays. To
 * learn what it was that could not be read, the mark is set aside meanwhile.
 */
#ifndef SPAN_SEG_WATCH_H
#define SPAN_SEG_WATCH_H

#include "store/seg_file.h"

struct span__watch {
	struct span__seg_file *file;
	bool bad; /* before, or found since */
	uint64_t pos;
};

static inline struct span__watch span__watch(struct span__seg_file *f)
{
	struct span__watch w = {f, f->bad, f->bad_pos};

	f->bad = false;
	return w;
}

/* Whether damage was found since the last call. */
static inline bool span__watch_damage(struct span__watch *w)
{
	if (!w->file->bad)
		return false;
	if (!w->bad) {
		w->bad = true;
		w->pos = w->file->bad_pos;
	}
	w->file->bad = false;
	return true;
}

/* Put the mark back, as if nothing had been looked at. */
static inline void span__watch_forget(struct span__watch *w)
{
	w->file->bad = w->bad;
	w->file->bad_pos = w->pos;
}

/* Put the mark back. Returns what span__watch_damage() would. */
static inline bool span__watch_end(struct span__watch *w)
{
	bool damage = span__watch_damage(w);

	w->file->bad = w->bad;
	w->file->bad_pos = w->pos;
	return damage;
}

#endif
