/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/sender_say.h - what goes wrong, told once
 *
 * A cause is said when it is new, and again when a minute has passed. A peer
 * that says something else each time is heard SPAN__CAUSES times, the others
 * are counted.
 */
#ifndef NET_SENDER_SAY_H
#define NET_SENDER_SAY_H

#include "net/send_reply.h"

#define SPAN__CAUSES 16u

struct span__causes {
	const char *name;
	void (*say)(void *arg, const char *text);
	void *arg;
	size_t n;
	uint64_t n_more; /* that were not told */
	struct {
		char text[SPAN__REPLY_TEXT + 96];
		uint64_t said_ns;
	} v[SPAN__CAUSES];
};

/* SAY is given "NAME: CAUSE; RESULT". NAME is borrowed. */
void span__causes_init(struct span__causes *c, const char *name,
		       void (*say)(void *arg, const char *text), void *arg);
void span__causes_say(struct span__causes *c, const char *cause,
		      const char *result);
/* The result: "3 spans are VERB". */
void span__causes_say_lost(struct span__causes *c, const char *cause,
			   uint64_t n, const char *verb);

/* Nothing more comes: "NAME: and 7 more answers like these". */
void span__causes_end(struct span__causes *c);

#endif
