/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query-files.h - does anything match, and in which files: -q, -l and -L
 */
#ifndef QUERY_FILES_H
#define QUERY_FILES_H

#include "cmd_source.h"
#include "query-print.h"

/* Look for one match, which OUT counts. 0 or a negative code. */
SPAN_NODISCARD int query_any(struct query_print *out, struct cmd_source *in,
			     struct span_error *err);
/*
 * Print the names of the ARGC files ARGV (none: standard input) in which
 * something matches, or (WITH is false) nothing. 0 or a negative code.
 */
SPAN_NODISCARD int query_list_files(struct query_print *out, bool with,
				    int argc, char **argv,
				    struct span_error *err);

#endif
