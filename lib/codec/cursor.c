/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/cursor.h"

#include "base/banned.h"

void span__cursor_fail(struct span__cursor *in, const unsigned char *p,
		       int code, const char *what)
{
	if (!in->failed) {
		in->failed = true;
		in->code = code;
		in->what = what;
		in->pos = (size_t)(p - in->begin);
	}
	in->p = in->end;
}
