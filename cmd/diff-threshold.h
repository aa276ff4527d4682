/* SPDX-License-Identifier: Apache-2.0 */
/* diff-threshold.h - what trace-diff --threshold says */
#ifndef DIFF_THRESHOLD_H
#define DIFF_THRESHOLD_H

#include "cmd.h"

#include <span/diff.h>

/*
 * "20%", "5ms" or "20%,5ms", or the first two one after the other; what is not
 * said stays as it is. Wrong usage exits.
 */
void diff_thresholds(const struct cmd_list *list, struct span_diff_opts *o);

#endif
