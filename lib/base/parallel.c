/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/banned.h"

#define MAX_THREADS 16u

struct work {
	atomic_size_t next;
	size_t n_jobs;
	void (*fn)(void *arg, size_t job);
	void *arg;
};

unsigned span__processors(unsigned max)
{
	cpu_set_t set;
	int n = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	return n < 1 ? 1 : (unsigned)n < max ? (unsigned)n : max;
}

static void *run(void *arg)
{
	struct work *w = arg;
	size_t job;

	while ((job = atomic_fetch_add(&w->next, 1)) < w->n_jobs)
		w->fn(w->arg, job);
	return NULL;
}

/*
 * Signals are the caller's business, but for those that a thread brings upon
 * itself.
 */
static void signals_for_threads(sigset_t *old)
{
	sigset_t set;

	sigfillset(&set);
	sigdelset(&set, SIGBUS);
	sigdelset(&set, SIGSEGV);
	sigdelset(&set, SIGFPE);
	sigdelset(&set, SIGILL);
	pthread_sigmask(SIG_SETMASK, &set, old);
}

void span__parallel(unsigned threads, size_t n_jobs,
		    void (*fn)(void *arg, size_t job), void *arg)
{
	struct work w = {.n_jobs = n_jobs, .fn = fn, .arg = arg};
	pthread_t ids[MAX_THREADS];
	unsigned n = 0;
	sigset_t old;

	if (threads > MAX_THREADS)
		threads = MAX_THREADS;
	if (threads > n_jobs)
		threads = (unsigned)n_jobs;
	signals_for_threads(&old);
	while (n + 1 < threads && !pthread_create(&ids[n], NULL, run, &w))
		n++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	run(&w);
	while (n > 0)
		pthread_join(ids[--n], NULL);
}

static void *help(void *arg)
{
	struct span__helper *h = arg;

	h->fn(h->arg);
	return NULL;
}

bool span__helper_start(struct span__helper *h, void (*fn)(void *arg),
			void *arg)
{
	sigset_t old;
	bool good;

	h->fn = fn;
	h->arg = arg;
	signals_for_threads(&old);
	good = !pthread_create(&h->id, NULL, help, h);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return good;
}

void span__helper_join(struct span__helper *h)
{
	pthread_join(h->id, NULL);
}
