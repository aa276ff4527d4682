/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill9.h - those who work on the store beside the appender
 */
#ifndef KILL9_H
#define KILL9_H

#include <span/span.h>

#define MAX_IDS (1u << 22)
#define MS 1000000ull

struct run {
	const char *image; /* NULL: no power cuts */
	char mount[256], path[300];
	uint8_t acked[MAX_IDS], found[MAX_IDS];
	uint64_t next_id; /* of the span that is made next */
	uint64_t seed;
	bool expires; /* the oldest spans may go */
};

extern struct run run;

uint64_t kill9_draw(void);

/* Which ids are in the store: 0 or a code. Doubled ones are counted. */
int kill9_find(uint64_t *doubled, struct span_error *err);

/* Neither returns: each ends with status 1 when something is wrong. */
void kill9_read(void);
void kill9_maintain(void);

#endif
