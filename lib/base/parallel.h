/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parallel.h - do independent things side by side
 */
#ifndef SPAN_PARALLEL_H
#define SPAN_PARALLEL_H

#include <pthread.h>
#include <stdbool.h>
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

/* A thread beside the caller, which does FN. */
struct span__helper {
	pthread_t id;
	void (*fn)(void *arg);
	void *arg;
};

/* False when there is none to be had. *H stays where it is until the join. */
bool span__helper_start(struct span__helper *h, void (*fn)(void *arg),
			void *arg);
void span__helper_join(struct span__helper *h);

#endif
