/* SPDX-License-Identifier: Apache-2.0 */
/* label.h - what Prometheus calls an attribute; for lib/ only */
#ifndef SPAN_TEXT_LABEL_H
#define SPAN_TEXT_LABEL_H

#include <span/text.h>

/*
 * Is LABEL what span_text_label() makes of KEY? OpenTelemetry's "key_" before a
 * digit will do, too.
 */
bool span__label_is(struct span_str label, struct span_str key);

#endif
