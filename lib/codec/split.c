/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON is walked by split_json.c, CSV goes out line by line behind its header,
 * and whatever else there is as it is.
 */
#include "codec/split_state.h"

#include <stdlib.h>

#include "codec/detect.h"

#include "base/banned.h"

static int open_splitter(struct span_splitter **out, struct span__input in,
			 const struct span_splitter_opts *o,
			 struct span_error *err)
{
	struct span_splitter *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	s->in = in;
	if (o)
		s->o = *o;
	if (!s->o.max)
		s->o.max = SPAN_MESSAGE_MAX;
	s->in.tie = s->o.tie;
	s->in.max = SIZE_MAX;
	if (s->o.head.len && span__input_head(&s->in, s->o.head, err) < 0) {
		free(s);
		return SPAN_E_NOMEM;
	}
	*out = s;
	return 0;
}

int span_splitter_open(struct span_splitter **out, int fd,
		       const struct span_splitter_opts *o,
		       struct span_error *err)
{
	return open_splitter(out, (struct span__input){.fd = fd}, o, err);
}

int span_splitter_open_mem(struct span_splitter **out, const void *p,
			   size_t len, const struct span_splitter_opts *o,
			   struct span_error *err)
{
	return open_splitter(out,
			     (struct span__input){.fd = -1, .p = p, .len = len},
			     o, err);
}

void span_splitter_close(struct span_splitter **s)
{
	if (!*s)
		return;
	span__input_release(&(*s)->in);
	span_buf_release(&(*s)->header);
	span_buf_release(&(*s)->records);
	free(*s);
	*s = NULL;
}

/* All of the input. */
static int split_whole(struct span_splitter *s, struct span_piece *piece,
		       struct span_error *err)
{
	int rc = 1;

	while (rc > 0 && s->in.len <= s->o.max)
		rc = span__input_more(&s->in, err);
	if (rc < 0)
		return rc;
	s->ended = true;
	if (s->in.len > s->o.max)
		return span_error_at(err, SPAN_E_LIMIT, s->in.pos,
				     "a message above %zu bytes", s->o.max);
	*piece = (struct span_piece){
		.format = s->o.format,
		.data = {(const char *)s->in.p, s->in.len},
		.pos = s->in.pos,
	};
	return s->in.len > 0;
}

/* The records that are whole, behind the header. */
static int give_records(struct span_splitter *s, struct span_piece *piece,
			struct span_error *err)
{
	s->records.len = 0;
	span_buf_put(&s->records, s->header.p, s->header.len);
	span_buf_put(&s->records, s->in.p, s->whole);
	if (s->records.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	*piece = (struct span_piece){
		.format = SPAN_FORMAT_CSV,
		.data = {s->records.p, s->records.len},
		/* So that the places of its records are right. */
		.pos = s->in.pos - s->header.len,
	};
	span__input_take(&s->in, s->whole);
	s->at -= s->whole;
	s->whole = 0;
	return 1;
}

/* Look on for ends of records; stop behind the header. */
static void find_records(struct span_splitter *s)
{
	while (s->at < s->in.len && !(s->whole && !s->header.len)) {
		s->at += span__csv_record(&s->record, s->in.p + s->at,
					  s->in.len - s->at);
		if (!s->record.ended)
			break;
		s->whole = s->at;
		s->record = (struct span__csv_scan){0};
	}
}

/* A quote that nobody closed: from the next line on it may be good again. */
static int too_long(struct span_splitter *s, struct span_error *err)
{
	uint64_t pos = s->in.pos;
	const unsigned char *end = memchr(s->in.p, '\n', s->in.len);

	span__input_take(&s->in, end ? (size_t)(end - s->in.p) + 1 : s->in.len);
	s->at = 0;
	s->record = (struct span__csv_scan){0};
	return span_error_at(err, SPAN_E_LIMIT, pos,
			     "a line of CSV above %zu bytes: a quote is open",
			     s->o.max);
}

static int split_csv(struct span_splitter *s, struct span_piece *piece,
		     struct span_error *err)
{
	int rc = 1;

