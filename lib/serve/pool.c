/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/banned.h"

/* A store, and what its name stood for when it was opened. */
struct entry {
	struct entry *next;
	struct span_store *store;
	dev_t dev;
	ino_t ino;
};

struct span__serve_pool {
	char *name;
	struct span__serve_pool_opts opts;
	pthread_mutex_t lock;
	struct entry *idle, *taken;
	size_t n_idle;
};

/* Of all pools, as what they tell goes to the same place. */
static pthread_mutex_t telling = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local const bool *watched;

static void push(struct entry **list, struct entry *e)
{
	e->next = *list;
	*list = e;
}

static struct entry *cut(struct entry **list, struct entry *e)
{
	while (*list != e)
		list = &(*list)->next;
	*list = e->next;
	return e;
}

static void entry_close(struct entry *e)
{
	(void)span_store_close(&e->store, NULL);
	free(e);
}

int span__serve_pool_open(struct span__serve_pool **out, const char *name,
			  const struct span__serve_pool_opts *o,
			  struct span_error *err)
{
	struct span__serve_pool *p = calloc(1, sizeof(*p));

	*out = p;
	if (!p)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	pthread_mutex_init(&p->lock, NULL);
	p->opts = *o;
	if (!p->opts.max_idle)
		p->opts.max_idle = 1;
	p->name = strdup(name);
	if (p->name)
		return 0;
	span__serve_pool_close(out);
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

void span__serve_pool_close(struct span__serve_pool **pool)
{
	struct span__serve_pool *p = *pool;

	if (!p)
		return;
	while (p->idle)
		entry_close(cut(&p->idle, p->idle));
	pthread_mutex_destroy(&p->lock);
	free(p->name);
	free(p);
	*pool = NULL;
}

void span__serve_pool_watch(const bool *gone)
{
	watched = gone;
}

static void tell_damage(void *arg, const char *text)
{
	struct span__serve_pool *p = arg;

	if (!p->opts.damage)
		return;
	pthread_mutex_lock(&telling);
	p->opts.damage(p->opts.arg, text);
	pthread_mutex_unlock(&telling);
}

/*
 * The store of that name may have been made anew. One that is open cannot be
 * taken for another: while it is, its number is not given to a directory.
 */
static bool is_other(const struct entry *e, const struct stat *now)
{
	return e->ino != now->st_ino || e->dev != now->st_dev;
}

static void drop_others(struct span__serve_pool *p, const struct stat *now)
{
	struct entry *next;

	for (struct entry *e = p->idle; e; e = next) {
		next = e->next;
		if (!is_other(e, now))
			continue;
		entry_close(cut(&p->idle, e));
		p->n_idle--;
	}
}

/*
 * The one that was used last, as what it knows is the newest; or one that is to
 * be opened. What its name stands for is looked at before that is done: so one
 * that is newer is taken for an older one, and not the other way round.
 */
static struct entry *take_entry(struct span__serve_pool *p)
{
	struct stat now = {0};
	struct entry *e;

	if (stat(p->name, &now) < 0)
		now = (struct stat){0};
	pthread_mutex_lock(&p->lock);
	drop_others(p, &now);
	e = p->idle;
	if (e) {
		cut(&p->idle, e);
		p->n_idle--;
	}
	pthread_mutex_unlock(&p->lock);
	if (!e)
		e = calloc(1, sizeof(*e));
	if (e) {
		e->dev = now.st_dev;
		e->ino = now.st_ino;
	}
	return e;
}

int span__serve_take(struct span__serve_pool *p, struct span_store **out,
		     struct span_error *err)
{
	const struct span_store_opts o = {.damage = tell_damage, .arg = p};
	struct entry *e = take_entry(p);
	int rc;

	*out = NULL;
	if (!e)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	if (e->store)
		rc = span_store_refresh(e->store, err);
	else
		rc = span_store_open(&e->store, p->name, &o, err);
	if (rc < 0) {
		entry_close(e);
		return rc;
	}
	span_store_stop(e->store, watched);
	*out = e->store;
	pthread_mutex_lock(&p->lock);
	push(&p->taken, e);
	pthread_mutex_unlock(&p->lock);
	return 0;
}

void span__serve_give_back(struct span__serve_pool *p, struct span_store *st)
{
	struct entry *e;
	bool keep;

	if (!st)
		return;
	span_store_stop(st, NULL);
	pthread_mutex_lock(&p->lock);
	for (e = p->taken; e->store != st;)
		e = e->next;
	cut(&p->taken, e);
	keep = p->n_idle < p->opts.max_idle;
	if (keep) {
		push(&p->idle, e);
		p->n_idle++;
	}
	pthread_mutex_unlock(&p->lock);
	if (!keep)
		entry_close(e);
}
