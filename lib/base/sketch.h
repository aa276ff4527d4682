/* SPDX-License-Identifier: Apache-2.0 */
/* sketch.h - what the library does with a sketch besides <span/sketch.h> */
#ifndef SPAN_BASE_SKETCH_H
#define SPAN_BASE_SKETCH_H

#include <span/sketch.h>

/* Take one VALUE out again, which was put; not from counts at UINT64_MAX. */
void span__sketch_take(struct span_sketch *s, uint64_t value);

#endif
