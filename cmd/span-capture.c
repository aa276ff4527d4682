/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "capture-listen.h"
#include "capture-packets.h"
#include "capture-report.h"
#include "net/privilege.h"
#include "net/receiver.h"

#include "base/banned.h"

#define QUEUE (16u << 20)
#define SERVER_QUEUE (32u << 20) /* holds the largest body */
#define SECOND_NS 1000000000u
#define SIGNALS_NS 10000000u /* between two looks for signals under load */

static struct {
	const char *user;
	uint64_t queue, count, duration_ns;
} opt;

static const struct cmd_option options[] = {
	{CMD_GROUP, 0, NULL, (void *)capture_listen_options, NULL, "Receiving",
	 NULL},
	{CMD_GROUP, 0, NULL, (void *)capture_server_options, NULL, "Servers",
	 NULL},
	{CMD_GROUP, 0, NULL, (void *)capture_packet_options, NULL, "Packets",
	 NULL},
	{CMD_INT, 'c', "count", &opt.count, "N", "stop after N payloads", NULL},
	{CMD_DURATION, 0, "duration", &opt.duration_ns, "TIME",
	 "stop after this time", NULL},
	{CMD_SIZE, 0, "queue", &opt.queue, "SIZE",
	 "memory for what the reader has not taken yet (default 16M, 32M "
	 "with a server)",
	 NULL},
	{CMD_STRING, 'Z', "user", &opt.user, "USER",
	 "become USER when everything is open", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_output_options, NULL, "Output", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_metrics_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static volatile sig_atomic_t counts_wanted, reload_wanted;

static void on_signal(int sig)
{
	if (sig == SIGHUP)
		reload_wanted = 1;
	else
		counts_wanted = 1;
}

static void check_usage(int argc, char **argv)
{
	bool network = capture_listens();

	if (argc)
		cmd_usage("unexpected argument: '%s' (a file is read with -r)",
			  argv[0]);
	if (!network && !capture_packets.file && !capture_packets.interface)
		cmd_usage("nothing to receive from: try --udp, --all, "
			  "--listen PROTO:ADDRESS:PORT, -r FILE or "
			  "-i INTERFACE");
	if (capture_packets.file && (network || capture_packets.interface))
		cmd_usage("-r reads a file and nothing else");
	if (capture_packets.file && opt.duration_ns)
		cmd_usage("--duration is not for a file");
	capture_packets_check();
	if (!opt.queue)
		opt.queue = capture_serves() ? SERVER_QUEUE : QUEUE;
	if (opt.queue < SPAN__QUEUE_MIN || opt.queue > SPAN__QUEUE_MAX)
		cmd_usage("--queue is 256K at least and 1G at most");
	capture_servers_check(opt.queue);
}

static int read_file(struct span__receiver *r, struct span_error *err)
{
	int rc;

	if (strcmp(capture_packets.file, "-") != 0)
		cmd_signals_source();
	else
		cmd_signals_drain(STDIN_FILENO);
	do {
		rc = span__receiver_read(r, err);
		capture_report_metrics(r, false);
		cmd_progress(
			span__counts_sum(span__receiver_counts(r)).received,
			"datagrams");
	} while (rc > 0 && !cmd_stopped);
	return rc;
}

/*
 * A wait that finds something at once lets no signal in: under load none. But
 * turns may be short, and signals have time.
 */
static void let_signals_in(const sigset_t *open)
{
	static uint64_t last_ns;
	uint64_t now_ns = cmd_monotonic_ns();
	sigset_t blocked;

	if (now_ns - last_ns < SIGNALS_NS)
		return;
	last_ns = now_ns;
	sigprocmask(SIG_SETMASK, open, &blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

/*
 * Signals arrive only inside the wait and after a turn, so that none comes
 * between looking at cmd_stopped and going to sleep.
 */
static int receive(struct span__receiver *r, const sigset_t *open,
		   struct span_error *err)
{
	uint64_t start_ns = cmd_monotonic_ns();
	int rc = 1;

	cmd_sd_notify("READY=1");
	while (rc > 0 && !cmd_stopped) {
		uint64_t timeout_ns = SECOND_NS;

		if (opt.duration_ns) {
			uint64_t gone_ns = cmd_monotonic_ns() - start_ns;

			if (gone_ns >= opt.duration_ns)
				break;
			if (opt.duration_ns - gone_ns < timeout_ns)
				timeout_ns = opt.duration_ns - gone_ns;
		}
		rc = span__receiver_turn(r, timeout_ns, open, err);
		let_signals_in(open);
		capture_report_metrics(r, false);
		if (counts_wanted)
			capture_report_counts(r);
		if (reload_wanted)
			capture_servers_reload();
		counts_wanted = reload_wanted = 0;
	}
	cmd_sd_notify("STOPPING=1");
	return rc;
}

static void block_signals(sigset_t *open)
{
	struct sigaction act = {.sa_handler = on_signal};
	sigset_t set;

	sigemptyset(&act.sa_mask);
	sigaction(SIGUSR1, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	cmd_signals_source();
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, open);
}

static int run_network(struct span__receiver *r, const sigset_t *open,
		       struct span_error *err)
{
	int rc, finish;

	rc = receive(r, open, err);
	/* From here on a second signal ends it even if the reader is stuck. */
	sigprocmask(SIG_SETMASK, open, NULL);
	/* Whoever asked for so many payloads wants none that come after. */
	finish = span__receiver_finish(r, rc > 0, rc < 0 ? NULL : err);
	return rc < 0 ? rc : finish;
}

static int run_file(struct span__receiver *r, struct span_error *err)
{
	struct span_error later = {0};
	int rc, finish;

	rc = read_file(r, err);
	/* What came before the damage is delivered all the same. */
	finish = span__receiver_finish(r, false, &later);
	if (finish < 0 && rc >= 0)
		*err = later;
	return rc < 0 ? rc : finish;
}

static int run(int argc, char **argv, struct span_error *err)
{
	struct span__receiver_opts o = {.count = opt.count,
					.keep_truncated =
						capture_packets.truncated};
	struct span__receiver *r = NULL;
	struct span__capture *capture = NULL;
	int input = -1, output, rc;
	sigset_t open;

	if (capture_packets.list)
		return span__capture_list(stdout, err);
	capture_listen_inherit();
	check_usage(argc, argv);
	o.queue = opt.queue;
	o.buffer = capture_buffer;
	o.ack_ns = capture_servers_ack_ns();
	span__no_new_privileges();
	rc = span__receiver_open(&r, &o, err);
	if (rc >= 0)
		rc = capture_listen_open(r, err);
	if (rc >= 0 && (capture_packets.file || capture_packets.interface))
		rc = capture_packets_open(r, &capture, &input, err);
	if (rc >= 0 && opt.user)
		rc = span__become_user(opt.user, err);
	if (rc >= 0)
		rc = cmd_output_open(&output, true, err);
	if (rc >= 0)
		rc = span__receiver_start(r, output, err);
	if (rc < 0)
		goto done;
	/* Who reads that it listens may stop it at once. */
	if (!capture_packets.file)
		block_signals(&open);
	capture_report_start(r, capture_packets.interface, capture_buffer);
	rc = capture_packets.file ? run_file(r, err)
				  : run_network(r, &open, err);
	capture_report_end(r, capture_packets.file != NULL);
	if (rc >= 0)
		rc = cmd_output_close(output, err);
done:
	span__receiver_close(&r);
	capture_servers_close();
	span__capture_close(&capture);
	if (input >= 0)
		cmd_input_close(&input);
	return rc;
}

static const struct cmd capture = {
	.name = "span-capture",
	.operands = "",
	.summary = "receive what tracing clients send, as a payload stream",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&capture, argc, argv);
}
