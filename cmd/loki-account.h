/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loki-account.h - what became of the entries that were to be pushed
 */
#ifndef LOKI_ACCOUNT_H
#define LOKI_ACCOUNT_H

#include "cmd.h"

/* Why entries were dropped. */
enum loki_drop {
	LOKI_GIVEN_UP,	/* no attempt went through in time */
	LOKI_REFUSED,	/* Loki takes nothing of us */
	LOKI_TOO_LARGE, /* one by itself */
	LOKI_STOPPED,	/* we had to end */
	LOKI_DROPS
};

/* Each entry is accepted, rejected or dropped. */
struct loki_account {
	uint64_t entries, accepted, rejected, dropped[LOKI_DROPS];
	uint64_t requests, failed; /* attempts; those without success */
	uint64_t retried;	   /* entries, for each further attempt */
	uint64_t bytes;		   /* of all attempts */
};
extern struct loki_account loki_account;

/* Entries that did not reach Loki. */
uint64_t loki_account_lost(void);
/* --metrics-file, when it is due, or NOW. */
void loki_account_write(bool now);
/* With -v, or as a warning when entries were lost. */
void loki_account_report(uint64_t since_ns);

#endif
