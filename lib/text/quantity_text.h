/* SPDX-License-Identifier: Apache-2.0 */
/* quantity_text.h - what readers of typed text share; for lib/text only */
#ifndef SPAN_TEXT_QUANTITY_TEXT_H
#define SPAN_TEXT_QUANTITY_TEXT_H

#include <span/quantity.h>

/* TEXT with a zero byte behind it. False when it is too long, or has one. */
bool span__quantity_text(struct span_str text, char out[SPAN_QUANTITY_MAX + 1]);

/* "'TEXT' is no WHAT": SPAN_E_INVALID. */
int span__quantity_refuse(struct span_str text, const char *what,
			  struct span_error *err);

#endif
