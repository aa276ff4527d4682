/* SPDX-License-Identifier: Apache-2.0 */
/* lines.h - formats of lines: our own JSON lines, and CSV */
#ifndef SPAN__LINES_H
#define SPAN__LINES_H

#include "codec/decoder.h"

/* Objects of the format jsonl, one behind the other. */
span__read_fn span__jsonl_read;

/* Lines of CSV, the first one a header. */
span__read_fn span__csv_read;

/*
 * A time of RFC 3339 ("2026-11-22T10:00:00.5Z", an offset, a space for the T;
 * without a zone it is UTC) as ns since the epoch, from 1970 to 2554.
 */
bool span__time_read(struct span_str s, uint64_t *ns);

/*
 * The next KEY=VALUE of logfmt, which *S moves behind; a key alone is true, and
 * an empty key the end. Texts with escapes are the arena's. False for what is
 * no logfmt.
 */
bool span__logfmt_next(struct span_arena *arena, struct span_str *s,
		       struct span_str *key, struct span_str *value);

#endif
