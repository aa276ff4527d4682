/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_socket.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "base/banned.h"

#define MILLISECOND_NS 1000000u
#define CLOCK_ERROR_NS 10000000u /* a tick of the kernel's clock */

static void send_now(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void span__http_socket_refuse(int fd, bool has_tls)
{
	if (!has_tls)
		send_now(fd, "HTTP/1.1 503 Service Unavailable\r\n"
			     "Retry-After: 1\r\n"
			     "Content-Length: 0\r\n"
			     "Connection: close\r\n\r\n");
	close(fd);
}

void span__http_socket_tell(int fd, struct MHD_Connection *mhd,
			    const char *head)
{
	const union MHD_ConnectionInfo *tls = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	if (tls && tls->tls_session)
		(void)gnutls_record_send(tls->tls_session, head, strlen(head));
	else
		send_now(fd, head);
	shutdown(fd, SHUT_WR);
}

bool span__http_socket_has_begun(int fd, bool is_first, uint64_t since_ns,
				 uint64_t now_ns)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	uint64_t ago_ns;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return false;
	if (is_first)
		return info.tcpi_bytes_received;
	ago_ns = info.tcpi_last_data_recv * (uint64_t)MILLISECOND_NS;
	return ago_ns + CLOCK_ERROR_NS < now_ns - since_ns;
}

bool span__http_socket_has_input(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) == 0 && n > 0;
}
