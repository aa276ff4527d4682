/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zipkin-check.h - what must hold for every message of Zipkin
 *
 * What check_thrift() checks of any message; and a span that was written as
 * Zipkin's once is read and written the same from then on.
 */
#ifndef ZIPKIN_CHECK_H
#define ZIPKIN_CHECK_H

#include <stddef.h>
#include <stdint.h>

/* Abort when something does not hold. */
void check_zipkin(int format, const uint8_t *p, size_t len);

#endif
