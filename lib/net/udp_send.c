/* SPDX-License-Identifier: Apache-2.0 */
#include "net/udp_send.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.h"

#include "base/banned.h"

#define ADDRESSES 16u

int span__udp_connect(int *fd, const char *host, uint16_t port,
		      struct span_error *err)
{
	struct span__address a[ADDRESSES];
	int n = span__address_resolve(a, ADDRESSES, host, port, err);

	*fd = -1;
	if (n < 0) {
		if (err)
			err->code = SPAN_E_PEER;
		return SPAN_E_PEER;
	}
	for (int i = 0; i < n; i++) {
		*fd = socket(a[i].sa.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC,
			     0);
		if (*fd < 0)
			continue;
		if (!connect(*fd, &a[i].sa.any, a[i].len))
			return 0;
		close(*fd);
		*fd = -1;
	}
	return span_error_set(err, SPAN_E_IO, "cannot send to %s", host);
}

/* An error that came for what was sent; on this host it is there at once. */
static int pending_error(int fd)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &len) < 0 ? errno
								      : value;
}

enum span__outcome span__udp_send(int fd, struct span_str datagram,
				  const char **cause)
{
	int error = 0;

	while (send(fd, datagram.p, datagram.len, MSG_NOSIGNAL) < 0) {
		if (errno == EINTR)
			continue;
		error = errno;
		break;
	}
	if (!error)
		error = pending_error(fd);
	if (!error)
		return SPAN__OUTCOME_ACCEPTED;
	*cause = strerrordesc_np(error);
	return error == EMSGSIZE ? SPAN__OUTCOME_TOO_LARGE
				 : SPAN__OUTCOME_RETRY;
}
