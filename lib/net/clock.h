/* SPDX-License-Identifier: Apache-2.0 */
/* net/clock.h - the two clocks, in nanoseconds; neither call can fail */
#ifndef NET_CLOCK_H
#define NET_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t span__clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* For how long something takes. */
static inline uint64_t span__monotonic_ns(void)
{
	return span__clock_ns(CLOCK_MONOTONIC);
}

/* Since the epoch: for times that others see. */
static inline uint64_t span__epoch_ns(void)
{
	return span__clock_ns(CLOCK_REALTIME);
}

#endif
