/* SPDX-License-Identifier: Apache-2.0 */
/* scratch.h - large local variables */
#ifndef SPAN_SCRATCH_H
#define SPAN_SCRATCH_H

/*
 * Builds that zero all local variables leave this one alone: it is large,
 * written before it is read, and its function is called for every value.
 */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define SPAN__SCRATCH __attribute__((uninitialized))
#endif
#endif
#ifndef SPAN__SCRATCH
#define SPAN__SCRATCH
#endif

#endif
