/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thrift-check.h - what must hold for every message of Thrift
 *
 * What is decoded keeps its limits, goes through a frame and, when it is
 * Jaeger's, through the encoder, and comes back the same; of what is refused
 * nothing was handed out. Memory stays below its bound.
 */
#ifndef THRIFT_CHECK_H
#define THRIFT_CHECK_H

#include <stddef.h>
#include <stdint.h>

/* Abort when something does not hold. */
void check_thrift(int format, const uint8_t *p, size_t len);

#endif
