/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/log.h - lines of logs that belong to traces
 *
 * Whatever wrote them: JSON, logfmt or text in which an id stands behind a name
 * that is usual (trace_id, traceId, traceparent, b3, uber-trace-id ...), or
 * stands alone with its 32 digits. Nothing in them is believed; time and memory
 * are linear in a line's length.
 */
#ifndef SPAN_LOG_H
#define SPAN_LOG_H

#include <span/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Call FN for each id of a trace in LINE, as often as it is there; VALUE is
 * where it was found. Ids of nothing but zeros are none.
 */
typedef void span_log_id_fn(void *arg, const uint8_t id[16],
			    struct span_str value);
SPAN_API void span_log_ids(struct span_str line, span_log_id_fn *fn, void *arg);

/*
 * The id of a trace as people have it in hand: 1 to 32 hex digits, a
 * traceparent, a link, see span-query(1). 0, SPAN_E_INVALID or SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_log_trace_id(const char *text, uint8_t out[16],
					      struct span_error *err);

/*
 * A line as an event: its name is "log"; its fields are what the line has in
 * JSON or logfmt, else all of it as "message". Ids and times are no fields.
 */
struct span_log {
	struct span_event event; /* its time is 0 when none was found */
	bool has_span;
	uint8_t span_id[8]; /* beside the id of the trace */
};

/*
 * Read LINE, which says TRACE_ID, into *OUT, which borrows it and ARENA. A line
 * of JSON with "line" and "labels", as Loki's tools write it, is read for the
 * line in it. A time without a zone is UTC. 0 or SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_log_read(struct span_log *out,
					  struct span_str line,
					  const uint8_t trace_id[16],
					  struct span_arena *arena,
					  struct span_error *err);

/*
 * The lines in Loki's answer to a query: FN is called for each, with its time,
 * its labels, of which a label may come from structured metadata, and its text,
 * until it returns a negative code. 0; that code; SPAN_E_CORRUPT with the
 * offset; SPAN_E_NOMEM.
 */
struct span_log_entry {
	uint64_t time_ns;
	const struct span_attr *labels; /* strings */
	size_t n_labels;
	struct span_str line;
};
typedef int span_log_entry_fn(void *arg, const struct span_log_entry *e,
			      struct span_error *err);
SPAN_API SPAN_NODISCARD int span_log_loki(struct span_str answer,
					  span_log_entry_fn *fn, void *arg,
					  struct span_error *err);

#ifdef __cplusplus
}
#endif
#endif
