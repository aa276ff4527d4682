/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pack.h - msgpack-c's packer, writing straight into memory
 *
 * msgpack-c offers its packing routines as a template for callers with a
 * buffer of their own; this is that template with a bare pointer for a
 * buffer. A caller first makes room for what it will pack: PACK_MAX bytes for
 * any number or head.
 */
#ifndef SPAN_PACK_H
#define SPAN_PACK_H

#include <span/base.h>

#include <limits.h>
#include <msgpack/sysdep.h>
#include <msgpack/timestamp.h>
#include <string.h>

#define PACK_MAX 9u

struct pack {
	char *p;
};

#define msgpack_pack_inline_func(name) static inline void pack##name
#define msgpack_pack_inline_func_cint(name) static inline void pack##name
#define msgpack_pack_inline_func_fixint(name) static inline void pack_fix##name
#define msgpack_pack_user struct pack *
#define msgpack_pack_append_buffer(x, buf, len) pack__append(x, buf, len)

static inline void pack__append(struct pack *x, const void *buf, size_t len)
{
	memcpy(x->p, buf, len);
	x->p += len;
}

#include <msgpack/pack_template.h>

/* Bytes themselves, as they are. */
static inline void pack_raw(struct pack *x, const void *p, size_t len)
{
	if (len)
		pack__append(x, p, len);
}

#endif
