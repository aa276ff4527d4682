/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/banned.h"

struct span__serve_pool {
	char *name;
	struct span__serve_pool_opts opts;
	pthread_mutex_t lock, telling;
	struct span_store **idle;
	size_t n_idle;
	struct stat seen; /* what the idle ones were when they were opened */
};

int span__serve_pool_open(struct span__serve_pool **out, const char *name,
			  const struct span__serve_pool_opts *o,
			  struct span_error *err)
{
	struct span__serve_pool *p = calloc(1, sizeof(*p));

	*out = p;
	if (!p)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	pthread_mutex_init(&p->lock, NULL);
	pthread_mutex_init(&p->telling, NULL);
	p->opts = *o;
	if (!p->opts.max_idle)
		p->opts.max_idle = 1;
	p->name = strdup(name);
	p->idle = calloc(p->opts.max_idle, sizeof(struct span_store *));
	if (p->name && p->idle)
		return 0;
	span__serve_pool_close(out);
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

void span__serve_pool_close(struct span__serve_pool **pool)
{
	struct span__serve_pool *p = *pool;

	if (!p)
		return;
	for (size_t i = 0; i < p->n_idle; i++)
		(void)span_store_close(&p->idle[i], NULL);
	pthread_mutex_destroy(&p->lock);
	pthread_mutex_destroy(&p->telling);
	free(p->idle);
	free(p->name);
	free(p);
	*pool = NULL;
}

static void tell_damage(void *arg, const char *text)
{
	struct span__serve_pool *p = arg;

	if (!p->opts.damage)
		return;
	pthread_mutex_lock(&p->telling);
	p->opts.damage(p->opts.arg, text);
	pthread_mutex_unlock(&p->telling);
}

/* Stores that are open are not the one of that name, if it was made anew. */
static void drop_old(struct span__serve_pool *p)
{
	struct stat now = {0};

	if (stat(p->name, &now) < 0)
		now = (struct stat){0};
	if (now.st_ino == p->seen.st_ino && now.st_dev == p->seen.st_dev)
		return;
	while (p->n_idle)
		(void)span_store_close(&p->idle[--p->n_idle], NULL);
	p->seen = now;
}

/* The one that was used last: what it knows is the newest. */
static struct span_store *take_idle(struct span__serve_pool *p)
{
	struct span_store *st = NULL;

	pthread_mutex_lock(&p->lock);
	drop_old(p);
	if (p->n_idle)
		st = p->idle[--p->n_idle];
	pthread_mutex_unlock(&p->lock);
	return st;
}

int span__serve_take(struct span__serve_pool *p, struct span_store **out,
		     struct span_error *err)
{
	const struct span_store_opts o = {.damage = tell_damage, .arg = p};
	int rc;

	*out = take_idle(p);
	if (!*out)
		return span_store_open(out, p->name, &o, err);
	rc = span_store_refresh(*out, err);
	if (rc < 0)
		(void)span_store_close(out, NULL);
	return rc;
}

void span__serve_give_back(struct span__serve_pool *p, struct span_store *st)
{
	if (!st)
		return;
	pthread_mutex_lock(&p->lock);
	if (p->n_idle < p->opts.max_idle) {
		p->idle[p->n_idle++] = st;
		st = NULL;
	}
	pthread_mutex_unlock(&p->lock);
	if (st)
		(void)span_store_close(&st, NULL);
}
