/* SPDX-License-Identifier: Apache-2.0 */
/* store-cmd.h - the verbs of span-store that have files of their own */
#ifndef STORE_CMD_H
#define STORE_CMD_H

#include "cmd.h"

extern const struct cmd_option store_append_options[];
int store_append(int argc, char **argv, struct span_error *err);

extern const struct cmd_option store_stat_options[];
int store_stat(int argc, char **argv, struct span_error *err);

/*
 * The store that is meant: the first operand, which is taken, or SPAN_STORE.
 * Neither is wrong usage.
 */
const char *store_name(int *argc, char ***argv);

/* The plural of a word with N. */
static inline const char *store_s(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* For struct span_store_opts: a warning. */
void store_damage(void *arg, const char *text);

#endif
