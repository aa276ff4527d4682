/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_source.h - the span source that every reading command shares
 *
 * FILEs, standard input, or -s STORE, and the selection options. With a
 * store the selection is pushed down.
 */
#ifndef CMD_SOURCE_H
#define CMD_SOURCE_H

#include "cmd.h"

/* -s STORE, --skip-bad; --service ... --trace-id, -e is not here yet. */
extern const struct cmd_option cmd_source_options[];
/* --limit, --sort, --window, --memory: for commands that show traces. */
extern const struct cmd_option cmd_search_options[];

struct cmd_source;

/*
 * Open what the options and ARGV name. TIE (or NULL) is flushed before a
 * read that may block. 0 or a negative code; wrong usage exits.
 */
SPAN_NODISCARD int cmd_source_open(struct cmd_source **out, int argc,
				   char **argv, struct span_writer *tie,
				   struct span_error *err);

/* True when a selection option was given. */
bool cmd_source_selects(void);
/* True when the source is a store. */
bool cmd_source_is_store(const struct cmd_source *s);

/* The next selected span. Contract of span_reader_next(). */
SPAN_NODISCARD int cmd_source_next(struct cmd_source *s, struct span *out,
				   struct span_error *err);

/* The next whole trace with a selected span. Contract of span_search_next(). */
SPAN_NODISCARD int cmd_source_next_trace(struct cmd_source *s,
					 struct span_trace *out,
					 const uint8_t **matched,
					 struct span_error *err);

/*
 * The next frame of a source without selection on streams, for filters that
 * forward frames; SPAN_E_INVALID on a store.
 */
SPAN_NODISCARD int cmd_source_next_frame(struct cmd_source *s,
					 struct span_frame **frame,
					 struct span_error *err);

/* Warn of what was skipped or cut, then close; NULL is fine. */
void cmd_source_close(struct cmd_source **s);

#endif
