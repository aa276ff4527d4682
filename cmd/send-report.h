/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send-report.h - what span-send says about itself
 */
#ifndef SEND_REPORT_H
#define SEND_REPORT_H

#include "cmd.h"

#include "net/sender.h"

/* What the sender counts, as it was when somebody looked, and what we do. */
struct send_report {
	struct span__sender_counts sent;
	uint64_t read; /* spans of the source */
	/* of the spool: spans that are not settled, and that had no room */
	uint64_t waiting, overflowed;
};
extern struct send_report send_report;

/* Spans that did not reach the peer, or not yet, as far as is known. */
uint64_t send_report_lost(void);

/* Look at the counts of S; rewrite the metrics file when it is due, or NOW. */
void send_report_look(struct span__sender *s, bool now);

/* The account: with -v, or as a warning when spans were lost. */
void send_report_end(uint64_t start_ns);

#endif
