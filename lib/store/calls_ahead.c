/* SPDX-License-Identifier: Apache-2.0 */
#include "store/calls_ahead.h"

#include <stdlib.h>

#include "base/banned.h"

#define LEAST_BYTES (1u << 20) /* of a log that is worth a thread */

/* All frames of LOG: true when nothing is to be told of. */
static bool read_frames(struct span__calls_ahead *a,
			const struct span__log *log)
{
	struct span__log_walk w = {0};
	struct span__log_record rec;
	const uint8_t *p;
	int rc;

	a->end = log->start;
	span__log_walk_begin(&w, log, true);
	while ((rc = span__log_walk_next(&w, &rec, NULL)) > 0) {
		if (w.bad_len ||
		    span__log_walk_payload(&w, &rec, &p, NULL) <= 0 ||
		    span__calls_log_put(
			    a->log, (struct span_str){(const char *)p, rec.len},
			    NULL) < 0) {
			rc = -1;
			break;
		}
		a->end = w.pos;
	}
	/* at the end of the active log a frame may be in flight */
	if (!rc && w.bad_len && (log->closed || a->file->kind == FILE_LOG))
		rc = -1;
	span__log_walk_release(&w);
	return !rc;
}

static void read_log(void *arg)
{
	struct span__calls_ahead *a = arg;
	struct span__log log;
	bool good = false;

	if (span__calls_log_open(&a->log, &a->names, false, NULL) < 0)
		return;
	if (span__view_log(a->file, &a->store->dir, &log, NULL) == 0) {
		good = span__calls_log_reserve(a->log, a->file->sum.n_spans,
					       NULL) == 0 &&
		       read_frames(a, &log) &&
		       span__calls_log_finish(a->log, NULL) == 0;
		span__view_done(a->file, &log);
	}
	if (!good)
		span__calls_log_close(&a->log);
}

void span__calls_ahead_start(struct span__calls_ahead *a,
			     const struct span__directory *s, size_t number)
{
	const struct span__view_file *f = &s->view.v[number];

	if (a->running || s->base.io != &span__io_system || !f->has_sum ||
	    f->size < LEAST_BYTES || f->sum.n_spans > f->size ||
	    span__processors(2) < 2)
		return;
	*a = (struct span__calls_ahead){
		.number = number, .store = s, .file = f};
	if (span__call_names_init(&a->names, NULL) < 0)
		return;
	a->running = span__helper_start(&a->helper, read_log, a);
	if (!a->running)
		span__call_names_release(&a->names);
}

static void wait_for(struct span__calls_ahead *a)
{
	span__helper_join(&a->helper);
	a->running = false;
}

/* The names of the log become numbers into NAMES. */
static int rename_all(struct span__calls_ahead *a,
		      struct span__call_names *names, struct span_error *err)
{
	struct span__calls_log *l = a->log;
	uint32_t *number = calloc(a->names.n + 1, sizeof(*number));
	int rc = 0;

	if (!number)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	for (size_t i = 0; i < a->names.n && !rc; i++)
		rc = span__call_names_put(names, &a->names.v[i], &number[i],
					  err);
	for (size_t i = 0; i < l->n && !rc; i++)
		l->v[i].name = number[l->v[i].name];
	l->names = names;
	free(number);
	return rc;
}

int span__calls_ahead_take(struct span__calls_ahead *a,
			   struct span__view_file *f, size_t number,
			   struct span__call_names *names,
			   struct span__calls_log **out, struct span_error *err)
{
	int rc = 0;

	if (!a->running || a->number != number)
		return 0;
	wait_for(a);
	if (a->log)
		rc = rename_all(a, names, err);
	if (a->log && !rc) {
		*out = a->log;
		a->log = NULL;
		f->told = true;
		if (f->kind == FILE_OPEN)
			f->log.end = a->end;
		rc = 1;
	}
	span__calls_log_close(&a->log);
	span__call_names_release(&a->names);
	return rc;
}

void span__calls_ahead_stop(struct span__calls_ahead *a)
{
	if (!a->running)
		return;
	wait_for(a);
	span__calls_log_close(&a->log);
	span__call_names_release(&a->names);
}
