/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode-report.h - what span-decode counts, and what it says of it
 */
#ifndef DECODE_REPORT_H
#define DECODE_REPORT_H

#include "cmd.h"

/* What is being read, and what has been counted. */
struct decode_report {
	const char *name;		    /* of the input */
	const struct span_payload *payload; /* NULL: a file */
	uint64_t pos;			    /* of the payload, of the piece */
	uint64_t passed_over; /* places of a file where no message is */
	uint64_t messages, bad_messages; /* those places among both */
	uint64_t bytes, spans;
	uint64_t refused;	  /* spans that the stream cannot hold */
	uint64_t skipped, places; /* bytes of damaged input */
	struct span_decode_stats stats;
};

extern struct decode_report decode_report;
extern const struct cmd_metric decode_metrics[];

/* What the decoder has counted. */
void decode_report_stats(const struct span_decode_stats *stats);
/* A message was bad: once for each reason, or each time with -v. */
void decode_report_message(const struct span_error *why);
/* The same of a span that cannot be written. */
void decode_report_span(const struct span_error *why);
/* The same of the first span that was skipped in a good message; or NULL. */
void decode_report_skipped(const struct span_error *why);
/* How often each reason was met, and every loss. */
void decode_report_totals(void);
/* With -v: the line of counts. */
void decode_report_counts(uint64_t start_ns);

#endif
