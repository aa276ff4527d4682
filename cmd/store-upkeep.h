/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store-upkeep.h - what append has done beside it: sealing and expiry
 *
 * Both are work of other processes, one at a time, which append starts and
 * never waits for: span-store itself, with the verbs seal and expire. They
 * look for themselves whether anything is due. What they have to say comes
 * back as a warning, once.
 */
#ifndef STORE_UPKEEP_H
#define STORE_UPKEEP_H

#include "cmd.h"

/* ST and NAME stay borrowed until upkeep_stop(). */
void upkeep_start(struct span_store *st, const char *name, bool seal);

/*
 * Start what is due: after each closed log, every minute, and when the active
 * log has grown enough for a draft. Returns how long the caller may wait until
 * the next call.
 */
uint64_t upkeep_look(void);

/*
 * The disk is full: expire now, if the policy says what may go; MIN_FREE is
 * what append itself needs. True while there is anything to wait for.
 */
bool upkeep_make_room(uint64_t min_free);

/* Start nothing more; what runs goes on without us. */
void upkeep_stop(void);

#endif
