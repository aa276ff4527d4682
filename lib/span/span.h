/* SPDX-License-Identifier: Apache-2.0 */
/* span/span.h - all of libspan; see libspan(3) */
#ifndef SPAN_SPAN_H
#define SPAN_SPAN_H

#include <span/adjust.h>
#include <span/base.h>
#include <span/codec.h>
#include <span/diff.h>
#include <span/findings.h>
#include <span/graph.h>
#include <span/log.h>
#include <span/model.h>
#include <span/patterns.h>
#include <span/payload.h>
#include <span/quantity.h>
#include <span/query.h>
#include <span/redact.h>
#include <span/render.h>
#include <span/sample.h>
#include <span/sketch.h>
#include <span/split.h>
#include <span/stats.h>
#include <span/store.h>
#include <span/strategies.h>
#include <span/stream.h>
#include <span/text.h>
#include <span/trace.h>

#endif
