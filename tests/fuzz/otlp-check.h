/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp-check.h - what must hold for every message of OTLP
 *
 * What is decoded keeps its limits, goes through a frame, and comes back from
 * either form of OTLP the same; two passes give what one gives. Of what is
 * refused nothing was handed out. Memory stays below its bound.
 */
#ifndef OTLP_CHECK_H
#define OTLP_CHECK_H

#include <stddef.h>
#include <stdint.h>

/* Abort when something does not hold. */
void check_otlp(int format, const uint8_t *p, size_t len);

#endif
