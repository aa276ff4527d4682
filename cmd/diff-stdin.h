/* SPDX-License-Identifier: Apache-2.0 */
/* diff-stdin.h - standard input, read once for each side */
#ifndef DIFF_STDIN_H
#define DIFF_STDIN_H

#include "cmd.h"

/*
 * To call before cmd_source_open() of these operands is called for each side.
 * Where standard input is read and is no file, it becomes one, without a name,
 * in the directory TMPDIR. 0; SPAN_E_INVALID when an operand is a pipe; or
 * another negative code.
 */
SPAN_NODISCARD int diff_stdin_keep(int argc, char **argv,
				   struct span_error *err);
/* Before each side: back to where it was. 0 or SPAN_E_IO. */
SPAN_NODISCARD int diff_stdin_rewind(int argc, char **argv,
				     struct span_error *err);

#endif
