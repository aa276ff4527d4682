/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be asked for: sampling strategies and baggage restrictions, with
 * the answers of Jaeger's agent and collector; health and metrics.
 */
#include <span/text.h>

#include "net/clock.h"
#include "net/http_answer.h"
#include "net/http_conn.h"

#include "base/banned.h"

#define SECOND_NS 1000000000u

struct services {
	struct span_str name;
	unsigned n;
};

static enum MHD_Result find_service(void *cls, enum MHD_ValueKind kind,
				    const char *key, size_t key_len,
				    const char *value, size_t len)
{
	struct services *s = cls;

	(void)kind;
	if (!span_str_equal((struct span_str){key, key_len},
			    SPAN_STR("service")))
		return MHD_YES;
	s->n++;
	s->name = (struct span_str){value, value ? len : 0};
	return MHD_YES;
}

void span__http_sampling(const struct span__http_server *h,
			 struct MHD_Connection *mhd,
			 enum span__http_action what,
			 struct span__http_answer *a)
{
	struct services s = {0};

	MHD_get_connection_values_n(mhd, MHD_GET_ARGUMENT_KIND, find_service,
				    &s);
	if (s.n != 1) {
		span__http_text(a, 400,
				"'service' parameter must be provided once");
		return;
	}
	a->status = 200;
	a->type = "application/json";
	if (what != SPAN__HTTP_GET_BAGGAGE)
		span__sampling_answer(h->strategies, s.name,
				      what == SPAN__HTTP_GET_SAMPLING_NUMERIC,
				      &a->body);
	else if (!span__baggage_answer(h->strategies, &a->body))
		span__http_text(a, 500,
				"collector error: baggage not implemented");
}

/* "1h2m3s" */
static void put_uptime(struct span_buf *b, uint64_t ns)
{
	uint64_t s = ns / SECOND_NS;

	if (s >= 3600)
		span_buf_printf(b, "%lluh", (unsigned long long)(s / 3600));
	if (s >= 60)
		span_buf_printf(b, "%llum", (unsigned long long)(s / 60 % 60));
	span_buf_printf(b, "%llus", (unsigned long long)(s % 60));
}

void span__http_health(const struct span__http_server *h,
		       struct span__http_answer *a)
{
	const struct span__http_admin *admin = &h->opts.admin;
	bool good = !h->daemon.stopping && admin->is_healthy(admin->arg);
	uint64_t up = span__monotonic_ns() - h->start_ns;

	a->status = good ? 200 : 503;
	a->type = "application/json";
	span_buf_printf(&a->body, "{\"status\":\"Server %savailable\",",
			good ? "" : "not ");
	span_buf_puts(&a->body, "\"upSince\":\"");
	span_text_time(&a->body, span__epoch_ns() - up, 9);
	span_buf_puts(&a->body, "\",\"uptime\":\"");
	put_uptime(&a->body, up);
	span_buf_puts(&a->body, "\"}");
}

void span__http_metrics(const struct span__http_server *h,
			struct span__http_answer *a)
{
	a->status = 200;
	a->type = "text/plain; version=0.0.4; charset=utf-8";
	h->opts.admin.metrics(h->opts.admin.arg, &a->body);
}
