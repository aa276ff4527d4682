/* SPDX-License-Identifier: Apache-2.0 */
/*
 * banned.h - functions that this project does not use
 *
 * Included last, after every system header: strings without a bound, hidden
 * state, and text parsing that cannot report an error.
 */
#ifndef SPAN_BANNED_H
#define SPAN_BANNED_H

/* A name that glibc has made a macro of, as it does for clang, is refused. */
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat sprintf vsprintf gets
#pragma GCC poison strtok strtok_r atoi atol atoll atof sscanf scanf
#pragma GCC poison localtime gmtime ctime asctime
#pragma GCC poison mktemp tmpnam tempnam system popen

#endif
