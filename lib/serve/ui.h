/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/ui.h - a build of Jaeger's user interface that somebody has
 *
 * Its index.html has places where Jaeger's server puts configuration, version
 * and what the back end can do; all paths that are no files of it are pages of
 * it, which the browser tells apart.
 *
 * Source: the static handler of Jaeger's query service, and index.html of
 * jaeger-ui.
 */
#ifndef SERVE_UI_H
#define SERVE_UI_H

#include "serve/serve.h"

struct span__serve_ui;

struct span__serve_ui_opts {
	struct span_str config; /* JSON, or JavaScript; empty: none */
	bool is_script;		/* JavaScript */
};

/*
 * Read DIR's index.html; files are read when they are asked for. 0;
 * SPAN_E_INVALID when it is no such build; SPAN_E_IO, SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__serve_ui_open(struct span__serve_ui **out,
				       const char *dir,
				       const struct span__serve_ui_opts *o,
				       struct span_error *err);
void span__serve_ui_close(struct span__serve_ui **ui);

#endif
