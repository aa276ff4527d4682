/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enc.h - putting values into a frame that is being written
 *
 * Errors are sticky: after the first one nothing is put any more.
 */
#ifndef SPAN_ENC_H
#define SPAN_ENC_H

#include "base/pack.h"
#include "stream/writer.h"

/*
 * What one encoding goes through: the buffer, and the first error. P is valid
 * as far as was reserved.
 */
struct enc {
	struct span__building *b;
	struct span_buf *out;
	struct pack x;
	int err;
	const char *what;
};

static inline void enc_fail(struct enc *e, int err, const char *what)
{
	if (!e->err) {
		e->err = err;
		e->what = what;
	}
}

static inline void enc_begin(struct enc *e, struct span__building *b,
			     struct span_buf *out)
{
	*e = (struct enc){.b = b, .out = out};
	e->x.p = out->p ? out->p + out->len : NULL;
}

/* Make room for LEN bytes; false after an error. */
static inline bool enc_room(struct enc *e, size_t len)
{
	if (e->err)
		return false;
	if (e->x.p)
		e->out->len = (size_t)(e->x.p - e->out->p);
	e->x.p = span_buf_reserve(e->out, len);
	if (!e->x.p)
		enc_fail(e, SPAN_E_NOMEM, "no memory for a frame");
	return !e->err;
}

static inline void enc_end(struct enc *e)
{
	if (e->x.p)
		e->out->len = (size_t)(e->x.p - e->out->p);
}

/* The number of a string, 0 after an error. */
static inline uint32_t enc_string(struct enc *e, struct span_str s, bool is_key)
{
	int64_t n;

	if (e->err)
		return 0;
	if (s.len > SPAN_MAX_STRING) {
		enc_fail(e, SPAN_E_LIMIT, "a string above 64 KiB");
		return 0;
	}
	n = span__strings_add(&e->b->strings, s, is_key);
	if (n < 0) {
		enc_fail(e, SPAN_E_NOMEM, "no memory for a string table");
		return 0;
	}
	return (uint32_t)n;
}

/* The same with a guess, which is mended when it was wrong. */
static inline uint32_t enc_guessed(struct enc *e, struct span_str s,
				   uint32_t *guess1, bool is_key)
{
	uint32_t n;

	if (*guess1 && span__strings_is(&e->b->strings, *guess1 - 1, s))
		return *guess1 - 1;
	n = enc_string(e, s, is_key);
	*guess1 = e->err ? 0 : n + 1;
	return n;
}

static inline void enc_ref1(struct enc *e, struct span_str s)
{
	uint32_t n = s.len ? enc_string(e, s, false) + 1 : 0;

	if (enc_room(e, PACK_MAX))
		pack_uint32(&e->x, n);
}

static inline void enc_u64(struct enc *e, uint64_t v)
{
	if (enc_room(e, PACK_MAX))
		pack_uint64(&e->x, v);
}

static inline void enc_array(struct enc *e, size_t n)
{
	if (enc_room(e, PACK_MAX))
		pack_array(&e->x, n);
}

static inline void enc_raw_str(struct enc *e, struct span_str s, bool bin)
{
	if (s.len > SPAN_MAX_STRING) {
		enc_fail(e, SPAN_E_LIMIT, "a string above 64 KiB");
		return;
	}
	if (!enc_room(e, PACK_MAX + s.len))
		return;
	if (bin)
		pack_bin(&e->x, s.len);
	else
		pack_str(&e->x, s.len);
	pack_raw(&e->x, s.p, s.len);
}

/* Attributes; GUESSES (or NULL) has GUESS_PLACES entries. */
void span__enc_attrs(struct enc *e, const struct span_attrs *attrs,
		     struct span__guess *guesses);

/*
 * Bytes of texts that go into the frame's tables; those in arrays and maps go
 * into the body and are counted there.
 */
size_t span__enc_text_bytes(const struct span_attrs *attrs);

/* The number of a process, and of a scope plus one (0: none). */
uint32_t span__enc_process(struct enc *e, const struct span_process *p);
uint32_t span__enc_scope1(struct enc *e, const struct span_scope *s);

#endif
