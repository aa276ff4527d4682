/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/families.h"
#include "serve/jaeger.h"

#include "base/banned.h"

const struct span__serve_route span__serve_jaeger_routes[] = {
	{"GET", "/api/services", span__serve_jaeger_services, false},
	{"GET", "/api/services/*/operations", span__serve_jaeger_operations,
	 false},
	{"GET", "/api/operations", span__serve_jaeger_operations_by_kind,
	 false},
	{"GET", "/api/traces", span__serve_jaeger_search, false},
	{"GET", "/api/traces/*", span__serve_jaeger_trace, false},
	{"GET", "/api/archive/*", span__serve_jaeger_archived, false},
	{"POST", "/api/archive/*", span__serve_jaeger_archive, true},
	{"POST", "/api/transform", span__serve_jaeger_transform, false},
	{"GET", "/api/dependencies", span__serve_jaeger_dependencies, false},
	{"GET", "/api/deep-dependencies", span__serve_jaeger_paths, false},
	/* Where Jaeger's UI asks for these. */
	{"GET", "/analytics/v1/dependencies", span__serve_jaeger_paths, false},
	{"GET", "/api/quality-metrics", span__serve_jaeger_quality, false},
};
const size_t span__serve_jaeger_n_routes =
	sizeof(span__serve_jaeger_routes) / sizeof(*span__serve_jaeger_routes);
