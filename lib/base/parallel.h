/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parallel.h - do independent things side by side
 */
#ifndef SPAN_PARALLEL_H
#define SPAN_PARALLEL_H

#include <stddef.h>

/* Processors that this process may use, at most MAX. */
unsigned span__processors(unsigned max);

/*
 * Call FN with each number below N_JOBS, in THREADS threads, of which the
 * caller is one. Jobs begin in order. Where threads cannot be had there are
 * fewer. Returns when all jobs have ended.
 */
void span__parallel(unsigned threads, size_t n_jobs,
		    void (*fn)(void *arg, size_t job), void *arg);

#endif
