/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usual_tag.h - tags as nearly every client writes them
 *
 * Nearly all tags have their fields in order, a short key and a string, a
 * boolean or an integer: such a tag is known by a few bytes at fixed
 * distances, and takes a third of the time.
 */
#ifndef SPAN_USUAL_TAG_H
#define SPAN_USUAL_TAG_H

#include <span/model.h>

#include "codec/thrift.h"

enum tag_type { TAG_STRING, TAG_DOUBLE, TAG_BOOL, TAG_LONG, TAG_BINARY };

/*
 * Read the tag that begins at IN->p. False when it is not a usual one: then
 * nothing was read. True after a failure too.
 */
bool span__usual_tag(struct span__thrift *in, bool compact,
		     struct span_attr *a);

#endif
