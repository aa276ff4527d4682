/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send-auth.h - headers of a request, and the files that secrets are in
 */
#ifndef SEND_AUTH_H
#define SEND_AUTH_H

#include "cmd.h"

struct send_auth {
	struct cmd_list headers; /* --header, as given */
	const char *header_file, *header_env, *user_file, *token_file;
};

struct send_headers {
	struct span_buf text, env, token; /* what V points into */
	const char **v;			  /* "KEY: VALUE" */
	size_t n;
	struct span_buf user; /* "NAME:PASSWORD" and a zero; empty: none */
};

/*
 * Read the files, which nobody else may be able to read, and check what will
 * be sent. 0 or a negative code; wrong usage exits.
 */
SPAN_NODISCARD int send_headers_read(struct send_headers *h,
				     const struct send_auth *a,
				     struct span_error *err);
/* One more, "KEY: VALUE", borrowed, which FROM gave. 0 or a negative code. */
SPAN_NODISCARD int send_headers_add(struct send_headers *h, const char *text,
				    const char *from, struct span_error *err);
void send_headers_release(struct send_headers *h);

#endif
