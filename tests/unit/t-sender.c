/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sender.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/tap.h"

#define SECOND_NS 1000000000ull

/* ---- Who is asked for more ---- */

/*
 * A source whose last batch comes right after it was asked in vain: just then
 * another thread appends it, wakes the sender, and says that this was the end.
 */
static struct {
	_Atomic(struct span__sender *) sender;
	unsigned asked; /* since the sender is known */
	size_t settled;
} late;

static int one_batch(struct span__batch **b, struct span_error *err)
{
	static const struct span_process process = {.service = {"s", 1}};
	const struct span span = {.trace_id = {[15] = 1},
				  .span_id = {[7] = 1},
				  .process = &process,
				  .name = {"op", 2}};
	int rc = span__batch_open(b, 1, err);

	if (rc >= 0)
		rc = span__batch_put(*b, &span, err);
	return rc < 0 ? rc : 1;
}

static int late_more(void *arg, struct span__batch **b, struct span_error *err)
{
	struct span__sender *s = atomic_load(&late.sender);

	(void)arg;
	*b = NULL;
	if (!s)
		return 0;
	if (late.asked++ == 1)
		return one_batch(b, err);
	if (late.asked == 1) {
		span__sender_wake(s);
		return span__sender_finish(s, 0, err);
	}
	return 0;
}

static void late_settle(void *arg, const struct span__batch *b, size_t first,
			size_t n)
{
	(void)arg;
	(void)b;
	(void)first;
	late.settled += n;
}

static int late_save(void *arg, struct span_error *err)
{
	(void)arg;
	(void)err;
	return 0;
}

static void say(void *arg, const char *text)
{
	(void)arg;
	diag("%s", text);
}

/* A socket that is never read. Its port, or 0. */
static unsigned listen_udp(int *fd)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	*fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (*fd < 0 || bind(*fd, (struct sockaddr *)&at, len) < 0 ||
	    getsockname(*fd, (struct sockaddr *)&at, &len) < 0)
		return 0;
	return ntohs(at.sin_port);
}

static void test_late(void)
{
	struct span__send_url url;
	struct span__sender_opts o = {
		.http = {.url = &url, .slots = 1},
		.name = "a test",
		.message_max = 1000,
		.retry_time_ns = UINT64_MAX,
		.more = late_more,
		.settle = late_settle,
		.save = late_save,
		.say = say,
	};
	struct span__sender_counts counts;
	struct span__sender *s = NULL;
	char text[64];
	int fd, rc = 0;

	snprintf(text, sizeof(text), "jaeger+udp://127.0.0.1:%u",
		 listen_udp(&fd));
	if (!is_int(span__send_url_parse(&url, text, false, NULL), 0, "a URL"))
		return;
	if (!is_int(span__sender_open(&s, &o, NULL), 0, "a sender"))
		return;
	atomic_store(&late.sender, s);
	span__sender_wake(s);
	/* The thread itself says that it is the end. */
	for (int i = 0; i < 100 && !rc; i++)
		rc = span__sender_finish(s, SECOND_NS / 10, NULL);
	is_int(rc, 1, "it ends");
	span__sender_counts(s, &counts);
	is_uint(counts.accepted, 1,
		"what came while it looked in vain was sent before the end");
	is_uint(late.settled, 1, "and settled");
	span__sender_close(&s);
	close(fd);
}

int main(void)
{
	test_late();
	return done_testing();
}
