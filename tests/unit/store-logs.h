/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store-logs.h - stores of a few closed logs on a simulated disk
 */
#ifndef STORE_LOGS_H
#define STORE_LOGS_H

#include "store-model.h"

#define NS 1000000000ull

static struct model m;
static struct found found;
static struct span_error err;

static inline void reset(void)
{
	memset(&m, 0, sizeof(m));
	memset(&err, 0, sizeof(err));
}

/* A store of LOGS closed logs with 10 frames each, a minute apart. */
static inline struct simdisk *make_logs(unsigned logs)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_GROUP);
	struct simdisk *disk = simdisk_open();

	reset();
	for (unsigned i = 0; i < logs; i++) {
		if (model_run(&m, disk, &o, i * 10 + 1, i * 10 + 10, &err) < 0)
			abort();
		simdisk_pass(disk, 60 * NS);
	}
	return disk;
}

static inline struct span_store *open_mode(struct simdisk *disk,
					   enum span_store_mode mode)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_GROUP);
	struct span_store *st = NULL;

	o.mode = mode;
	if (span__store_open(&st, "store", &o, simdisk_io(disk), &err) < 0)
		diag("%s", err.msg);
	return st;
}

#endif