	for (;;) {
		find_records(s);
		if (!s->whole && rc == 0)
			s->whole = s->in.len;
		if (s->whole && !s->header.len) {
			span_buf_put(&s->header, s->in.p, s->whole);
			span__input_take(&s->in, s->whole);
			s->at -= s->whole;
			s->whole = 0;
			continue;
		}
		if (s->whole)
			return give_records(s, piece, err);
		if (rc == 0)
			return 0;
		if (s->in.len > s->o.max)
			return too_long(s, err);
		rc = span__input_more(&s->in, err);
		if (rc < 0)
			return rc;
	}
}

/* A header of CSV, and space before JSON, that are taken for such. */
#define HEADER_MAX (64u << 10)
#define SPACE_MAX 4096u

static enum span_head text_head(const unsigned char *p, size_t len, bool all)
{
	if (!all && len < HEADER_MAX && !memchr(p, '\n', len))
		return SPAN_HEAD_MORE;
	return span__csv_detect(p, len) ? SPAN_HEAD_CSV : SPAN_HEAD_UNKNOWN;
}

enum span_head span_split_head(const void *bytes, size_t len, bool all)
{
	const unsigned char *p = bytes;
	size_t at = len ? span__json_space(p, len) : 0;
	enum span_head head = SPAN_HEAD_UNKNOWN;

	if (at == len && (all || len < SPACE_MAX))
		return all ? SPAN_HEAD_SPACE : SPAN_HEAD_MORE;
	if (p[0] == '\n' && len < SPAN__JSON_ENOUGH && !all)
		return SPAN_HEAD_MORE;
	if (at == len || span__json_detect(p, len))
		return SPAN_HEAD_JSON;
	if ((p[0] >= ' ' && p[0] <= '~') || p[0] == 0xef)
		head = text_head(p, len, all);
	if (head != SPAN_HEAD_UNKNOWN)
		return head;
	if (!all && len < 1u << 20)
		return SPAN_HEAD_MORE;
	return span_format_detect(p, len) ? SPAN_HEAD_MESSAGE
					  : SPAN_HEAD_UNKNOWN;
}

static bool is_json(int format)
{
	return format == SPAN_FORMAT_ZIPKIN_JSON ||
	       format == SPAN_FORMAT_OTLP_JSON ||
	       format == SPAN_FORMAT_JAEGER_JSON || format == SPAN_FORMAT_JSONL;
}

static int choose(struct span_splitter *s, int rc, struct span_error *err)
{
	enum span_head head = SPAN_HEAD_MORE;

	if (is_json(s->o.format)) {
		s->next = span__split_json;
	} else if (s->o.format) {
		s->next = s->o.format == SPAN_FORMAT_CSV ? split_csv
							 : split_whole;
	} else {
		while (rc >= 0 && !head) {
			head = span_split_head(s->in.p, s->in.len, rc == 0);
			if (!head)
				rc = span__input_more(&s->in, err);
		}
		s->next = head == SPAN_HEAD_JSON  ? span__split_json
			  : head == SPAN_HEAD_CSV ? split_csv
						  : split_whole;
	}
	s->ended = head == SPAN_HEAD_SPACE;
	s->lines = s->o.format == SPAN_FORMAT_JSONL;
	return rc < 0 ? rc : 0;
}

/* What the input is: by its beginning, behind a byte order mark. */
static int begin(struct span_splitter *s, struct span_error *err)
{
	int rc = 1;

	while (s->in.len < 3 && rc > 0)
		rc = span__input_more(&s->in, err);
	if (s->in.len >= 3 && !memcmp(s->in.p, "\xef\xbb\xbf", 3))
		span__input_take(&s->in, 3);
	return rc < 0 ? rc : choose(s, rc, err);
}

int span_splitter_next(struct span_splitter *s, struct span_piece *piece,
		       struct span_error *err)
{
	int rc = s->next ? 0 : begin(s, err);

	if (rc < 0 || s->ended)
		return rc;
	rc = s->next(s, piece, err);
	if (rc == SPAN_E_IO || rc == SPAN_E_NOMEM || rc == SPAN_E_PIPE)
		s->ended = true;
	return rc;
}
