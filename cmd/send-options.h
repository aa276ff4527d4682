/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send-options.h - what span-send can be told
 */
#ifndef SEND_OPTIONS_H
#define SEND_OPTIONS_H

#include "cmd.h"
#include "send-auth.h"

#include "net/send_url.h"

#define SECOND_NS 1000000000ull

struct send_opt {
	uint64_t batch, batch_bytes, max_packet, concurrency;
	uint64_t flush_ns, timeout_ns, stop_ns;
	uint64_t retry_min_ns, retry_max_ns, retry_time_ns;
	uint64_t max_bytes;
	const char *spool;
	bool no_retry, gzip, json, insecure;
	double rate;
	const char *cacert, *cert, *key;
	struct send_auth auth;
};
extern struct send_opt send_opt;
extern const struct cmd_option send_options[];

/* Values that make no sense, alone or with the URL, are wrong usage. */
void send_options_check(int argc);
void send_options_check_url(const struct span__send_url *u);

/* Is one of the FILEs, or what is read without any, a pipe? */
bool send_reads_pipe(int argc, char **argv);
/* Is one of them something else than a file, which would wait? */
bool send_is_live(int argc, char **argv);

#endif
