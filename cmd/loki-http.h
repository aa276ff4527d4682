/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loki-http.h - requests to a Loki: who we are, and one at a time
 *
 * Beside the options there are the variables of logcli, so that who uses that
 * needs none: LOKI_ORG_ID, LOKI_USERNAME with LOKI_PASSWORD, LOKI_BEARER_TOKEN
 * and LOKI_BEARER_TOKEN_FILE.
 */
#ifndef LOKI_HTTP_H
#define LOKI_HTTP_H

#include "cmd.h"

#include "net/http_client.h"

extern const struct cmd_option loki_http_options[];

/* The first of them that was given; NULL: none was. */
const char *loki_http_option(void);

struct loki_http;

/*
 * URL is http://HOST..., with PATH when it has none; GET as in struct
 * span__http_opts. 0 or a negative code; wrong usage exits.
 */
SPAN_NODISCARD int loki_http_open(struct loki_http **out, const char *url,
				  const char *path, bool get,
				  struct span_error *err);
/*
 * Send BODY and wait for the answer, which *OUT is until the next request:
 * what became of it, or a negative code.
 */
SPAN_NODISCARD int loki_http_do(struct loki_http *h, struct span_str body,
				struct span__reply *out,
				struct span_error *err);
/* Bodies are packed with gzip. */
bool loki_http_gzip(void);
void loki_http_close(struct loki_http **h);

#endif
