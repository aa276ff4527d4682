/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work.h - what reading a store took: the numbers of struct span_store_work
 *
 * Threads add to them side by side.
 */
#ifndef SPAN_STORE_WORK_H
#define SPAN_STORE_WORK_H

#include <stdatomic.h>
#include <stdint.h>

struct span__work {
	atomic_ullong scans;
	atomic_ullong segments, segments_passed;
	atomic_ullong logs, logs_passed;
	atomic_ullong blocks, blocks_walked;
	atomic_ullong shapes;
	atomic_ullong frames, log_bytes;
	atomic_ullong spans;
	atomic_ullong packed_bytes, unpacked_bytes;
};

static inline void span__work_add(atomic_ullong *of, uint64_t n)
{
	atomic_fetch_add_explicit(of, n, memory_order_relaxed);
}

#endif
