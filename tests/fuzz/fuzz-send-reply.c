/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte says what the rest is: a body, a trailer, a header. */
#include "net/send_reply.h"
#include "net/send_retry.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void check_text(const char *text)
{
	assert(strnlen(text, SPAN__REPLY_TEXT) < SPAN__REPLY_TEXT);
}

static void check_body(const char *type, struct span_str in)
{
	char text[SPAN__REPLY_TEXT];
	struct span__partial partial;

	span__otlp_partial(span_str(type), in, &partial);
	check_text(partial.text);
	span__http_message(span_str(type), in, text);
	check_text(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span_str in = {(const char *)p + 1, len - 1}, body;
	char text[SPAN__REPLY_TEXT];
	uint64_t delay;

	if (!len)
		return 0;
	switch (p[0] % 6) {
	case 0:
		check_body("application/x-protobuf", in);
		break;
	case 1:
		check_body("application/json", in);
		break;
	case 2:
		body = span__grpc_body(in);
		assert(body.len <= in.len);
		check_body("application/grpc", body);
		break;
	case 3:
		span__grpc_message(in, text);
		check_text(text);
		break;
	case 4:
		delay = span__grpc_retry_delay(in);
		assert(delay == UINT64_MAX || delay <= 86400000000000ull);
		break;
	default:
		delay = span__retry_after(in, 784111767000000000ull);
		assert(delay == UINT64_MAX || delay <= 86400000000000ull);
	}
	return 0;
}
