/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include <time.h>

#include "base/banned.h"

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t cmd_now_ns(void)
{
	return now_ns(CLOCK_REALTIME);
}

uint64_t cmd_monotonic_ns(void)
{
	return now_ns(CLOCK_MONOTONIC);
}
