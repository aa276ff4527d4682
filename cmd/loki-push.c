/* SPDX-License-Identifier: Apache-2.0 */
#include "loki-push.h"

#include <stdlib.h>
#include <time.h>

#include "loki-account.h"
#include "loki-batch.h"
#include "loki-http.h"

#include "net/send_batch.h"
#include "net/sender_say.h"

#include "base/banned.h"

#define SECOND 1000000000ull
#define MOMENT (SECOND / 20)
#define STOP_TIME (10 * SECOND) /* what a signal leaves for attempts */
#define PUSH_PATH "/loki/api/v1/push"
#define RETRY_MIN (SECOND / 2)
#define RETRY_MAX (30 * SECOND)
#define RETRY_TIME (300 * SECOND)
#define MAX_RANGES 64u /* each is half of the one before, at most */

static struct {
	const char *url;
	uint64_t retry_min_ns, retry_max_ns, retry_time_ns;
	bool no_retry;
} opt = {.retry_min_ns = RETRY_MIN,
	 .retry_max_ns = RETRY_MAX,
	 .retry_time_ns = RETRY_TIME};

static const struct cmd_option retry_options[] = {
	{CMD_DURATION, 0, "retry-min", &opt.retry_min_ns, "TIME",
	 "longest pause before the second attempt (default 500ms)", NULL},
	{CMD_DURATION, 0, "retry-max", &opt.retry_max_ns, "TIME",
	 "longest pause between attempts (default 30s)", NULL},
	{CMD_DURATION, 0, "retry-max-time", &opt.retry_time_ns, "TIME",
	 "give up after this time without success (default 5m)", NULL},
	{CMD_FLAG, 0, "no-retry", &opt.no_retry, NULL,
	 "give up after the first attempt", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

const struct cmd_option loki_push_options[] = {
	{CMD_STRING, 0, "push", &opt.url, "URL",
	 "send the requests to the Loki at URL", NULL},
	{CMD_GROUP, 0, NULL, (void *)retry_options, NULL, "Loki", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_metrics_options, NULL, "Loki", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static struct {
	struct loki_http *http;
	struct span__causes causes;
	struct span_buf body;
	uint64_t stop_at_ns; /* after a signal; 0: none came */
} push;

bool loki_push_wanted(void)
{
	if (!opt.url &&
	    (opt.no_retry || opt.retry_min_ns != RETRY_MIN ||
	     opt.retry_max_ns != RETRY_MAX || opt.retry_time_ns != RETRY_TIME))
		cmd_usage("--retry-min, --retry-max, --retry-max-time and "
			  "--no-retry go with --push");
	if (!opt.url && cmd_metrics_wanted())
		cmd_usage("--metrics-file goes with --push");
	return opt.url;
}

static void say(void *arg, const char *text)
{
	(void)arg;
	cmd_warn("%s", text);
}

int loki_push_open(struct span_error *err)
{
	span__causes_init(&push.causes, opt.url, say, NULL);
	return loki_http_open(&push.http, opt.url, PUSH_PATH, false, err);
}

/* ---- Attempts ---- */

static bool is_stopped(void)
{
	uint64_t now = cmd_monotonic_ns();

	if (cmd_stopped && !push.stop_at_ns)
		push.stop_at_ns = now + STOP_TIME;
	return push.stop_at_ns && now >= push.stop_at_ns;
}

/* False when we have to stop before it is over. */
static bool pause_for(uint64_t wait_ns)
{
	uint64_t until = cmd_monotonic_ns() + wait_ns, now;

	while ((now = cmd_monotonic_ns()) < until) {
		uint64_t left = until - now < MOMENT ? until - now : MOMENT;
		const struct timespec t = {.tv_nsec = (long)left};

		if (is_stopped())
			return false;
		nanosleep(&t, NULL);
	}
	return true;
}

static uint64_t random_ns(void)
{
	static uint64_t x;

	if (!x)
		x = cmd_now_ns() | 1;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

/* How long to wait after attempt K, or SPAN__NO_DELAY: it was the last one. */
static uint64_t next_wait(unsigned k, uint64_t failing_ns, uint64_t asked_ns)
{
	uint64_t wait = span__backoff_ns(k, opt.retry_min_ns, opt.retry_max_ns,
					 random_ns());

	if (asked_ns != SPAN__NO_DELAY)
		wait = asked_ns + random_ns() % (opt.retry_min_ns + 1);
	if (opt.no_retry || failing_ns + wait > opt.retry_time_ns)
		return SPAN__NO_DELAY;
	return wait;
}

/*
 * Send push.body until that is decided: an outcome, RETRY when it was given
 * up, or a negative code.
 */
static int send_body(size_t n, struct span__reply *r, struct span_error *err)
{
	uint64_t since = cmd_monotonic_ns();

	for (unsigned k = 1;; k++) {
		struct span_str body = {push.body.p, push.body.len};
		int outcome = loki_http_do(push.http, body, r, err);
		uint64_t wait;

		loki_account.requests++;
		loki_account.bytes += body.len;
		loki_account.failed += outcome != SPAN__OUTCOME_ACCEPTED;
		if (outcome != SPAN__OUTCOME_RETRY)
			return outcome;
		wait = next_wait(k, cmd_monotonic_ns() - since,
				 r->got.delay_ns);
		if (wait == SPAN__NO_DELAY)
			return outcome;
		span__causes_say(&push.causes, r->cause, "trying again");
		if (!pause_for(wait))
			return outcome;
		loki_account.retried += n;
	}
}

/* ---- What becomes of entries ---- */

struct range {
	size_t at, n;
};

static void lose(enum loki_drop why, size_t n)
{
	loki_account.dropped[why] += n;
}

static void say_lost(const struct span__reply *r, size_t n, const char *verb)
{
	char result[64];

	snprintf(result, sizeof(result), "%zu entr%s %s", n,
		 n == 1 ? "y is" : "ies are", verb);
	span__causes_say(&push.causes, r->cause, result);
}

/* The peer takes nothing: no use to go on. */
static int give_up(enum loki_drop why, size_t n, const struct span__reply *r,
		   struct span_error *err)
{
	lose(push.stop_at_ns ? LOKI_STOPPED : why, n);
	return span_error_set(err, SPAN_E_PEER, "%s: %s", opt.url, r->cause);
}

static int push_range(struct range e, bool *split, struct span_error *err)
{
	struct span__reply r;
	int outcome;

	*split = false;
	push.body.len = 0;
	loki_batch_body(&push.body, e.at, e.n);
	if (push.body.failed)
		outcome = span_error_set(err, SPAN_E_NOMEM, "memory is out");
	else
		outcome = span__send_pack(&push.body, false, loki_http_gzip(),
					  err);
	if (outcome >= 0)
		outcome = send_body(e.n, &r, err);
	switch (outcome) {
	case SPAN__OUTCOME_ACCEPTED:
		loki_account.accepted += e.n;
		return 0;
	case SPAN__OUTCOME_REJECTED:
		loki_account.rejected += e.n;
		say_lost(&r, e.n, "in a request that was rejected");
		return 0;
	case SPAN__OUTCOME_TOO_LARGE:
		*split = e.n > 1;
		if (!*split) {
			lose(LOKI_TOO_LARGE, 1);
			say_lost(&r, 1, "dropped");
		}
		return 0;
	case SPAN__OUTCOME_RETRY:
		return give_up(LOKI_GIVEN_UP, e.n, &r, err);
	case SPAN__OUTCOME_REFUSED:
		return give_up(LOKI_REFUSED, e.n, &r, err);
	default:
		lose(LOKI_GIVEN_UP, e.n);
		return outcome;
	}
}

int loki_push_batch(size_t at, size_t n, struct span_error *err)
{
	struct range left[MAX_RANGES] = {{at, n}};
	size_t n_left = 1;
	int rc = 0;

	loki_account.entries += n;
	while (n_left && !rc) {
		struct range e = left[--n_left];
		size_t half = (e.n + 1) / 2;
		bool split;

		rc = push_range(e, &split, err);
		loki_account_write(false);
		if (split) {
			left[n_left++] =
				(struct range){e.at + half, e.n - half};
			left[n_left++] = (struct range){e.at, half};
		}
	}
	while (n_left)
		lose(push.stop_at_ns ? LOKI_STOPPED : LOKI_GIVEN_UP,
		     left[--n_left].n);
	return rc;
}

void loki_push_end(void)
{
	span__causes_end(&push.causes);
}

void loki_push_close(void)
{
	loki_http_close(&push.http);
	span_buf_release(&push.body);
}
