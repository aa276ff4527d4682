/* SPDX-License-Identifier: Apache-2.0 */
/* net/clock.h - the two clocks, in nanoseconds; no call can fail */
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

/* For functions that wait until a time. */
static inline struct timespec span__timespec(uint64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u),
				 .tv_nsec = (long)(ns % 1000000000u)};
}

/* Since the epoch: for times that others see. */
static inline uint64_t span__epoch_ns(void)
{
	return span__clock_ns(CLOCK_REALTIME);
}

#endif
