/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture-packets.h - which packets span-capture takes, of a file or an
 * interface
 */
#ifndef CAPTURE_PACKETS_H
#define CAPTURE_PACKETS_H

#include "cmd.h"

#include "net/receiver.h"

struct capture_packets {
	const char *file, *interface, *filter;
	struct cmd_list port;
	bool list, promiscuous, truncated;
};

extern struct capture_packets capture_packets;
extern const struct cmd_option capture_packet_options[];

/* Options that do not go together are wrong usage. */
void capture_packets_check(void);

/*
 * Open the file, and *FD with it, or the interface; R reads from *OUT, which
 * is the caller's to close after it. 0 or a negative code.
 */
SPAN_NODISCARD int capture_packets_open(struct span__receiver *r,
					struct span__capture **out, int *fd,
					struct span_error *err);

#endif
