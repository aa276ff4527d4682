/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a capture file, and the packets in it. */
#include "net/capture.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

static int take(void *arg, const struct span_payload *p, struct span_error *err)
{
	(void)arg, (void)err;
	check(p->data.len <= SPAN_PAYLOAD_MAX);
	return 0;
}

static void lose(void *arg, uint16_t port, enum span__drop cause)
{
	(void)arg, (void)port;
	check(cause < SPAN__DROPS);
}

static void read_packets(struct span__capture *c, size_t len)
{
	static const struct span__ports ports;
	const struct span__requests_sink sink = {.payload = take, .lost = lose};
	struct span__packets *s = NULL;
	struct span_error err = {0};
	struct span_payload payload;
	struct span__frame f;
	int rc;

	check(span__packets_open(&s, span__capture_link(c), &ports, &sink,
				 &err) == 0);
	while ((rc = span__capture_next(c, &f, &err)) > 0)
		check(span__packets_next(s, &f, &payload, &err) >= 0);
	if (rc < 0)
		check(err.code == rc && err.pos <= len && err.msg[0]);
	check(span__packets_finish(s, &err) == 0);
	span__packets_close(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span__capture *c = NULL;
	struct span_error err = {0};
	int rc = span__capture_open_mem(&c, p, len, "input", &err);

	if (rc < 0) {
		check(rc == SPAN_E_CORRUPT && err.msg[0] && !c);
		return 0;
	}
	check(span__capture_link_name(c) != NULL);
	if (span__packets_know(span__capture_link(c)))
		read_packets(c, len);
	span__capture_close(&c);
	return 0;
}
