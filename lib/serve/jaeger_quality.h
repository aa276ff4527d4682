/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/jaeger_quality.h - what makes the traces of a service good ones
 */
#ifndef SERVE_JAEGER_QUALITY_H
#define SERVE_JAEGER_QUALITY_H

#include <span/trace.h>

enum span__serve_verdict {
	SPAN__SERVE_PASS = 0,
	SPAN__SERVE_FAIL,
	SPAN__SERVE_EXEMPT, /* it cannot be asked of this span */
};

/* A question about each span of a service. */
struct span__serve_question {
	const char *name, *category, *description, *link;
	double weight; /* in its category */
	enum span__serve_verdict (*judge)(const struct span_trace *t,
					  uint32_t i);
};

#define SPAN__SERVE_QUESTIONS 6u
extern const struct span__serve_question
	span__serve_questions[SPAN__SERVE_QUESTIONS];

#endif
