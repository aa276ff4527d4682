/* SPDX-License-Identifier: Apache-2.0 */
/* detect.h - which format of JSON or protobuf a text or message has */
#ifndef SPAN__DETECT_H
#define SPAN__DETECT_H

#include <span/codec.h>

/*
 * True when JSON begins there, behind space, a byte order mark, or the 0x1e
 * that begins a record of RFC 7464.
 */
bool span__json_detect(const unsigned char *p, size_t len);

/* Bytes of the beginning that tell JSON from a message of protobuf. */
#define SPAN__JSON_ENOUGH 64u

/* How many bytes of space and marks there are before something else. */
size_t span__json_space(const unsigned char *p, size_t len);

/*
 * The format of JSON: by the names of the members of its first object that has
 * any, in whatever order they come. The text may be cut short. Negative with
 * *ERR when none says it.
 */
int span__json_format(const unsigned char *p, size_t len,
		      struct span_error *err);

/* The format of a message of protobuf, cut short or not, or SPAN_E_CORRUPT. */
int span__proto_format(const unsigned char *p, size_t len);

#endif
