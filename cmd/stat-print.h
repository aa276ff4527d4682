/* SPDX-License-Identifier: Apache-2.0 */
/* stat-print.h - what span-store stat knows, and how it is printed */
#ifndef STAT_PRINT_H
#define STAT_PRINT_H

#include "cmd_json.h"
#include "store-cmd.h"

struct stat_report {
	const char *name;
	struct span_store_stat s;
	struct span_store_policy policy;
	uint64_t n_logs, n_open; /* logs; N_OPEN of them still grow */
	/* What sealed spans take, or all where none is sealed; 0: none. */
	double span_bytes;
	/* As it went so far; 0: too short to say. */
	double bytes_a_day;
	uint64_t full_ns;  /* until the disk is full; 0: never, or not known */
	uint64_t holds_ns; /* how old spans may get until it is full; 0 */
};

void stat_put_uuid(struct span_buf *b, const uint8_t u[16]);
void stat_put_table(struct span_buf *b, const struct stat_report *r);
/* The members of an object. */
void stat_put_json(struct cmd_json *j, const struct stat_report *r);
void stat_put_csv(struct span_buf *b, const struct stat_report *r);

/* Files: a row of a table, an element of a JSON array. */
void stat_put_file(struct span_buf *b, const struct span_store_file *f);
void stat_put_json_file(struct cmd_json *j, const struct span_store_file *f);

/* Parts of the store, of N spans: row I in the format of the report. */
void stat_put_part(struct span_buf *b, const struct span_store_part *p,
		   uint64_t spans);
void stat_put_json_part(struct cmd_json *j, const struct span_store_part *p);
void stat_put_csv_part(struct span_buf *b, const struct span_store_part *p);

#endif
