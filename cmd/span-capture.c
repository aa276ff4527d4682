/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "capture-listen.h"
#include "capture-report.h"
#include "net/privilege.h"
#include "net/receiver.h"

#include "base/banned.h"

#define PORTS_MAX 64u
#define QUEUE (16u << 20)
#define SERVER_QUEUE (32u << 20) /* holds the largest body */
#define SECOND_NS 1000000000u
#define SIGNALS_NS 10000000u /* between two looks for signals under load */

/* Those of the Jaeger agent: Zipkin compact, compact, binary. */
static const uint16_t jaeger_ports[] = {5775, 6831, 6832};
#define N_JAEGER_PORTS (sizeof(jaeger_ports) / sizeof(jaeger_ports[0]))

/* OTLP over gRPC and HTTP, Zipkin, the Jaeger collector over gRPC and HTTP. */
static const uint16_t collector_ports[] = {4317, 4318, 9411, 14250, 14268};
#define N_COLLECTOR_PORTS (sizeof(collector_ports) / sizeof(collector_ports[0]))

static struct {
	const char *file, *interface, *filter, *user;
	struct cmd_list port;
	uint64_t queue, count, duration_ns;
	bool list, promiscuous, truncated;
} opt;

static const struct cmd_option packet_options[] = {
	{CMD_STRING, 'r', "read", &opt.file, "FILE",
	 "read a pcap or pcapng file, - is standard input", NULL},
	{CMD_STRING, 'i', "interface", &opt.interface, "NAME",
	 "capture packets on this interface, or on any", NULL},
	{CMD_LIST, 'p', "port", &opt.port, "PORT",
	 "take what is sent to this UDP or TCP port (repeatable)", NULL},
	{CMD_STRING, 'f', "filter", &opt.filter, "EXPR",
	 "take packets that pcap-filter(7) EXPR lets pass, to any port", NULL},
	{CMD_FLAG, 0, "promiscuous", &opt.promiscuous, NULL,
	 "capture what is sent to other hosts too", NULL},
	{CMD_FLAG, 0, "truncated", &opt.truncated, NULL,
	 "write datagrams that were captured in part, marked", NULL},
	{CMD_FLAG, 0, "list-interfaces", &opt.list, NULL,
	 "show what can be captured on, and exit", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd_option options[] = {
	{CMD_GROUP, 0, NULL, (void *)capture_listen_options, NULL, "Receiving",
	 NULL},
	{CMD_GROUP, 0, NULL, (void *)capture_server_options, NULL, "Servers",
	 NULL},
	{CMD_GROUP, 0, NULL, (void *)packet_options, NULL, "Packets", NULL},
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
	if (!network && !opt.file && !opt.interface)
		cmd_usage("nothing to receive from: try --udp, --all, "
			  "--listen PROTO:ADDRESS:PORT, -r FILE or "
			  "-i INTERFACE");
	if (opt.file && (network || opt.interface))
		cmd_usage("-r reads a file and nothing else");
	if (opt.file && opt.duration_ns)
		cmd_usage("--duration is not for a file");
	if (!opt.file && !opt.interface &&
	    (opt.filter || opt.port.n || opt.truncated))
		cmd_usage("--port, --filter and --truncated go with -r or -i");
	if (opt.promiscuous && !opt.interface)
		cmd_usage("--promiscuous goes with -i");
	if (!opt.queue)
		opt.queue = capture_serves() ? SERVER_QUEUE : QUEUE;
	if (opt.queue < SPAN__QUEUE_MIN || opt.queue > SPAN__QUEUE_MAX)
		cmd_usage("--queue is 256K at least and 1G at most");
	capture_servers_check(opt.queue);
}

/*
 * Which ports to look for in packets. Their array lives as long as the
 * process.
 */
static int wanted_ports(struct span__ports *p, struct span_error *err)
{
	static uint16_t list[PORTS_MAX];

	*p = (struct span__ports){0};
	if (!opt.filter)
		*p = (struct span__ports){.udp = jaeger_ports,
					  .tcp = collector_ports,
					  .n_udp = N_JAEGER_PORTS,
					  .n_tcp = N_COLLECTOR_PORTS};
	if (!opt.port.n)
		return 0;
	if (opt.port.n > PORTS_MAX)
		return span_error_set(err, SPAN_E_INVALID, "more than %u ports",
				      PORTS_MAX);
	for (size_t i = 0; i < opt.port.n; i++) {
		int rc = span__port_parse(span_str(opt.port.v[i]), &list[i],
					  err);

		if (rc < 0)
			return rc;
	}
	p->udp = p->tcp = list;
	p->n_udp = p->n_tcp = opt.port.n;
	return 0;
}

/* The file or interface, when there is one. */
static int open_packets(struct span__receiver *r, struct span__capture **out,
			int *fd, struct span_error *err)
{
	const char *name =
		opt.file && strcmp(opt.file, "-") ? opt.file : "stdin";
	struct span__ports ports;
	int rc;

	rc = wanted_ports(&ports, err);
	if (rc < 0)
		return rc;
	if (opt.file) {
		rc = cmd_input_open(fd, opt.file, err);
		if (rc >= 0)
			rc = span__capture_open_fd(out, *fd, name, err);
	} else {
		name = opt.interface;
		rc = span__capture_open_live(out, name, opt.promiscuous,
					     capture_buffer, err);
	}
	if (rc < 0)
		return rc;
	if (!span__packets_know(span__capture_link(*out)))
		return span_error_set(err, SPAN_E_CORRUPT,
				      "%s: cannot read packets of link type %s",
				      name, span__capture_link_name(*out));
	if (opt.filter) {
		rc = span__capture_filter(*out, opt.filter, err);
		if (rc < 0)
			return rc;
	} else if (opt.interface) {
		span__capture_filter_ports(*out, &ports);
	}
	return span__receiver_capture(r, *out, &ports, err);
}

static int read_file(struct span__receiver *r, struct span_error *err)
{
	int rc;

	if (strcmp(opt.file, "-") != 0)
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
					.keep_truncated = opt.truncated};
	struct span__receiver *r = NULL;
	struct span__capture *capture = NULL;
	int input = -1, output, rc;
	sigset_t open;

	if (opt.list)
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
	if (rc >= 0 && (opt.file || opt.interface))
		rc = open_packets(r, &capture, &input, err);
	if (rc >= 0 && opt.user)
		rc = span__become_user(opt.user, err);
	if (rc >= 0)
		rc = cmd_output_open(&output, true, err);
	if (rc >= 0)
		rc = span__receiver_start(r, output, err);
	if (rc < 0)
		goto done;
	/* Who reads that it listens may stop it at once. */
	if (!opt.file)
		block_signals(&open);
	capture_report_start(r, opt.interface, capture_buffer);
	rc = opt.file ? run_file(r, err) : run_network(r, &open, err);
	capture_report_end(r, opt.file != NULL);
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
