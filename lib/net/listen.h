/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/listen.h - stream sockets that connections come from
 */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "net/address.h"

struct span__listener {
	int fd;
	struct span__address local; /* with the port that was chosen */
};

/*
 * Listen on A; port 0 gets a free one. 0 or SPAN_E_IO with err->sys:
 * EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT ...
 */
SPAN_NODISCARD int span__listen(struct span__listener *l,
				const struct span__address *a,
				struct span_error *err);

/*
 * Take a socket that somebody else has bound and listens on, which is left to
 * the caller on failure. 0; SPAN_E_INVALID when FD is no such socket.
 */
SPAN_NODISCARD int span__listen_adopt(struct span__listener *l, int fd,
				      struct span_error *err);

#endif
