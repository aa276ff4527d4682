/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/listen.h"
#include "serve-cmd.h"

#include "base/banned.h"

#define USUAL_PORT 16686
#define FIRST_SYSTEMD_FD 3
#define ADDRESSES_MAX 16u /* of one name */
#define LISTENERS_MAX 64u
#define TEXT_MAX 256u

static struct cmd_list listen_on;
static int n_passed;

const struct cmd_option serve_listen_options[] = {
	{CMD_LIST, 'l', "listen", &listen_on, "ADDRESS:PORT",
	 "listen there (repeatable; port 0: a free one; default: "
	 "127.0.0.1:16686, and [::1]:16686 where there is IPv6)",
	 NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static struct {
	struct span__address local[LISTENERS_MAX];
	size_t n;
} listeners;

void serve_listen_inherit(void)
{
	n_passed = cmd_sd_listen_fds();
}

static int keep(struct span__web_server *w, const struct span__listener *l,
		struct span_error *err)
{
	int rc;

	if (listeners.n == LISTENERS_MAX)
		rc = span_error_set(err, SPAN_E_LIMIT, "more than %u sockets",
				    LISTENERS_MAX);
	else
		rc = span__web_server_listen(w, l->fd, &l->local, err);
	if (rc < 0)
		close(l->fd);
	else
		listeners.local[listeners.n++] = l->local;
	return rc;
}

/* Two names may stand for one address. */
static bool is_open(const struct span__address *a)
{
	for (size_t i = 0; span__address_port(a) && i < listeners.n; i++)
		if (span__address_equal(&listeners.local[i], a))
			return true;
	return false;
}

/*
 * A family that this system has not is no error while another one works, for
 * which *OPENED counts.
 */
static int listen_host(struct span__web_server *w, const char *host,
		       uint16_t port, size_t *opened, struct span_error *err)
{
	struct span__address a[ADDRESSES_MAX];
	int found = span__address_resolve(a, ADDRESSES_MAX, host, port, err);

	for (int i = 0; i < found; i++) {
		struct span__listener l;
		int rc;

		(*opened)++;
		if (is_open(&a[i]))
			continue;
		rc = span__listen(&l, &a[i], err);
		if (rc < 0 &&
		    (err->sys == EAFNOSUPPORT || err->sys == EADDRNOTAVAIL)) {
			(*opened)--;
			continue;
		}
		rc = rc < 0 ? rc : keep(w, &l, err);
		if (rc < 0)
			return rc;
	}
	return found < 0 ? found : 0;
}

static int listen_text(struct span__web_server *w, const char *text,
		       struct span_error *err)
{
	char whole[TEXT_MAX], host[SPAN__ADDRESS_TEXT];
	struct span_str proto;
	size_t opened = 0;
	uint16_t port;
	int rc;

	snprintf(whole, sizeof(whole), "tcp:%s", text);
	if (strlen(text) + 5 > sizeof(whole) ||
	    span__address_split(whole, &proto, host, &port, NULL) < 0)
		return span_error_set(err, SPAN_E_INVALID,
				      "--listen %.100s is not ADDRESS:PORT, as "
				      "127.0.0.1:16686 or [::1]:16686",
				      text);
	rc = listen_host(w, host, port, &opened, err);
	return rc < 0 ? rc : opened ? 0 : err->code;
}

static int listen_usual(struct span__web_server *w, struct span_error *err)
{
	size_t opened = 0;
	int rc = listen_host(w, "127.0.0.1", USUAL_PORT, &opened, err);

	if (rc >= 0)
		rc = listen_host(w, "::1", USUAL_PORT, &opened, err);
	return rc < 0 ? rc : opened ? 0 : err->code;
}

int serve_listen_open(struct span__web_server *w, struct span_error *err)
{
	int rc = 0;

	for (int i = 0; i < n_passed && rc >= 0; i++) {
		struct span__listener l;

		rc = span__listen_adopt(&l, FIRST_SYSTEMD_FD + i, err);
		rc = rc < 0 ? rc : keep(w, &l, err);
	}
	for (size_t i = 0; i < listen_on.n && rc >= 0; i++)
		rc = listen_text(w, listen_on.v[i], err);
	if (!n_passed && !listen_on.n)
		rc = listen_usual(w, err);
	return rc;
}

void serve_listen_note(bool tls, const char *base_path)
{
	char text[SPAN__ADDRESS_TEXT];

	for (size_t i = 0; i < listeners.n && !cmd_quiet; i++) {
		span__address_text(&listeners.local[i], text);
		cmd_note("%s://%s%s/", tls ? "https" : "http", text, base_path);
	}
}
