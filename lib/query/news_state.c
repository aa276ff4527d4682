/* SPDX-License-Identifier: Apache-2.0 */
#include "query/news.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"

#include "base/banned.h"

#define FIRST_LINE "span-cursor "
#define ID_TEXT 32u
#define CRC_LINE "crc32c "

int span__news_state_init(struct span__news_state *s, struct span_error *err)
{
	int rc;

	*s = (struct span__news_state){0};
	rc = span__ids_init(&s->waiting, err);
	return rc < 0 ? rc : span__ids_init(&s->told, err);
}

int span__news_state_tell(struct span__news_state *s, const uint8_t id[16],
			  struct span_error *err)
{
	int rc = span__ids_put(&s->told, id, ++s->n_told, err);

	if (s->told.n >= NEWS_TOLD)
		span__ids_order(&s->told, NEWS_TOLD - NEWS_TOLD_SPARE);
	return rc < 0 ? rc : 0;
}

void span__news_state_release(struct span__news_state *s)
{
	span__ids_release(&s->waiting);
	span__ids_release(&s->told);
}

/* ---- Write ---- */

static void put_hex(struct span_buf *b, const uint8_t *p, size_t len)
{
	span_text_hex(b, (struct span_str){(const char *)p, len});
}

static void put_uuid(struct span_buf *b, const uint8_t uuid[16])
{
	static const size_t ends[] = {4, 6, 8, 10, 16};
	size_t from = 0;

	for (size_t i = 0; i < 5; i++) {
		span_buf_puts(b, i ? "-" : "");
		put_hex(b, uuid + from, ends[i] - from);
		from = ends[i];
	}
}

void span__news_state_write(struct span__news_state *s, struct span_buf *out)
{
	size_t from = out->len;

	span_buf_puts(out, FIRST_LINE "1\nuuid ");
	put_uuid(out, s->uuid);
	span_buf_printf(out, "\nseq %" PRIu64 "\narrival %" PRIu64 "\n",
			s->mark.seq, s->mark.arrival_ns);
	for (size_t i = 0; i < s->waiting.n; i++) {
		span_buf_puts(out, "waiting ");
		put_hex(out, s->waiting.v[i].id, 16);
		span_buf_printf(out, " %" PRIu64 "\n", s->waiting.v[i].key);
	}
	span__ids_order(&s->told, 0);
	for (size_t i = s->told.n; i-- > 0;) {
		span_buf_puts(out, "told ");
		put_hex(out, s->told.v[i].id, 16);
		span_buf_putc(out, '\n');
	}
	if (!out->failed)
		span_buf_printf(
			out, CRC_LINE "%08" PRIx32 "\n",
			span__crc32c(0, out->p + from, out->len - from));
}

/* ---- Read ---- */

struct parser {
	const char *start, *p, *end;
	struct span_error *err;
};

static int bad(const struct parser *in, const char *what)
{
	return span_error_at(in->err, SPAN_E_CORRUPT,
			     (uint64_t)(in->p - in->start), "%s", what);
}

static bool skip(struct parser *in, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(in->end - in->p) < len || memcmp(in->p, word, len) != 0)
		return false;
	in->p += len;
	return true;
}

static bool number(struct parser *in, uint64_t *n)
{
	const char *from = in->p;

	*n = 0;
	for (; in->p < in->end && *in->p >= '0' && *in->p <= '9'; in->p++)
		if (__builtin_mul_overflow(*n, 10u, n) ||
		    __builtin_add_overflow(*n, (uint64_t)(*in->p - '0'), n))
			return false;
	return in->p > from;
}

static bool trace_id(struct parser *in, uint8_t id[16])
{
	if (in->end - in->p < (ptrdiff_t)ID_TEXT ||
	    span_trace_id_parse((struct span_str){in->p, ID_TEXT}, id) < 0)
		return false;
	in->p += ID_TEXT;
	return true;
}

static bool read_uuid(struct parser *in, uint8_t uuid[16])
{
	char digits[ID_TEXT];
	size_t n = 0;

	for (; n < ID_TEXT && in->p < in->end; in->p++)
		if (*in->p != '-')
			digits[n++] = *in->p;
	return n == ID_TEXT &&
	       span_trace_id_parse((struct span_str){digits, n}, uuid) == 0;
}

static int read_head(struct span__news_state *s, struct parser *in)
{
	if (!skip(in, FIRST_LINE))
		return bad(in, "this is no cursor");
	if (!skip(in, "1\n"))
		return span_error_set(in->err, SPAN_E_FORMAT,
				      "a later version wrote it");
	if (!skip(in, "uuid ") || !read_uuid(in, s->uuid) || !skip(in, "\n"))
		return bad(in, "the UUID of a store was expected");
	if (!skip(in, "seq ") || !number(in, &s->mark.seq) ||
	    !skip(in, "\narrival ") || !number(in, &s->mark.arrival_ns) ||
	    !skip(in, "\n"))
		return bad(in, "a number was expected");
	return 0;
}

static int read_traces(struct span__news_state *s, struct parser *in)
{
	uint8_t id[16];
	uint64_t arrival;
	int rc = 0;

	while (rc >= 0 && skip(in, "waiting ")) {
		if (!trace_id(in, id) || !skip(in, " ") ||
		    !number(in, &arrival) || !skip(in, "\n"))
			return bad(in, "a trace was expected");
		rc = span__ids_put(&s->waiting, id, arrival, in->err);
	}
	while (rc >= 0 && skip(in, "told ")) {
		if (!trace_id(in, id) || !skip(in, "\n"))
			return bad(in, "a trace was expected");
		rc = span__news_state_tell(s, id, in->err);
	}
	return rc < 0 ? rc : 0;
}

int span__news_state_read(struct span__news_state *s, struct span_str text,
			  struct span_error *err)
{
	struct parser in = {text.p, text.p, text.p + text.len, err};
	char want[sizeof(CRC_LINE) + 9];
	uint32_t crc;
	int rc = text.len ? read_head(s, &in) : bad(&in, "it is empty");

	if (!rc)
		rc = read_traces(s, &in);
	if (rc < 0)
		return rc;
	crc = span__crc32c(0, text.p, (size_t)(in.p - text.p));
	snprintf(want, sizeof(want), CRC_LINE "%08" PRIx32 "\n", crc);
	if (!skip(&in, want) || in.p != in.end)
		return bad(&in, "its checksum is wrong, or it goes on");
	return 0;
}
