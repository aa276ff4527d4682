/* SPDX-License-Identifier: Apache-2.0 */
/* redact-frames.h - frames that are redacted as a whole, and one by one */
#ifndef REDACT_FRAMES_H
#define REDACT_FRAMES_H

#include <span/redact.h>

#include "plant-secret.h"

static inline struct span_redact *open_rules(const char *rules)
{
	static const uint8_t key[SPAN_REDACT_KEY] = "a key of a test";
	const struct span_redact_opts o = {.key = key};
	struct span_redact *r = NULL;
	struct span_error err;

	if (span_redact_open(&r, &o, &err) < 0)
		abort();
	while (rules && *rules) {
		size_t n = strcspn(rules, "\n");

		if (span_redact_rule(r, (struct span_str){rules, n}, &err) < 0)
			abort();
		rules += n + (rules[n] == '\n');
	}
	if (!rules && span_redact_defaults(r, &err) < 0)
		abort();
	return r;
}

static inline struct span_writer *open_writer(struct span_buf *out)
{
	struct span_writer *w;
	struct span_error err;

	if (span_writer_open_mem(&w, out, &err) < 0)
		abort();
	return w;
}

static inline struct span_frame *open_frame(struct span_str bytes)
{
	struct span_frame *f;
	struct span_error err;
	size_t used;

	if (span_frame_open(&f, &err) < 0 ||
	    span_frame_parse(f, bytes.p, bytes.len, &used, &err) <= 0 ||
	    used != bytes.len)
		abort();
	return f;
}

/* The spans that are not above a limit, in one frame; how many they are. */
static inline size_t frame_of(const struct span *spans, size_t n,
			      struct span_buf *out)
{
	struct span_writer *w = open_writer(out);
	struct span_error err;
	size_t put = 0;

	for (size_t i = 0; i < n; i++)
		put += span_writer_put(w, &spans[i], &err) == 0;
	if (span_writer_flush(w, &err) < 0)
		abort();
	span_writer_close(&w);
	return put;
}

/* What span_redact_put_frame() says, and writes. */
static inline int whole(struct span_redact *r, struct span_str in,
			struct span_buf *out, uint32_t *changed)
{
	struct span_frame *f = open_frame(in);
	struct span_writer *w = open_writer(out);
	struct span_error err;
	int rc = span_redact_put_frame(r, f, w, changed, &err);

	if (rc < 0 || (!rc && out->len))
		abort();
	span_writer_close(&w);
	span_frame_close(&f);
	return rc;
}

/* Are the spans of OUT those of IN as R leaves them, CHANGED of them others? */
static inline bool is_right(struct span_redact *r, struct span_str in,
			    struct span_str out, uint32_t changed)
{
	struct span_frame *a = open_frame(in), *b = open_frame(out);
	struct span_error err;
	struct span s, want, got;
	bool same = span_frame_validate(b, &err) == 0;
	uint32_t n = 0;

	span_redact_frame(r);
	while (same && span_frame_next(a, &s, &err) > 0) {
		int rc = span_redact_span(r, &s, &want, &err);

		same = rc >= 0 && span_frame_next(b, &got, &err) > 0 &&
		       span_equal(&want, &got);
		n += rc > 0;
	}
	same = same && span_frame_next(b, &got, &err) == 0 && n == changed;
	span_frame_close(&a);
	span_frame_close(&b);
	return same;
}

static inline struct span_str contents(const struct span_buf *b)
{
	return (struct span_str){b->p, b->len};
}

#endif
