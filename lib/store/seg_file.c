/* SPDX-License-Identifier: Apache-2.0 */
#include "store/seg_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/le.h"
#include "store/seg_head.h"

#include "store/seg_codec.h"

#include "base/banned.h"

/* A page that was found damaged is not summed up again and again. */
static bool page_good(struct span__seg_file *f, uint64_t page)
{
	uint8_t bit = (uint8_t)(1u << page % 8);
	uint64_t pos = page * SEG_PAGE;
	size_t len = SEG_PAGE;
	uint32_t crc;

	if (f->checked[page / 8] & bit)
		return true;
	if (f->damaged[page / 8] & bit)
		return false;
	if (page < f->n_crcs && f->check_all) {
		if (len > f->data_end - pos)
			len = (size_t)(f->data_end - pos);
		crc = span__seg_page_crc(&f->header.id, page, f->map + pos,
					 len);
		if (crc != span__get32(f->crcs + page * 4)) {
			f->damaged[page / 8] |= bit;
			return false;
		}
	}
	f->checked[page / 8] |= bit;
	return true;
}

static void mark_bad(struct span__seg_file *f, uint64_t pos)
{
	if (f->bad)
		return;
	f->bad = true;
	f->bad_pos = pos;
}

bool span__seg_check(struct span__seg_file *f, const uint8_t *p, uint64_t len)
{
	uint64_t pos = (uint64_t)(p - f->map), page;

	if (!len)
		return true;
	for (page = pos / SEG_PAGE; page <= (pos + len - 1) / SEG_PAGE;
	     page++) {
		if (page_good(f, page))
			continue;
		mark_bad(f, page * SEG_PAGE);
		return false;
	}
	return true;
}

bool span__area_bad(const struct span__area *a)
{
	if (a->file)
		mark_bad(a->file, a->p ? (uint64_t)(a->p - a->file->map) : 0);
	return false;
}

struct span__area span__seg_area(struct span__seg_file *f,
				 enum span__seg_section type)
{
	for (size_t i = 0; i < f->n_sections; i++) {
		if (f->sections[i].type == (uint32_t)type && f->sections[i].len)
			return (struct span__area){f->map + f->sections[i].pos,
						   f->sections[i].len, f};
	}
	return (struct span__area){NULL, 0, f};
}

static int open_error(const char *name, struct span_error *err)
{
	int rc = errno == ENOENT ? SPAN_E_NOTFOUND : SPAN_E_IO;

	return span_error_set(err, rc, "%s: cannot open", name);
}

static int map_file(struct span__seg_file *f, int fd, struct span_error *err)
{
	const struct span__io *io = f->io;
	struct span__io_stat st;

	if (io->fstat(io->self, fd, &st) < 0)
		return span_error_set(err, SPAN_E_IO, "%s: cannot stat",
				      f->name);
	if (st.size < SEG_HEADER || st.size >= SEG_SIZE_MAX ||
	    st.size > SIZE_MAX)
		return span_error_at(err, SPAN_E_CORRUPT, 0,
				     "%s: no segment has %llu bytes", f->name,
				     (unsigned long long)st.size);
	f->map = io->map(io->self, fd, (size_t)st.size);
	if (!f->map)
		return span_error_set(err, SPAN_E_IO, "%s: cannot map",
				      f->name);
	f->size = st.size;
	return 0;
}

/* The copy at the end, when the head is damaged. */
static int read_copy(struct span__seg_head *head, const uint8_t *map,
		     uint64_t size)
{
	struct span__seg_trailer t;
	uint64_t pos, end;
	int rc;

	if (size < SEG_PAGE + SEG_HEADER + SEG_TRAILER)
		return SPAN_E_CORRUPT;
	end = size - SEG_TRAILER;
	pos = span__seg_trailer_head(map + end);
	if (pos < SEG_PAGE || pos % SEG_ALIGN || pos > end)
		return SPAN_E_CORRUPT;
	rc = span__seg_head_get(head, map + pos, end - pos, pos, NULL);
	if (rc < 0)
		return rc;
	return span__seg_trailer_get(&t, &head->header.id, map + end, end)
		       ? 0
		       : SPAN_E_CORRUPT;
}

static int read_head(struct span__seg_head *head, struct span__seg_file *f,
		     struct span_error *err)
{
	struct span_error why = {0};
	int rc = span__seg_head_get(head, f->map, f->size, 0, &why);

	if (rc == SPAN_E_CORRUPT)
		rc = read_copy(head, f->map, f->size);
	if (rc == SPAN_E_FORMAT)
		return span_error_set(err, rc, "%s: a later version wrote it",
				      f->name);
	if (rc < 0)
		return span_error_at(err, rc, 0, "%s: %s", f->name, why.msg);
	return 0;
}

/* Of a file that was cut there is what is there. */
static void cut_sections(struct span__seg_file *f)
{
	mark_bad(f, f->size);
	for (size_t i = 0; i < f->n_sections; i++) {
		struct span__seg_entry *e = &f->sections[i];

		if (e->pos > f->size)
			e->len = 0;
		else if (e->len > f->size - e->pos)
			e->len = f->size - e->pos;
	}
}

static int take_head(struct span__seg_file *f, const struct span__seg_head *h,
		     struct span_error *err)
{
	uint64_t pages = span__seg_pages(h->data_end), have, bytes;

	f->header = h->header;
	f->full_size = h->file_size;
	f->data_end = h->data_end;
	memcpy(f->sections, h->sections, h->n_sections * sizeof(*h->sections));
	f->n_sections = h->n_sections;
	have = f->size > f->data_end ? (f->size - f->data_end) / 4 : 0;
	f->n_crcs = have < pages ? have : pages;
	if (f->n_crcs)
		f->crcs = f->map + f->data_end;
	if (f->size < f->data_end)
		pages = span__seg_pages(f->size);
	if (f->size < f->full_size)
		cut_sections(f);
	f->check_all = true;
	bytes = pages / 8 + 1;
	f->checked = calloc(2, (size_t)bytes);
	if (!f->checked)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	f->damaged = f->checked + bytes;
	return 0;
}

int span__seg_file_open(struct span__seg_file *f, const struct span__io *io,
			int dirfd, const char *name, struct span_error *err)
{
	struct span__seg_head head;
	int fd, rc;

	*f = (struct span__seg_file){.io = io};
	snprintf(f->name, sizeof(f->name), "%s", name);
	fd = io->open(io->self, dirfd, name, O_RDONLY | O_NOFOLLOW, 0);
	if (fd < 0)
		return open_error(name, err);
	rc = map_file(f, fd, err);
	(void)io->close(io->self, fd);
	if (rc == 0)
		rc = read_head(&head, f, err);
	if (rc == 0)
		rc = take_head(f, &head, err);
	if (rc < 0)
		span__seg_file_close(f);
	return rc;
}

void span__seg_file_close(struct span__seg_file *f)
{
	union {
		const uint8_t *given;
		void *taken;
	} map = {f->map};

	if (f->map)
		f->io->unmap(f->io->self, map.taken, (size_t)f->size);
	free(f->checked);
	span__codec_release(&f->codec);
	*f = (struct span__seg_file){0};
}
