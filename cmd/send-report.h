/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send-report.h - what span-send says about itself
 */
#ifndef SEND_REPORT_H
#define SEND_REPORT_H

#include "cmd.h"

#include "net/sender.h"
#include "send-spool.h"

/* What the sender counts, as it was when somebody looked, and what we do. */
struct send_report {
	struct span__sender_counts sent;
	uint64_t read;	  /* spans of the source */
	uint64_t stopped; /* of them, those that were too late to be sent */
	struct send_spool_counts spool;
};
extern struct send_report send_report;

/* Spans that did not reach the peer, or not yet, as far as is known. */
uint64_t send_report_lost(void);

/* Look at the counts of S; rewrite the metrics file when it is due. */
void send_report_look(struct span__sender *s);

/*
 * Nothing is under way any more: what was read and came to nothing was dropped
 * when we stopped. Then the account: with -v, or as a warning when spans were
 * lost.
 */
void send_report_end(struct span__sender *s, uint64_t start_ns);

#endif
