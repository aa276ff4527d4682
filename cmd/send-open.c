/* SPDX-License-Identifier: Apache-2.0 */
#include "send-open.h"

#include "net/tls_files.h"
#include "send-options.h"
#include "send-report.h"

#include "base/banned.h"

int send_open_spool(bool waits, struct span_error *err)
{
	const struct send_spool_opts o = {.dir = send_opt.spool,
					  .max_bytes = send_opt.max_bytes,
					  .waits = waits,
					  .batch = (size_t)send_opt.batch,
					  .batch_memory = SEND_BATCH_MEMORY};

	return send_spool_open(&o, err);
}

static void say(void *arg, const char *text)
{
	(void)arg;
	cmd_warn("%s", text);
}

int send_open_sender(struct span__sender **out,
		     const struct span__send_url *url, const char *name,
		     const struct send_headers *h, struct span_error *err)
{
	bool udp = url->protocol == SPAN__SEND_JAEGER_UDP;
	struct span__sender_opts o = {
		.http = {.url = url,
			 .slots = udp ? 1 : (unsigned)send_opt.concurrency,
			 .gzip = send_opt.gzip,
			 .timeout_ns = send_opt.timeout_ns,
			 .headers = h->v,
			 .n_headers = h->n,
			 .user = h->user.len ? h->user.p : NULL,
			 .cacert = send_opt.cacert,
			 .cert = send_opt.cert,
			 .key = send_opt.key,
			 .insecure = send_opt.insecure,
			 .agent = "span-send"},
		.name = name,
		.message_max = udp ? send_opt.max_packet : send_opt.batch_bytes,
		.no_retry = send_opt.no_retry,
		.retry_min_ns = send_opt.retry_min_ns,
		.retry_max_ns = send_opt.retry_max_ns,
		.retry_time_ns = send_opt.retry_time_ns,
		.say = say,
	};

	if (send_opt.spool) {
		o.more = send_spool_more;
		o.settle = send_spool_settle;
		o.save = send_spool_save;
		o.retry_time_ns = UINT64_MAX;
	}
	if (span__tls_files_check(send_opt.cacert, send_opt.cert, send_opt.key,
				  err) < 0)
		return err->code;
	return span__sender_open(out, &o, err);
}

bool send_is_quiet(struct span__sender *s)
{
	static uint64_t settled, since_ns;
	uint64_t now = cmd_monotonic_ns();
	uint64_t n = send_report.sent.accepted + send_report.sent.rejected;

	if (n != settled || !since_ns) {
		settled = n;
		since_ns = now;
	}
	return span__sender_is_refused(s) ||
	       now - since_ns >= send_opt.retry_time_ns;
}
