/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loki-labels.h - the labels of a stream, and how many streams there are
 *
 * Labels make streams, and Loki keeps an index and a file for each: so they
 * are few, with values that a service has for long. All else, ids above all,
 * is in the line or in structured metadata.
 */
#ifndef LOKI_LABELS_H
#define LOKI_LABELS_H

#include "cmd.h"

#define LOKI_MAX_LABELS 15u /* of a stream; more Loki refuses */

struct loki_stream {
	struct span_str labels; /* as a JSON object */
	bool other;		/* stands for the streams there were too many */
	uint64_t newest_ns;	/* of its entries, 0 before the first */
};

/*
 * --label, a list of NAME=KEY or KEY, beside the names that are always there;
 * MAX is of streams. Wrong usage exits.
 */
void loki_labels_init(const struct cmd_list *list, uint64_t max);

/*
 * The stream of a span, ERROR says its level; it lives until release. When
 * there are too many it is one whose values are all "other", and that is said
 * the first time. NULL: memory is out.
 */
struct loki_stream *loki_labels_of(const struct span *s, bool error);

/* The label that has the service: "service_name", unless it was renamed. */
const char *loki_labels_service(void);

uint64_t loki_labels_streams(void);
void loki_labels_release(void);

#endif
