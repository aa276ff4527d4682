/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/families.h - the routes of each family of handlers, for serve/routes.c
 */
#ifndef SERVE_FAMILIES_H
#define SERVE_FAMILIES_H

#include "serve/routes.h"

/* about.c: the server's own health and counts. */
extern const struct span__serve_route span__serve_about_routes[];
extern const size_t span__serve_about_n_routes;

/* page.c: the page for people. */
extern const struct span__serve_route span__serve_page_routes[];
extern const size_t span__serve_page_n_routes;

/* jaeger_routes.c: Jaeger's query API without a version. */
extern const struct span__serve_route span__serve_jaeger_routes[];
extern const size_t span__serve_jaeger_n_routes;

/* v3_names.c: Jaeger's api_v3. */
extern const struct span__serve_route span__serve_v3_routes[];
extern const size_t span__serve_v3_n_routes;

/* metrics.c: Jaeger's monitor. */
extern const struct span__serve_route span__serve_metrics_routes[];
extern const size_t span__serve_metrics_n_routes;

/* spans.c: our own API. */
extern const struct span__serve_route span__serve_spans_routes[];
extern const size_t span__serve_spans_n_routes;

/* zipkin.c: Zipkin's, version 2. */
extern const struct span__serve_route span__serve_zipkin_routes[];
extern const size_t span__serve_zipkin_n_routes;

/* tempo.c: that of Grafana Tempo. */
extern const struct span__serve_route span__serve_tempo_routes[];
extern const size_t span__serve_tempo_n_routes;

/* ui.c: a Jaeger UI that the user has, in the place of our page. */
extern const struct span__serve_route span__serve_ui_routes[];
extern const size_t span__serve_ui_n_routes;

#endif
