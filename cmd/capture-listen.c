/* SPDX-License-Identifier: Apache-2.0 */
#include "capture-listen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/listen.h"

#include "base/banned.h"

#define FIRST_SYSTEMD_FD 3
#define ADDRESSES_MAX 16u /* of one name */
#define LISTENERS_MAX 64u
#define OPTION_MAX (SPAN__ADDRESS_TEXT + 32u)

uint64_t capture_buffer = 32u << 20;

enum group { UDP = 1, JAEGER = 2, ZIPKIN = 4, OTLP = 8, ALL = 16 };

static struct {
	const char *udp, *jaeger, *zipkin, *otlp, *all;
	struct cmd_list listen;
} opt;

const struct cmd_option capture_listen_options[] = {
	{CMD_OPTIONAL, 0, "all", &opt.all, "ADDRESS",
	 "listen on every port below, on the loopback or ADDRESS", NULL},
	{CMD_OPTIONAL, 0, "udp", &opt.udp, "ADDRESS",
	 "UDP ports of the Jaeger agent: 5775, 6831 and 6832", NULL},
	{CMD_OPTIONAL, 0, "jaeger", &opt.jaeger, "ADDRESS",
	 "these, and the collector's: 14268, 14250; sampling: 5778", NULL},
	{CMD_OPTIONAL, 0, "zipkin", &opt.zipkin, "ADDRESS",
	 "the port of Zipkin, 9411", NULL},
	{CMD_OPTIONAL, 0, "otlp", &opt.otlp, "ADDRESS",
	 "the ports of OpenTelemetry: 4317 and 4318", NULL},
	{CMD_LIST, 'l', "listen", &opt.listen, "PROTO:ADDRESS:PORT",
	 "listen there (repeatable; port 0: a free one), and speak "
	 "udp, " CAPTURE_PROTO_LIST,
	 NULL},
	{CMD_SIZE, 0, "socket-buffer", &capture_buffer, "SIZE",
	 "buffer of each UDP socket in the kernel (default 32M)", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const char *const protos[CAPTURE_PROTOS] = {
	[CAPTURE_UDP] = "udp",
	[CAPTURE_JAEGER_HTTP] = "jaeger-http",
	[CAPTURE_ZIPKIN] = "zipkin",
	[CAPTURE_OTLP_HTTP] = "otlp-http",
	[CAPTURE_SAMPLING] = "sampling",
	[CAPTURE_ADMIN] = "admin",
	[CAPTURE_JAEGER_GRPC] = "jaeger-grpc",
	[CAPTURE_OTLP_GRPC] = "otlp-grpc",
};

/* The ports that everybody uses. */
static const struct {
	enum capture_proto proto;
	uint16_t port;
	unsigned groups;
} usual[] = {
	{CAPTURE_UDP, 5775, UDP | JAEGER | ALL},
	{CAPTURE_UDP, 6831, UDP | JAEGER | ALL},
	{CAPTURE_UDP, 6832, UDP | JAEGER | ALL},
	{CAPTURE_JAEGER_HTTP, 14268, JAEGER | ALL},
	{CAPTURE_JAEGER_GRPC, 14250, JAEGER | ALL},
	{CAPTURE_SAMPLING, 5778, JAEGER | ALL},
	{CAPTURE_ZIPKIN, 9411, ZIPKIN | ALL},
	{CAPTURE_OTLP_GRPC, 4317, OTLP | ALL},
	{CAPTURE_OTLP_HTTP, 4318, OTLP | ALL},
	{CAPTURE_ADMIN, 14269, ALL},
};
#define N_USUAL (sizeof(usual) / sizeof(usual[0]))

static struct {
	enum capture_proto proto[LISTENERS_MAX];
	struct span__address local[LISTENERS_MAX];
	char option[LISTENERS_MAX][OPTION_MAX]; /* that asked for it */
	size_t n;
} listeners;
static char option[OPTION_MAX]; /* whose ports are being opened */

static struct {
	int n;
	char *names; /* those of LISTEN_FDNAMES */
} passed;

const char *capture_proto_name(enum capture_proto p)
{
	return protos[p];
}

static int proto_of(struct span_str name)
{
	for (int p = 0; p < CAPTURE_PROTOS; p++)
		if (span_str_equal(name, span_str(protos[p])))
			return p;
	return -1;
}

void capture_listen_inherit(void)
{
	const char *names = getenv("LISTEN_FDNAMES");

	if (names)
		passed.names = strdup(names);
	passed.n = cmd_sd_listen_fds();
}

bool capture_listens(void)
{
	return opt.all || opt.udp || opt.jaeger || opt.zipkin || opt.otlp ||
	       opt.listen.n || passed.n;
}

bool capture_serves(void)
{
	for (size_t i = 0; i < opt.listen.n; i++)
		if (strncmp(opt.listen.v[i], "udp:", 4) != 0)
			return true;
	return opt.all || opt.jaeger || opt.zipkin || opt.otlp || passed.n;
}

static int keep_listener(struct span__receiver *r, enum capture_proto p,
			 const struct span__listener *l, struct span_error *err)
{
	int rc;

	if (listeners.n == LISTENERS_MAX)
		rc = span_error_set(err, SPAN_E_LIMIT, "more than %u sockets",
				    LISTENERS_MAX);
	else
		rc = capture_serve(r, p, l->fd, span__address_port(&l->local),
				   err);
	if (rc < 0) {
		close(l->fd);
		return rc;
	}
	/* So that a port that gets nothing is shown with its zeros. */
	if (p != CAPTURE_SAMPLING && p != CAPTURE_ADMIN)
		(void)span__counts_of(
			span__intake_counts(span__receiver_intake(r)),
			span__address_port(&l->local));
	listeners.proto[listeners.n] = p;
	snprintf(listeners.option[listeners.n], OPTION_MAX, "%s", option);
	listeners.local[listeners.n++] = l->local;
	return 0;
}

/*
 * A name may stand for one address twice, and so may two options. 1 when P is
 * spoken at A already; SPAN_E_INVALID when it is another one.
 */
static int is_open(enum capture_proto p, const struct span__address *a,
		   struct span_error *err)
{
	char text[SPAN__ADDRESS_TEXT];

	for (size_t i = 0; span__address_port(a) && i < listeners.n; i++) {
		if (!span__address_equal(&listeners.local[i], a))
			continue;
		if (listeners.proto[i] == p)
			return 1;
		span__address_text(a, text);
		return span_error_set(err, SPAN_E_INVALID,
				      "%s cannot speak %s (%s) and %s (%s)",
				      text, protos[listeners.proto[i]],
				      listeners.option[i], protos[p], option);
	}
	return 0;
}

/*
 * Listen on PORT of every address that HOST stands for. A family that this
 * system has not is no error while another one works; *OPENED counts.
 */
static int listen_host(struct span__receiver *r, enum capture_proto p,
		       const char *host, uint16_t port, size_t *opened,
		       struct span_error *err)
{
	struct span__address a[ADDRESSES_MAX];
	int found = span__address_resolve(a, ADDRESSES_MAX, host, port, err);

	for (int i = 0; i < found; i++) {
		struct span__listener l;
		int rc = is_open(p, &a[i], err);

		*opened += rc > 0;
		if (rc > 0)
			continue;
		if (rc == 0)
			rc = span__listen(&l, &a[i], err);
		else
			return rc;
		if (rc >= 0)
			rc = keep_listener(r, p, &l, err);
		else if (err->sys == EAFNOSUPPORT || err->sys == EADDRNOTAVAIL)
			continue;
		if (rc < 0)
			return rc;
		(*opened)++;
	}
	return found < 0 ? found : 0;
}

static int listen_on(struct span__receiver *r, enum capture_proto p,
		     const char *const *hosts, size_t n, uint16_t port,
		     struct span_error *err)
{
	size_t opened = 0;
	int rc = 0;

	if (p == CAPTURE_UDP)
		return span__receiver_listen(r, hosts, n, port, err);
	for (size_t i = 0; i < n && rc >= 0; i++)
		rc = listen_host(r, p, hosts[i], port, &opened, err);
	return rc < 0 ? rc : opened ? 0 : err->code;
}

/* The usual ports of GROUP at the address of O, or on the loopback for "". */
static int open_group(struct span__receiver *r, unsigned group,
		      const struct cmd_option *o, struct span_error *err)
{
	const char *const loopback[] = {"127.0.0.1", "::1"};
	const char *const *given = o->value;
	bool is_given = *given && **given;
	int rc = 0;

	snprintf(option, sizeof(option), "--%s%s%s", o->name,
		 is_given ? "=" : "", is_given ? *given : "");
	for (size_t i = 0; *given && i < N_USUAL && rc >= 0; i++)
		if (usual[i].groups & group)
			rc = listen_on(r, usual[i].proto,
				       is_given ? given : loopback,
				       is_given ? 1 : 2, usual[i].port, err);
	return rc;
}

static int open_listen(struct span__receiver *r, const char *text,
		       struct span_error *err)
{
	char host[SPAN__ADDRESS_TEXT];
	const char *const hosts[] = {host};
	struct span_str proto;
	uint16_t port;
	int rc, p;

	snprintf(option, sizeof(option), "--listen %s", text);
	rc = span__address_split(text, &proto, host, &port, err);
	if (rc < 0)
		return rc;
	p = proto_of(proto);
	if (p < 0)
		return span_error_set(
			err, SPAN_E_INVALID,
			"'%.*s' is no protocol: try udp, " CAPTURE_PROTO_LIST,
			(int)proto.len, proto.p);
	return listen_on(r, (enum capture_proto)p, hosts, 1, port, err);
}

/* A socket of the service manager, called NAME there. */
static int adopt(struct span__receiver *r, int fd, struct span_str name,
		 struct span_error *err)
{
	int type = 0, p = proto_of(name);
	socklen_t len = sizeof(type);
	struct span__listener l;
	int rc;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    type != SOCK_STREAM)
		return span__receiver_adopt(r, fd, err);
	if (p <= CAPTURE_UDP)
		return span_error_set(err, SPAN_E_INVALID,
				      "descriptor %d is a stream socket, but "
				      "its name '%.*s' is no protocol for one "
				      "(FileDescriptorName=otlp-http)",
				      fd, (int)name.len, name.p ? name.p : "");
	snprintf(option, sizeof(option), "descriptor %d", fd);
	rc = span__listen_adopt(&l, fd, err);
	return rc < 0 ? rc : keep_listener(r, (enum capture_proto)p, &l, err);
}

static int adopt_all(struct span__receiver *r, struct span_error *err)
{
	const char *name = passed.names ? passed.names : "";
	int rc = 0;

	for (int i = 0; i < passed.n && rc >= 0; i++) {
		size_t len = strcspn(name, ":");

		rc = adopt(r, FIRST_SYSTEMD_FD + i,
			   (struct span_str){name, len}, err);
		name += len + (name[len] == ':');
	}
	free(passed.names);
	passed.names = NULL;
	return rc;
}

int capture_listen_open(struct span__receiver *r, struct span_error *err)
{
	static const unsigned groups[] = {ALL, UDP, JAEGER, ZIPKIN, OTLP};
	int rc = adopt_all(r, err);

	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups) && rc >= 0; i++)
		rc = open_group(r, groups[i], &capture_listen_options[i], err);
	for (size_t i = 0; i < opt.listen.n && rc >= 0; i++)
		rc = open_listen(r, opt.listen.v[i], err);
	return rc < 0 ? rc : capture_servers_opened(err);
}

bool capture_speaks(enum capture_proto p)
{
	for (size_t i = 0; i < listeners.n; i++)
		if (listeners.proto[i] == p)
			return true;
	return false;
}

int capture_port_proto(uint16_t port)
{
	for (size_t i = 0; i < listeners.n; i++)
		if (span__address_port(&listeners.local[i]) == port)
			return (int)listeners.proto[i];
	return -1;
}

void capture_listen_note(void)
{
	char text[SPAN__ADDRESS_TEXT];
	struct span_buf line = {0};

	for (int p = 0; p < CAPTURE_PROTOS && !cmd_quiet; p++) {
		line.len = 0;
		for (size_t i = 0; i < listeners.n; i++) {
			if (listeners.proto[i] != (enum capture_proto)p)
				continue;
			span__address_text(&listeners.local[i], text);
			span_buf_printf(&line, " %s", text);
		}
		if (line.len)
			cmd_note("listening on %s%.*s", protos[p],
				 (int)line.len, line.p);
	}
	span_buf_release(&line);
}
