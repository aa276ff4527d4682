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

/* ui.c: a Jaeger UI that the user has, in the place of our page. */
extern const struct span__serve_route span__serve_ui_routes[];
extern const size_t span__serve_ui_n_routes;

#endif
