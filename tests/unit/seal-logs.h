/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal-logs.h - stores on a simulated disk, to be sealed
 */
#ifndef SEAL_LOGS_H
#define SEAL_LOGS_H

#include "seal-model.h"

#define NS 1000000000ull

static struct model m;
static struct tally t;
static struct span_error err;
static struct span_sealed out;

static inline struct span_store *open_mode(struct simdisk *disk,
					   enum span_store_mode mode)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);
	struct span_store *st = NULL;

	o.mode = mode;
	if (span__store_open(&st, "store", &o, simdisk_io(disk), &err) < 0)
		diag("%s", err.msg);
	return st;
}

static inline void add_log(struct simdisk *disk, uint64_t from, uint64_t to)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_EACH);

	if (model_run(&m, disk, &o, from, to, &err) < 0)
		abort();
	simdisk_pass(disk, 60 * NS);
}

static inline void sound(struct simdisk *disk, const char *what)
{
	ok(!tally_read(&t, disk, "store", NULL, &err), "%s: is read", what);
	is_str(tally_judge(&t, &m), NULL, "%s: each span once", what);
	is_int(seal_verify(disk, "store", &err), 0, "%s: verifies", what);
	is_uint(simdisk_count(disk, ".tmp") + simdisk_count(disk, ".del"), 0,
		"%s: nothing is left behind", what);
	is_uint(simdisk_descriptors(disk), 0, "%s: all is closed", what);
}

#endif
