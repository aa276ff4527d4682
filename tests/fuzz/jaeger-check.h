/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jaeger-check.h - what must hold for every message of Jaeger's JSON and
 * protobuf, of CSV and of JSON lines
 *
 * What is decoded keeps its limits, goes through a frame, and is the same
 * when it is written, read and written again. Of what is refused nothing was
 * handed out. Memory stays below its bound.
 */
#ifndef JAEGER_CHECK_H
#define JAEGER_CHECK_H

#include <stddef.h>
#include <stdint.h>

/* Abort when something does not hold. */
void check_jaeger(int format, const uint8_t *p, size_t len);

#endif
