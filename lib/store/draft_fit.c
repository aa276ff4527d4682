/* SPDX-License-Identifier: Apache-2.0 */
#include "store/draft_fit.h"

#include <string.h>

#include "base/banned.h"

/* The open log that DRAFT may be of, or NULL. */
static struct span__view_file *log_of(struct span__view *view,
				      const struct span__view_file *draft)
{
	for (size_t i = 0; i < view->n; i++) {
		struct span__view_file *f = &view->v[i];

		if (f->is_open && !f->file.foreign && f->kind != FILE_BAD &&
		    f->number == draft->file.number)
			return f;
	}
	return NULL;
}

const struct span__view_file *span__draft_of(const struct span__view *view,
					     const struct span__view_file *f)
{
	for (size_t i = 0; i < view->n && f->drafted; i++) {
		if (span__is_draft(&view->v[i]) &&
		    view->v[i].number == f->number)
			return &view->v[i];
	}
	return NULL;
}

static bool is_whole(const struct span__seg_file *f)
{
	return !f->bad && f->full_size == f->size;
}

/* Both say that the draft was made of this log, and none after it. */
static bool same_origin(const struct span__seg_header *h,
			const struct span__log *l)
{
	return l->header_ok && h->id.number == l->id.number &&
	       h->first_number == l->id.number &&
	       !memcmp(h->id.uuid, l->id.uuid, 16) &&
	       h->stamp_ns == l->header.created_ns &&
	       h->stamp_boot_ns == l->header.created_boot_ns &&
	       !memcmp(h->boot_id, l->header.boot_id, 16);
}

/* Where the last record that the draft has ends in L; 0: it is not there. */
static uint64_t end_of_draft(const struct span__seg_header *h,
			     const struct span__log *l)
{
	uint8_t bytes[LOG_RECORD];
	struct span__log_record rec;
	uint64_t end;

	if (h->log_pos < l->start || h->log_pos > l->end ||
	    l->end - h->log_pos < LOG_RECORD ||
	    span__log_read(l, bytes, sizeof(bytes), h->log_pos, NULL) < 0 ||
	    !span__log_record_get(&rec, &l->id, bytes, h->log_pos))
		return 0;
	end = h->log_pos + span__log_record_size(rec.len);
	return rec.crc == h->log_crc && rec.seq == h->sum.last_seq &&
			       end <= l->end
		       ? end
		       : 0;
}

/* Where the frames of its log begin that it does not have; 0: it is no use. */
static uint64_t fits(const struct span__view_file *draft,
		     const struct span__view_file *log)
{
	const struct span__seg_header *h;

	if (!draft->seg || !log || !is_whole(&draft->seg->file))
		return 0;
	h = &draft->seg->file.header;
	if (span__features_check(&h->features, true, NULL) < 0 ||
	    !same_origin(h, &log->log))
		return 0;
	return end_of_draft(h, &log->log);
}

static void leave_out(struct span__view *view, size_t i)
{
	span__view_close(&view->v[i]);
	memmove(view->v + i, view->v + i + 1,
		(view->n - i - 1) * sizeof(*view->v));
	view->n--;
}

void span__drafts_fit(struct span__view *view, const struct span__dir *d)
{
	size_t i = 0;

	while (i < view->n) {
		struct span__view_file *f = &view->v[i], *log;
		uint64_t end;

		if (!span__is_draft(f)) {
			i++;
			continue;
		}
		log = log_of(view, f);
		end = memcmp(f->origin, d->uuid, 16) ? 0 : fits(f, log);
		if (!end) {
			leave_out(view, i);
			continue;
		}
		log->drafted = end;
		log->draft_sum = f->sum;
		i++;
	}
}

void span__drafts_verify(struct span__view *view)
{
	size_t i = 0;

	while (i < view->n) {
		struct span__view_file *f = &view->v[i], *log;
		struct span__seg_file *file = f->seg ? &f->seg->file : NULL;

		if (!span__is_draft(f) || f->verified) {
			i++;
			continue;
		}
		f->verified = file &&
			      span__seg_check(file, file->map, file->data_end);
		if (f->verified) {
			i++;
			continue;
		}
		log = log_of(view, f);
		if (log) {
			log->drafted = 0;
			/* they are those behind it */
			span__kept_names_close(&log->names);
		}
		leave_out(view, i);
	}
}
