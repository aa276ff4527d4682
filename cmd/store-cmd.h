/* SPDX-License-Identifier: Apache-2.0 */
/* store-cmd.h - the verbs of span-store, each in a file of its own */
#ifndef STORE_CMD_H
#define STORE_CMD_H

#include "cmd.h"

typedef int store_verb(int argc, char **argv, struct span_error *err);

extern const struct cmd_option store_append_options[];
extern const struct cmd_option store_expire_options[];
extern const struct cmd_option store_init_options[];
extern const struct cmd_option store_names_options[];
extern const struct cmd_option store_seal_options[];
extern const struct cmd_option store_stat_options[];
store_verb store_append, store_expire, store_export, store_import, store_init,
	store_operations, store_seal, store_services, store_stat;

/*
 * The store that is meant: the first operand, which is taken, or SPAN_STORE.
 * Neither is wrong usage.
 */
const char *store_name(int *argc, char ***argv);

/* Open the store that is the only operand, or SPAN_STORE. */
SPAN_NODISCARD int store_open(struct span_store **st, enum span_store_mode mode,
			      int argc, char **argv, struct span_error *err);

/* The plural of a word with N. */
static inline const char *store_s(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* For struct span_store_opts: a warning. */
void store_damage(void *arg, const char *text);

/* "3 spans", "1,204 spans": N and the word, with its plural. */
void store_put_n(struct span_buf *b, uint64_t n, const char *word);

/* "keep 7d, at most 5.0 GiB" */
void store_put_policy(struct span_buf *b, const struct span_store_policy *p);

/* A line of a dry run or of -v: "BEFORE N.log, 155 spans, 28.9 KiB: TEXT". */
void store_put_file(struct span_buf *b, const char *before,
		    const struct span_store_file *f, const char *text);

/* What was put into B from AT on, moved to the right of WIDTH columns. */
void store_align_right(struct span_buf *b, size_t at, size_t width);

/* Print B and release it, unless RC is an error. Returns RC or SPAN_E_NOMEM. */
SPAN_NODISCARD int store_print(struct span_buf *b, int rc,
			       struct span_error *err);

#endif
