/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/jaeger.h - handlers of Jaeger's query API without a version
 *
 * Its parameters, answers and errors are those of Jaeger up to 2.20, as its UI
 * and Grafana's data source know them; span-serve(1) says where we differ.
 */
#ifndef SERVE_JAEGER_H
#define SERVE_JAEGER_H

#include "serve/serve.h"

/* jaeger_names.c */
span__serve_fn span__serve_jaeger_services;
span__serve_fn span__serve_jaeger_operations; /* of a service in the path */
span__serve_fn span__serve_jaeger_operations_by_kind;

/* jaeger_find.c */
span__serve_fn span__serve_jaeger_search;
span__serve_fn span__serve_jaeger_trace;
span__serve_fn span__serve_jaeger_archived; /* of the archive alone */
span__serve_fn span__serve_jaeger_archive;
span__serve_fn span__serve_jaeger_transform;

/* jaeger_links.c */
span__serve_fn span__serve_jaeger_dependencies;

/* jaeger_paths.c */
span__serve_fn span__serve_jaeger_paths;

/* jaeger_quality.c */
span__serve_fn span__serve_jaeger_quality;

#endif
