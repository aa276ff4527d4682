/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/capture.h - packets from a capture file or from an interface
 *
 * libpcap behind the error and ownership rules of this project.
 */
#ifndef NET_CAPTURE_H
#define NET_CAPTURE_H

#include <span/base.h>

#include <stdio.h>

#include "net/packet.h"

struct span__capture;

/*
 * Read a pcap or pcapng file from FD, which is borrowed. NAME is for
 * messages. 0; SPAN_E_CORRUPT when it is no such file; SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__capture_open_fd(struct span__capture **out, int fd,
					 const char *name,
					 struct span_error *err);
/* The same from memory, borrowed until close. */
SPAN_NODISCARD int span__capture_open_mem(struct span__capture **out,
					  const void *p, size_t len,
					  const char *name,
					  struct span_error *err);

/*
 * Listen on an interface ("any": all of them), with BUFFER bytes for packets
 * in the kernel. SPAN_E_IO (err->sys may be 0), SPAN_E_NOTFOUND when there
 * is no such interface.
 */
SPAN_NODISCARD int span__capture_open_live(struct span__capture **out,
					   const char *interface,
					   bool promiscuous, size_t buffer,
					   struct span_error *err);

/* Take only packets that FILTER lets pass: pcap-filter(7). SPAN_E_INVALID. */
SPAN_NODISCARD int span__capture_filter(struct span__capture *c,
					const char *filter,
					struct span_error *err);

/*
 * Have the kernel sort out what is not sent to one of PORTS. Only saves work:
 * it may let others pass, and does nothing when it cannot.
 */
void span__capture_filter_ports(struct span__capture *c,
				const struct span__ports *ports);

/* Is this an interface, and not a file? */
bool span__capture_is_live(const struct span__capture *c);

/* libpcap's link type, and its name. */
int span__capture_link(const struct span__capture *c);
const char *span__capture_link_name(const struct span__capture *c);

/*
 * The next packet in *F, until the next call. Returns 1; 0 at the end of a
 * file, or when an interface has none just now; SPAN_E_TRUNCATED when the
 * file ends inside a packet, SPAN_E_CORRUPT, SPAN_E_IO.
 */
SPAN_NODISCARD int span__capture_next(struct span__capture *c,
				      struct span__frame *f,
				      struct span_error *err);

/* Of an interface: a descriptor to poll, and how long at most (-1: for ever).
 */
int span__capture_poll_fd(const struct span__capture *c);
int span__capture_poll_ms(const struct span__capture *c);

/*
 * Of an interface: let the kernel hand over what it has collected; from now on
 * span__capture_next() ends at the first packet that came after this call.
 */
void span__capture_stop(struct span__capture *c);

/* Of an interface: packets that the kernel dropped since the start. */
uint64_t span__capture_kernel_drops(struct span__capture *c);

void span__capture_close(struct span__capture **c);

/* Print a line for each interface to F. 0, SPAN_E_IO or SPAN_E_NOTFOUND. */
SPAN_NODISCARD int span__capture_list(FILE *f, struct span_error *err);

#endif
