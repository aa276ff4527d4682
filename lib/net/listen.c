/* SPDX-License-Identifier: Apache-2.0 */
#include "net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/banned.h"

/* Closing FD changes errno, which the error is about. */
static int fail(struct span__listener *l, const struct span__address *a,
		struct span_error *err)
{
	char text[SPAN__ADDRESS_TEXT];
	int sys = errno;

	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	span__address_text(a, text);
	errno = sys;
	if (sys != EADDRINUSE)
		return span_error_set(err, SPAN_E_IO, "cannot listen on tcp %s",
				      text);
	return span_error_set(err, SPAN_E_IO,
			      "cannot listen on tcp %s (to see who does: "
			      "ss -tlpn 'sport = :%u')",
			      text, span__address_port(a));
}

int span__listen(struct span__listener *l, const struct span__address *a,
		 struct span_error *err)
{
	int family = a->sa.any.sa_family, on = 1;

	*l = (struct span__listener){.local = *a};
	l->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return fail(l, a, err);
	/* Connections of an instance that has ended do not keep the port. */
	(void)setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		(void)setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
				 sizeof(on));
	l->local.len = sizeof(l->local.sa);
	if (bind(l->fd, &a->sa.any, a->len) < 0 ||
	    listen(l->fd, SOMAXCONN) < 0 ||
	    getsockname(l->fd, &l->local.sa.any, &l->local.len) < 0)
		return fail(l, a, err);
	return 0;
}

int span__listen_adopt(struct span__listener *l, int fd, struct span_error *err)
{
	int domain = 0, listens = 0;
	socklen_t len = sizeof(listens);

	*l = (struct span__listener){.fd = fd,
				     .local.len = sizeof(l->local.sa)};
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 ||
	    !listens || (domain != AF_INET && domain != AF_INET6) ||
	    getsockname(fd, &l->local.sa.any, &l->local.len) < 0)
		return span_error_set(
			err, SPAN_E_INVALID,
			"descriptor %d is not a listening TCP socket", fd);
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return 0;
}
