/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve-spans.h - three traces for tests of answers
 *
 *	1  shop: GET / (server, 100 ms), 10 s before now
 *	     shop: call cart (client)
 *	       cart: add <b> (server, an error, with an event)
 *	2  shop: GET / (server, 20 ms), 70 s before now
 *	3  of 64 bits, 130 s before now: an orphan of "mail", that is there
 *	   twice, with awkward tags
 */
#ifndef SERVE_SPANS_H
#define SERVE_SPANS_H

#include "serve-test.h"

#define SERVE_SPANS 6u
#define SERVE_MS UINT64_C(1000000)

struct serve_spans {
	struct span_process shop, cart, mail;
	struct span_attr host[1], code[2], odd[4], field[1];
	struct span_event event[1];
	struct span spans[SERVE_SPANS];
};

static inline struct span serve_span(uint8_t trace, uint8_t id, uint8_t parent,
				     const struct span_process *process,
				     const char *name, uint8_t kind,
				     uint64_t ago_ms, uint64_t duration_ms)
{
	return (struct span){
		.trace_id = {[0] = trace == 3 ? 0 : 0xaa, [15] = trace},
		.span_id = {[7] = id},
		.parent_id = {[7] = parent},
		.start_ns = SERVE_TEST_NOW - ago_ms * SERVE_MS,
		.duration_ns = duration_ms * SERVE_MS,
		.name = span_str(name),
		.process = process,
		.kind = kind,
	};
}

static inline void serve_spans_init(struct serve_spans *t)
{
	struct span *s = t->spans;

	t->host[0] = (struct span_attr){SPAN_STR("host.name"),
					{SPAN_STRING, {SPAN_STR("h1")}}};
	t->code[0] = (struct span_attr){SPAN_STR("http.status_code"),
					{SPAN_INT, {.i = 500}}};
	t->code[1] = (struct span_attr){SPAN_STR("peer.service"),
					{SPAN_STRING, {SPAN_STR("cart")}}};
	t->odd[0] = (struct span_attr){SPAN_STR("<script>\x1b[31m"),
				       {SPAN_STRING, {SPAN_STR("a\"b\\\xff")}}};
	t->odd[1] = (struct span_attr){SPAN_STR("big"),
				       {SPAN_INT, {.i = INT64_MIN}}};
	t->odd[2] = (struct span_attr){SPAN_STR("blob"),
				       {SPAN_BYTES, {SPAN_STR("\0\xff")}}};
	t->odd[3] =
		(struct span_attr){SPAN_STR("ok"), {SPAN_BOOL, {.b = true}}};
	t->field[0] = (struct span_attr){SPAN_STR("message"),
					 {SPAN_STRING, {SPAN_STR("no stock")}}};
	t->event[0] =
		(struct span_event){.time_ns = SERVE_TEST_NOW - 9950 * SERVE_MS,
				    .name = SPAN_STR("exception"),
				    .attrs = {t->field, 1, 0}};
	t->shop = (struct span_process){.service = SPAN_STR("shop"),
					.attrs = {t->host, 1, 0}};
	t->cart = (struct span_process){.service = SPAN_STR("cart")};
	t->mail = (struct span_process){.service = SPAN_STR("mail*")};
	s[0] = serve_span(1, 1, 0, &t->shop, "GET /", SPAN_KIND_SERVER, 10000,
			  100);
	s[1] = serve_span(1, 2, 1, &t->shop, "call cart", SPAN_KIND_CLIENT,
			  9980, 60);
	s[1].attrs = (struct span_attrs){&t->code[1], 1, 0};
	s[2] = serve_span(1, 3, 2, &t->cart, "add <b>", SPAN_KIND_SERVER, 9970,
			  40);
	s[2].status = SPAN_STATUS_ERROR;
	s[2].attrs = (struct span_attrs){t->code, 1, 0};
	s[2].events = t->event;
	s[2].n_events = 1;
	s[3] = serve_span(2, 4, 0, &t->shop, "GET /", SPAN_KIND_SERVER, 70000,
			  20);
	s[4] = serve_span(3, 5, 9, &t->mail, "send", SPAN_KIND_CONSUMER, 130000,
			  5);
	s[4].attrs = (struct span_attrs){t->odd, 4, 0};
	s[5] = s[4];
}

/* A store with them. */
static inline void serve_spans_open(struct serve_test *t, struct serve_spans *v)
{
	serve_spans_init(v);
	serve_test_open(t);
	serve_test_add(t, v->spans, SERVE_SPANS);
}

#endif
