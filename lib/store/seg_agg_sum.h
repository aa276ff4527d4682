/* SPDX-License-Identifier: Apache-2.0 */
/* seg_agg_sum.h - sums of durations, which may need more than 64 bits */
#ifndef SPAN_SEG_AGG_SUM_H
#define SPAN_SEG_AGG_SUM_H

__extension__ typedef unsigned __int128 span__sum;

#endif
