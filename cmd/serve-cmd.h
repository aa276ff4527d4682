/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve-cmd.h - the parts of span-serve
 */
#ifndef SERVE_CMD_H
#define SERVE_CMD_H

#include "cmd.h"
#include "net/web_server.h"

/* ---- serve-listen.c: sockets ---- */

extern const struct cmd_option serve_listen_options[];

/* Take over what the service manager passes; before anything is opened. */
void serve_listen_inherit(void);
/*
 * Have W listen where the options say, or at the usual port of the loopback.
 * 0; SPAN_E_INVALID, SPAN_E_IO.
 */
SPAN_NODISCARD int serve_listen_open(struct span__web_server *w,
				     struct span_error *err);
/* A line for each socket on stderr: "span-serve: http://127.0.0.1:16686/". */
void serve_listen_note(bool tls, const char *base_path);

/* ---- serve-web.c: limits, TLS, who may ask ---- */

extern const struct cmd_option serve_web_options[], serve_access_options[];

/* Wrong usage ends the program. */
void serve_web_check(void);
/*
 * A server as the options say, for SERVE. 0; SPAN_E_INVALID for files that do
 * not fit; SPAN_E_IO, SPAN_E_NOMEM.
 */
SPAN_NODISCARD int serve_web_open(struct span__web_server **out,
				  const struct span__serve *serve,
				  struct span_error *err);
/* Read the files of TLS and of --auth again; a bad one is kept out, and told.
 */
void serve_web_reload(struct span__web_server *w);
const char *serve_base_path(void);
size_t serve_threads(void);
bool serve_has_tls(void);
/* With -v the line of counts. */
void serve_web_note(struct span__web_server *w, uint64_t duration_ns);
void serve_web_close(void);

/* ---- serve-ui.c: a Jaeger UI of the user's ---- */

extern const struct cmd_option serve_ui_options[];

/* Wrong usage ends the program. */
void serve_ui_check(void);
/* NULL to *OUT when none is wanted. 0; SPAN_E_INVALID, SPAN_E_CORRUPT (the
 * configuration), SPAN_E_IO, SPAN_E_NOMEM. */
SPAN_NODISCARD int serve_ui_open(struct span__serve_ui **out,
				 struct span_error *err);

#endif
