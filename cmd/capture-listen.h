/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture-listen.h - where span-capture listens, and what is served there
 */
#ifndef CAPTURE_LISTEN_H
#define CAPTURE_LISTEN_H

#include "cmd.h"
#include "net/receiver.h"

/* What is spoken at a socket, in the order of capture_protos. */
enum capture_proto {
	CAPTURE_UDP,
	CAPTURE_JAEGER_HTTP,
	CAPTURE_ZIPKIN,
	CAPTURE_OTLP_HTTP,
	CAPTURE_SAMPLING,
	CAPTURE_ADMIN,
	CAPTURE_JAEGER_GRPC,
	CAPTURE_OTLP_GRPC,
	CAPTURE_PROTOS
};

/* Besides udp. */
#define CAPTURE_PROTO_LIST                                                     \
	"jaeger-http, jaeger-grpc, zipkin, otlp-http, otlp-grpc, sampling or " \
	"admin"

/* "udp", "jaeger-http" ... */
const char *capture_proto_name(enum capture_proto p);

/* --udp, --all, --listen, --socket-buffer ... */
extern const struct cmd_option capture_listen_options[];
/* The buffer of each UDP socket, bytes. */
extern uint64_t capture_buffer;

/* Take note of what the service manager passed, if anything. */
void capture_listen_inherit(void);

/* Is there anything to listen on? Anything with connections? */
bool capture_listens(void);
bool capture_serves(void);

/* Open all of it. 0 or a negative code. */
SPAN_NODISCARD int capture_listen_open(struct span__receiver *r,
				       struct span_error *err);

/* What is spoken at a TCP port, an enum capture_proto; -1: nothing. */
int capture_port_proto(uint16_t port);

/* Is P spoken anywhere? */
bool capture_speaks(enum capture_proto p);

/* Say on which addresses connections are taken. */
void capture_listen_note(void);

/* ---- capture-servers.c: what answers there ---- */

/* --tls-cert, --strategies, --max-body ... */
extern const struct cmd_option capture_server_options[];

/* Exits for what makes no sense; QUEUE is its size, bytes. */
void capture_servers_check(uint64_t queue);

/*
 * How long requests wait for their payload to be written; 0: they are answered
 * when it is queued.
 */
uint64_t capture_servers_ack_ns(void);

/*
 * Serve P at FD, a listening socket of PORT, which belongs to R when this
 * succeeds.
 */
SPAN_NODISCARD int capture_serve(struct span__receiver *r, enum capture_proto p,
				 int fd, uint16_t port, struct span_error *err);

/* Read what is read again on SIGHUP, if anything; a bad file is kept out. */
void capture_servers_reload(void);

/* When all is open: is there a port for each option? 0 or SPAN_E_INVALID. */
SPAN_NODISCARD int capture_servers_opened(struct span_error *err);

/* To be called after the receiver is closed. */
void capture_servers_close(void);

#endif
