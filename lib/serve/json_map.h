/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/json_map.h - a parameter that is an object of texts
 */
#ifndef SERVE_JSON_MAP_H
#define SERVE_JSON_MAP_H

#include "serve/serve.h"

#define SPAN__JSON_MAP_MAX 1000u /* members */

/*
 * Call FN with each member of the object JSON; a null is an empty text, as Go
 * has it. 0; what FN returned below 0; SPAN_E_INVALID when it is no such
 * object, with what Go says of that; SPAN_E_LIMIT; SPAN_E_NOMEM.
 */
typedef int span__json_map_fn(void *arg, struct span_str key,
			      struct span_str value);
SPAN_NODISCARD int span__json_map(struct span_str json, span__json_map_fn *fn,
				  void *arg, struct span_error *err);

#endif
