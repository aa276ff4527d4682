/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crash-judge.h - whether a store recovers with all that it should
 *
 * CRASH_SCALE=N (1 unless set) tries N times as many random states.
 */
#ifndef CRASH_JUDGE_H
#define CRASH_JUDGE_H

#include <errno.h>
#include <time.h>

#include "store-model.h"

#define NS 1000000000ull

static unsigned scale = 1;
static struct span_error err;

/* Recover DISK and judge it by M: NULL, or what is wrong. */
static const char *recover_and_judge(const struct model *m,
				     struct simdisk *disk)
{
	static struct found found;
	static struct model after;
	const char *why;

	memset(&after, 0, sizeof(after));
	if (model_recover(&after, disk, &err) < 0)
		return err.msg;
	if (model_read(&after, disk, &found, &err) < 0)
		return err.msg;
	why = model_judge(m, &found);
	if (why)
		return why;
	if (simdisk_count(disk, ".open") || simdisk_count(disk, ".new"))
		return "recovery has left something";
	if (simdisk_descriptors(disk))
		return "a descriptor is open";
	/* What is appended now must get new numbers. */
	if (model_run(&after, disk,
		      &(struct span_store_opts){.mode = SPAN_STORE_APPEND,
						.ack = model_ack,
						.arg = &after},
		      3000, 3001, &err) < 0)
		return err.msg;
	if (model_read(&after, disk, &found, &err) < 0)
		return err.msg;
	why = model_judge(&after, &found);
	return why ? why : model_judge(m, &found);
}

static unsigned n_bad;

static inline void judge(const char *why, const char *what, uint64_t a,
			 uint64_t b)
{
	if (!why)
		return;
	if (n_bad++ < 5)
		diag("%s %d %d: %s", what, (int)a, (int)b, why);
}

static inline void read_scale(void)
{
	const char *text = getenv("CRASH_SCALE");

	if (text)
		scale = (unsigned)strtoul(text, NULL, 10);
}

#endif
