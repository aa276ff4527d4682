/* SPDX-License-Identifier: Apache-2.0 */
/* ratio.h - what samplers use of ratios beside <span/sample.h> */
#ifndef SPAN_SAMPLE_RATIO_H
#define SPAN_SAMPLE_RATIO_H

#include <span/sample.h>

/* Of the share P: what 56 random bits have to reach; 2^56: nothing does. */
uint64_t span__ratio_threshold(double p);

/*
 * The 56 bits by which R decides, so that a sampler which reaches the threshold
 * of P keeps what R keeps, but for rounding.
 */
uint64_t span__ratio_random(const struct span_ratio *r, const struct span *s);

#endif
