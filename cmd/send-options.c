/* SPDX-License-Identifier: Apache-2.0 */
#include "send-options.h"

#include "cmd_source.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/sender.h"
#include "send-spool.h"

#include "base/banned.h"

struct send_opt send_opt = {
	.batch = 512,
	.batch_bytes = 2u << 20,
	.max_packet = 65000,
	.concurrency = 4,
	.flush_ns = SECOND_NS,
	.timeout_ns = 10 * SECOND_NS,
	.stop_ns = 10 * SECOND_NS,
	.retry_min_ns = SECOND_NS,
	.retry_max_ns = 30 * SECOND_NS,
	.retry_time_ns = 300 * SECOND_NS,
};

static const struct cmd_option message_options[] = {
	{CMD_INT, 0, "batch", &send_opt.batch, "N",
	 "spans of a message (default 512)", NULL},
	{CMD_SIZE, 0, "batch-bytes", &send_opt.batch_bytes, "SIZE",
	 "bytes of a message with several spans (default 2M)", NULL},
	{CMD_SIZE, 0, "max-packet", &send_opt.max_packet, "SIZE",
	 "bytes of a datagram (default 65000)", NULL},
	{CMD_DURATION, 0, "flush-interval", &send_opt.flush_ns, "TIME",
	 "how long a span waits for others (default 1s)", NULL},
	{CMD_DOUBLE, 0, "rate", &send_opt.rate, "N", "at most N spans a second",
	 NULL},
	{CMD_INT, 0, "concurrency", &send_opt.concurrency, "N",
	 "messages under way at a time (default 4)", NULL},
	{CMD_FLAG, 0, "json", &send_opt.json, NULL,
	 "OTLP over HTTP in JSON instead of protobuf", NULL},
	{CMD_FLAG, 0, "gzip", &send_opt.gzip, NULL, "compress messages", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd_option retry_options[] = {
	{CMD_DURATION, 0, "timeout", &send_opt.timeout_ns, "TIME",
	 "how long to wait for an answer (default 10s)", NULL},
	{CMD_DURATION, 0, "retry-min", &send_opt.retry_min_ns, "TIME",
	 "longest pause before the second attempt (default 1s)", NULL},
	{CMD_DURATION, 0, "retry-max", &send_opt.retry_max_ns, "TIME",
	 "longest pause between attempts (default 30s)", NULL},
	{CMD_DURATION, 0, "retry-max-time", &send_opt.retry_time_ns, "TIME",
	 "give a message up after this time (default 5m)", NULL},
	{CMD_FLAG, 0, "no-retry", &send_opt.no_retry, NULL,
	 "give a message up after the first attempt", NULL},
	{CMD_DURATION, 0, "stop-timeout", &send_opt.stop_ns, "TIME",
	 "give all up this time after a signal (default 10s)", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd_option spool_options[] = {
	{CMD_STRING, 0, "spool", &send_opt.spool, "DIR",
	 "keep spans in DIR until they are settled", NULL},
	{CMD_SIZE, 0, "max-bytes", &send_opt.max_bytes, "SIZE",
	 "how large the spool may be (default 1G)", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd_option http_options[] = {
	{CMD_LIST, 0, "header", &send_opt.auth.headers, "HEADER",
	 "send this header, 'KEY: VALUE' (repeatable)", NULL},
	{CMD_STRING, 0, "header-file", &send_opt.auth.header_file, "FILE",
	 "send the headers in FILE, one a line", NULL},
	{CMD_STRING, 0, "header-env", &send_opt.auth.header_env, "NAME",
	 "send the headers in this variable, one a line", NULL},
	{CMD_STRING, 0, "user-file", &send_opt.auth.user_file, "FILE",
	 "be the user of the line NAME:PASSWORD in FILE", NULL},
	{CMD_STRING, 0, "token-file", &send_opt.auth.token_file, "FILE",
	 "send the bearer token in FILE", NULL},
	{CMD_STRING, 0, "cacert", &send_opt.cacert, "FILE",
	 "trust the authorities in FILE, and no others", NULL},
	{CMD_STRING, 0, "cert", &send_opt.cert, "FILE",
	 "show this certificate to the collector", NULL},
	{CMD_STRING, 0, "key", &send_opt.key, "FILE",
	 "the key of the certificate", NULL},
	{CMD_FLAG, 0, "insecure", &send_opt.insecure, NULL,
	 "take any certificate of the collector", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

const struct cmd_option send_options[] = {
	{CMD_GROUP, 0, NULL, (void *)message_options, NULL, "Messages", NULL},
	{CMD_GROUP, 0, NULL, (void *)retry_options, NULL, "Answers", NULL},
	{CMD_GROUP, 0, NULL, (void *)spool_options, NULL, "Spool", NULL},
	{CMD_GROUP, 0, NULL, (void *)http_options, NULL, "HTTP and gRPC", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_source_options, NULL, "Source", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_metrics_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

void send_options_check(int argc)
{
	if (!argc)
		cmd_usage(
			"where to? A URL is needed, as otlp+http://HOST:4318");
	if (!send_opt.batch || send_opt.batch > SPAN__BATCH_MAX)
		cmd_usage("--batch is from 1 to %u", SPAN__BATCH_MAX);
	if (!send_opt.concurrency || send_opt.concurrency > SPAN__SENDER_SLOTS)
		cmd_usage("--concurrency is from 1 to %u", SPAN__SENDER_SLOTS);
	if (send_opt.max_packet < 256 || send_opt.max_packet > 65507)
		cmd_usage("--max-packet is from 256 to 65507");
	if (!(send_opt.rate >= 0 && send_opt.rate <= 1e9))
		cmd_usage("--rate is not from 0 to 1e9");
	if (send_opt.max_bytes && !send_opt.spool)
		cmd_usage("--max-bytes goes with --spool");
	if (!send_opt.max_bytes)
		send_opt.max_bytes = SEND_SPOOL_MAX;
	if (send_opt.max_bytes < SEND_SPOOL_MIN)
		cmd_usage("--max-bytes is 1M at least");
	if (send_opt.spool && send_opt.no_retry)
		cmd_usage("--spool and --no-retry at once");
	if (send_opt.key && !send_opt.cert)
		cmd_usage("--key goes with --cert");
}

/* Options that the protocol has nothing to do with are a misunderstanding. */
void send_options_check_url(const struct span__send_url *u)
{
	bool http = u->content_type != NULL;

	if (!http && (send_opt.auth.headers.n || send_opt.auth.header_file ||
		      send_opt.auth.header_env || send_opt.auth.user_file ||
		      send_opt.auth.token_file || send_opt.gzip))
		cmd_usage("UDP has no headers and no compression");
	if (u->protocol == SPAN__SEND_JAEGER_HTTP && send_opt.gzip)
		cmd_usage("Jaeger's collector takes no gzip over HTTP: "
			  "jaeger+grpc, or otlp+http");
	if (!u->tls && (send_opt.cacert || send_opt.cert || send_opt.key ||
			send_opt.insecure))
		cmd_usage("--cacert, --cert, --key and --insecure go with TLS: "
			  "otlp+https, otlp+grpcs, zipkin+https, jaeger+https");
}

static bool is_pipe(int fd)
{
	struct stat st;

	return !fstat(fd, &st) &&
	       (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* What cannot be looked at is no file but an expression, or will fail. */
static bool is_live(const struct stat *st)
{
	return !S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode);
}

bool send_is_live(int argc, char **argv)
{
	struct stat st;
	int n = 0;

	for (int i = 0; i < argc; i++) {
		int rc = strcmp(argv[i], "-") ? stat(argv[i], &st)
					      : fstat(STDIN_FILENO, &st);

		if (!rc && is_live(&st))
			return true;
		n += !rc;
	}
	return !n && !fstat(STDIN_FILENO, &st) && is_live(&st);
}

bool send_reads_pipe(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (!strcmp(argv[i], "-"))
			return is_pipe(STDIN_FILENO);
	return !argc && is_pipe(STDIN_FILENO);
}
