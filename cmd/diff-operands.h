/* SPDX-License-Identifier: Apache-2.0 */
/* diff-operands.h - ids of traces, and FILEs, on the command line */
#ifndef DIFF_OPERANDS_H
#define DIFF_OPERANDS_H

#include "cmd.h"

/*
 * Put ids to the front of ARGV and FILEs behind them, each in their order; how
 * many ids there are. What is neither is wrong usage.
 */
int diff_operands_sort(int argc, char **argv);

/* How many digits of ID the operand has; 33: it is all of it; 0: it is not. */
size_t diff_operand_fits(const char *operand, const uint8_t id[16]);

#endif
