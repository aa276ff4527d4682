/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/http_socket.h - what libmicrohttpd does not do for a connection
 *
 * For who accepts connections for it, and looks after their time.
 */
#ifndef NET_HTTP_SOCKET_H
#define NET_HTTP_SOCKET_H

#include <microhttpd.h>

#include <span/base.h>

/* Tell whoever is one too many that it may come again; closes FD. */
void span__http_socket_refuse(int fd, bool has_tls);

/*
 * Send HEAD, a whole answer, past libmicrohttpd, and that nothing follows. The
 * rest is heard for a while, as a client that is cut off while it sends may not
 * read what it was told.
 */
void span__http_socket_tell(int fd, struct MHD_Connection *mhd,
			    const char *head);

/*
 * Has anything come since the connection became idle at SINCE_NS, or ever, if
 * it IS_FIRST? The kernel knows when bytes came to some milliseconds only; what
 * came with the request before is not seen.
 */
bool span__http_socket_has_begun(int fd, bool is_first, uint64_t since_ns,
				 uint64_t now_ns);

/* Has the client sent something that nobody has read? */
bool span__http_socket_has_input(int fd);

#endif
