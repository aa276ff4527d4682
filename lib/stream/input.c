/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dec.h"

#include "base/banned.h"

#define FIRST_CAP ((size_t)256 << 10)
#define MIN_READ ((size_t)64 << 10)
#define MARK_LEN 5u

/* Room for a read behind the bytes that wait, which move to the front. */
static int make_room(struct span__input *in, struct span_error *err)
{
	size_t cap = in->cap ? in->cap : FIRST_CAP;
	unsigned char *buf;

	if (in->len >= in->max)
		return span_error_set(err, SPAN_E_LIMIT,
				      "a record above %zu bytes", in->max);
	if (in->len && in->p != in->buf)
		memmove(in->buf, in->p, in->len);
	while (cap - in->len < MIN_READ)
		cap *= 2;
	if (cap != in->cap) {
		buf = realloc(in->buf, cap);
		if (!buf)
			return span_error_set(err, SPAN_E_NOMEM,
					      "no memory for input");
		in->buf = buf;
		in->cap = cap;
	}
	in->p = in->buf;
	return 0;
}

/* How long the read may block: until the writer or the caller is due. */
static int before_read(struct span__input *in, uint64_t *wait_ns,
		       struct span_error *err)
{
	int rc;

	*wait_ns = UINT64_MAX;
	if (in->tie) {
		*wait_ns = span_writer_due_ns(in->tie);
		if (!*wait_ns) {
			rc = span_writer_flush(in->tie, err);
			if (rc < 0)
				return rc;
			*wait_ns = UINT64_MAX;
		}
	}
	return in->idle ? in->idle(in->idle_arg, wait_ns, err) : 0;
}

static int wait_readable(struct span__input *in, struct span_error *err)
{
	struct pollfd pfd = {.fd = in->fd, .events = POLLIN};

	for (;;) {
		uint64_t wait_ns;
		int rc = before_read(in, &wait_ns, err), ms = -1;

		if (rc < 0)
			return rc;
		if (wait_ns < (uint64_t)INT32_MAX * 1000000u)
			ms = (int)((wait_ns + 999999u) / 1000000u);
		rc = poll(&pfd, 1, ms);
		if (rc > 0)
			return 0;
		if (rc < 0 && errno != EINTR)
			return span_error_set(err, SPAN_E_IO, "cannot poll");
	}
}

int span__input_more(struct span__input *in, struct span_error *err)
{
	ssize_t n;
	int rc;

	if (in->eof || in->fd < 0)
		return 0;
	rc = make_room(in, err);
	if (rc == 0 && (in->tie || in->idle))
		rc = wait_readable(in, err);
	if (rc < 0)
		return rc;
	do
		n = read(in->fd, in->buf + in->len, in->cap - in->len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return span_error_set(err, SPAN_E_IO, "cannot read");
	in->eof = n == 0;
	in->len += (size_t)n;
	return n > 0;
}

int span__input_head(struct span__input *in, struct span_str head,
		     struct span_error *err)
{
	in->cap = head.len > FIRST_CAP ? head.len : FIRST_CAP;
	in->buf = malloc(in->cap);
	if (!in->buf)
		return span_error_set(err, SPAN_E_NOMEM, "no memory for input");
	memcpy(in->buf, head.p, head.len);
	in->p = in->buf;
	in->len = head.len;
	return 0;
}

void span__input_take(struct span__input *in, size_t len)
{
	if (!len) /* P may be NULL */
		return;
	in->p += len;
	in->len -= len;
	in->pos += len;
}

int span__input_whole(struct span__input *in, struct span_error *err)
{
	struct dec_measure m = {0};
	int rc;

	for (;;) {
		rc = span__dec_measure(&m, in->p, in->len);
		if (rc != 0)
			return rc;
		rc = span__input_more(in, err);
		if (rc <= 0)
			return rc;
	}
}

/* Length of the array head at P, 0 when there is none of MIN_N or more. */
static size_t head_len(const unsigned char *p, size_t len, unsigned min_n)
{
	if (!len)
		return 0;
	if (p[0] >= 0x90 && p[0] <= 0x9f)
		return (p[0] & 15u) >= min_n ? 1 : 0;
	if (p[0] == 0xdc)
		return 3;
	return p[0] == 0xdd ? 5 : 0;
}

bool span__marked(const unsigned char *p, size_t len, const char *mark,
		  unsigned min_n)
{
	size_t head = head_len(p, len, min_n);

	if (!head)
		return false;
	if (len <= head)
		return true;
	len -= head;
	return !memcmp(p + head, mark, len < MARK_LEN ? len : MARK_LEN);
}

/* Where, from the second byte on, a record may begin; LEN when nowhere. */
static size_t find_record(const struct span__input *in, const char *mark,
			  unsigned min_n)
{
	const unsigned char *end = in->p + in->len, *at = in->p + 1;

	for (; at < end; at++) {
		static const unsigned back[] = {1, 3, 5};

		at = memmem(at, (size_t)(end - at), mark, MARK_LEN);
		if (!at)
			break;
		for (size_t i = 0; i < 3; i++) {
			const unsigned char *p = at - back[i];

			if (p > in->p && head_len(p, back[i], min_n) == back[i])
				return (size_t)(p - in->p);
		}
	}
	return in->len;
}

static int resync(struct span__input *in, const char *mark, unsigned min_n,
		  struct span_error *err)
{
	/* a head and a mark may lie across the end of what is there */
	const size_t tail = 5 + MARK_LEN - 1;
	int rc;

	for (;;) {
		size_t at = find_record(in, mark, min_n);
		bool found = at < in->len;

		if (!found && !in->eof && in->fd >= 0)
			at = in->len > tail + 1 ? in->len - tail : 1;
		if (at > in->len)
			at = in->len;
		in->skipped += at;
		span__input_take(in, at);
		if (found)
			return 1;
		rc = span__input_more(in, err);
		if (rc < 0)
			return rc;
		if (rc == 0) {
			in->skipped += in->len;
			span__input_take(in, in->len);
			return 0;
		}
		if (span__marked(in->p, in->len, mark, min_n) &&
		    in->len >= tail + 1)
			return 1;
	}
}

bool span__is_damage(int code)
{
	return code == SPAN_E_CORRUPT || code == SPAN_E_TRUNCATED ||
	       code == SPAN_E_LIMIT || code == SPAN_E_FORMAT;
}

int span__input_skip(struct span__input *in, int rc, const char *mark,
		     unsigned min_n, struct span_error *err)
{
	if (!in->skip_bad || !span__is_damage(rc))
		return rc;
	in->places += !in->skipping;
	in->skipping = true;
	*err = (struct span_error){0};
	return resync(in, mark, min_n, err);
}

void span__input_release(struct span__input *in)
{
	free(in->buf);
	*in = (struct span__input){.fd = -1};
}
