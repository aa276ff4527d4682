/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls_ahead.h - a log is read beside what else is counted
 *
 * A second thread reads one log, some frames at a time, while the caller does
 * something else, and when he wants the log he reads what is left of it too.
 * They touch nothing that others may: where there is anything to tell of,
 * damage or a failure, the caller has to read the log himself.
 */
#ifndef SPAN_CALLS_AHEAD_H
#define SPAN_CALLS_AHEAD_H

#include <stdatomic.h>

#include "base/parallel.h"
#include "store/calls_log.h"
#include "store/store_directory.h"

/* What one of the two has read, with names of his own. */
struct span__calls_part {
	struct span__calls_ahead *of;
	struct span__call_names names;
	struct span__calls_log *log;
};

/* A zeroed struct is idle. It stays where it is. */
struct span__calls_ahead {
	bool running;
	size_t number; /* of the file */
	const struct span__directory *store;
	const struct span__view_file *file;
	struct span__log log;
	struct span_buf buf;
	struct span_str frames; /* its index, in buf */
	atomic_size_t next;	/* frames that nobody reads yet */
	atomic_bool failed;
	struct span__calls_part parts[2]; /* the thread's, the caller's */
	struct span__helper helper;
};

/* Begin with file NUMBER of S; idle where that is of no use. */
void span__calls_ahead_start(struct span__calls_ahead *a,
			     const struct span__directory *s, size_t number);
/*
 * What was read of file NUMBER, with names in NAMES: 1 with *OUT; 0 when it has
 * to be read; or SPAN_E_NOMEM. Idle then, if it was that file.
 */
SPAN_NODISCARD int
span__calls_ahead_take(struct span__calls_ahead *a, struct span__view_file *f,
		       size_t number, struct span__call_names *names,
		       struct span__calls_log **out, struct span_error *err);
void span__calls_ahead_stop(struct span__calls_ahead *a);

#endif
