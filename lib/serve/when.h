/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/when.h - times and durations as the options of commands take them
 */
#ifndef SERVE_WHEN_H
#define SERVE_WHEN_H

#include <span/base.h>

/* "500us", "1h30m", "7d", "0". 0, or SPAN_E_INVALID. */
SPAN_NODISCARD int span__when_duration(struct span_str text, uint64_t *ns,
				       struct span_error *err);

/*
 * "2026-11-22T10:00:00Z", "@1795341600.5", or so long before NOW_NS: "15m",
 * "-15m", "now". 0, or SPAN_E_INVALID.
 */
SPAN_NODISCARD int span__when(struct span_str text, uint64_t now_ns,
			      uint64_t *ns, struct span_error *err);

/* Seconds, with or without a fraction. False when they are none. */
bool span__when_seconds(struct span_str text, uint64_t *ns);

#endif
