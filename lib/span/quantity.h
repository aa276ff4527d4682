/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/quantity.h - durations, sizes, counts and times as people type them
 *
 * What options of commands and parameters of requests have. Nothing wraps
 * around: a number that does not fit is an error, and so is a text of more than
 * SPAN_QUANTITY_MAX bytes. All return 0, or SPAN_E_INVALID with a sentence,
 * and what they were to set is as it was.
 */
#ifndef SPAN_QUANTITY_H
#define SPAN_QUANTITY_H

#include <span/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPAN_QUANTITY_MAX 127u

/* "500us", "1.5s", "1h30m", "7d", "2w", "0". */
SPAN_API SPAN_NODISCARD int
span_duration_parse(struct span_str text, uint64_t *ns, struct span_error *err);
/* "4096", "64K", "1.5G", "16MiB": a K is 1024. */
SPAN_API SPAN_NODISCARD int
span_size_parse(struct span_str text, uint64_t *bytes, struct span_error *err);
/* "100", "10k", "1.5M": a k is 1000. */
SPAN_API SPAN_NODISCARD int span_count_parse(struct span_str text, uint64_t *n,
					     struct span_error *err);

/*
 * "2026-11-22T10:00:00Z", "2026-11-22", "yesterday 14:00", "14:30",
 * "@1795341600.5", or so long before NOW_NS: "15m", "now-15m", "now". What has
 * no zone is local time.
 */
SPAN_API SPAN_NODISCARD int span_time_parse(struct span_str text,
					    uint64_t now_ns, uint64_t *ns,
					    struct span_error *err);
/* "1795341600.5": seconds since 1970. */
SPAN_API SPAN_NODISCARD int span_epoch_parse(struct span_str text, uint64_t *ns,
					     struct span_error *err);

#ifdef __cplusplus
}
#endif
#endif
