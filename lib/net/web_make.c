/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of an answer in pieces only what the client is about to take is made: then
 * the thread takes another job. So a slow client has an open answer and what
 * belongs to it, but no thread.
 */
#include <stdio.h>
#include <string.h>

#include "net/web_state.h"

#include "base/banned.h"

#define GZIP_MIN 1024u /* bytes of an answer that is worth it */
#define GZIP_LEVEL 1
#define GZIP_WINDOW (15 + 16) /* with a head of gzip */

static bool is_text(const char *type)
{
	return type && (!strncmp(type, "text/", 5) || strstr(type, "json") ||
			strstr(type, "javascript") || strstr(type, "xml") ||
			strstr(type, "protobuf"));
}

/* Append a piece to what is to be sent; LAST: there are no more. */
static int deflate_piece(struct span__web_job *j, struct span_str s, bool last)
{
	int rc = Z_OK;

	j->z.next_in = (Bytef *)(uintptr_t)s.p;
	j->z.avail_in = (uInt)s.len;
	do {
		size_t room = s.len / 4 + 512;
		char *p = span_buf_reserve(&j->out, room);

		if (!p)
			return SPAN_E_NOMEM;
		j->z.next_out = (Bytef *)p;
		j->z.avail_out = (uInt)room;
		rc = deflate(&j->z, last ? Z_FINISH : Z_SYNC_FLUSH);
		j->out.len += room - j->z.avail_out;
	} while (!j->z.avail_out && rc == Z_OK);
	return 0;
}

static int put_out(struct span__web_job *j, struct span_str s, bool last)
{
	/* uInt, and of the reserve above. */
	const size_t most = 1u << 30;
	int rc = 0;

	if (!j->gzip) {
		span_buf_str(&j->out, s);
		return j->out.failed ? SPAN_E_NOMEM : 0;
	}
	while (s.len > most && rc == 0) {
		rc = deflate_piece(j, (struct span_str){s.p, most}, false);
		s = (struct span_str){s.p + most, s.len - most};
	}
	return rc ? rc : deflate_piece(j, s, last);
}

void span__web_close_answer(struct span__web_job *j)
{
	if (j->a.close)
		j->a.close(j->a.arg);
	j->a.close = NULL;
	j->a.more = NULL;
}

/* Pieces until there is enough to send for a while. */
static int make_more(struct span__web_job *j, struct span_error *err)
{
	int rc = 1;

	while (rc > 0 && j->a.more && j->piece.len < SPAN__WEB_PIECE) {
		struct span_buf part = {0};

		if (__atomic_load_n(&j->gone, __ATOMIC_RELAXED))
			return SPAN_E_PIPE;
		rc = j->a.more(j->a.arg, &part, err);
		if (rc >= 0)
			span_buf_put(&j->piece, part.p, part.len);
		if (part.failed || j->piece.failed)
			rc = SPAN_E_NOMEM;
		span_buf_release(&part);
	}
	if (rc == 0)
		span__web_close_answer(j);
	return rc < 0 ? rc : 0;
}

/* Is it worth it, as far as is known? Decided once. */
static int begin_gzip(struct span__web_job *j)
{
	if (!j->may_gzip || !is_text(j->a.type) ||
	    (!j->a.more && j->piece.len < GZIP_MIN))
		return 0;
	j->gzip = deflateInit2(&j->z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8,
			       Z_DEFAULT_STRATEGY) == Z_OK;
	return j->gzip ? 0 : SPAN_E_NOMEM;
}

/* The one it has is good: all that is sent is how long it is. */
static void compare_etag(struct span__web_job *j)
{
	snprintf(j->etag, sizeof(j->etag), "W/\"%016llx\"",
		 (unsigned long long)XXH3_64bits(j->piece.p, j->piece.len));
	/* Others may have made it a strong one. */
	if (!j->wanted || (strcmp(j->wanted, "*") != 0 &&
			   !strstr(j->wanted, j->etag + strlen("W/"))))
		return;
	j->a.status = 304;
}

static int make_first(struct span__web_job *j, struct span_error *err)
{
	int rc = span__serve_answer(j->web->opts.serve, j->route, j->allow,
				    &j->r, &j->a, err);

	if (rc < 0)
		return rc;
	j->piece = j->a.body;
	j->a.body = (struct span_buf){0};
	j->unmade = !strcmp(j->method, "HEAD") && j->a.more;
	if (j->unmade) {
		span__web_close_answer(j);
		j->piece.len = 0;
	}
	if (j->a.revalidate && !j->a.more && !j->a.status)
		compare_etag(j);
	rc = make_more(j, err);
	return rc < 0 ? rc : begin_gzip(j);
}

/* It comes again as it is, and may be kept. */
static bool is_same_again(const struct span__web_job *j)
{
	return j->gzip && !j->a.more && (j->a.revalidate || j->a.immutable);
}

static int put_again(struct span__web_job *j, struct span_str s)
{
	struct span__web_kept *k = &j->web->kept;
	XXH128_hash_t digest = XXH3_128bits(s.p, s.len);
	int rc;

	if (span__web_kept_get(k, digest, &j->out))
		return j->out.failed ? SPAN_E_NOMEM : 0;
	rc = put_out(j, s, true);
	if (!rc)
		span__web_kept_put(k, digest,
				   (struct span_str){j->out.p, j->out.len});
	return rc;
}

void span__web_make(struct span__web_job *j)
{
	struct span_str piece;
	int rc;

	j->out.len = j->out_sent = 0;
	rc = j->made ? make_more(j, &j->err) : make_first(j, &j->err);
	piece = (struct span_str){j->piece.p, j->piece.len};
	if (rc >= 0)
		rc = is_same_again(j) ? put_again(j, piece)
				      : put_out(j, piece, !j->a.more);
	j->end = rc >= 0 && !j->a.more;
	j->piece.len = 0;
	j->made = true;
	j->rc = rc;
	if (rc < 0 || j->end) {
		span__web_close_answer(j);
		span_buf_release(&j->piece);
	}
}
