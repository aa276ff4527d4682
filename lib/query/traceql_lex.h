/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traceql_lex.h - literals of TraceQL
 */
#ifndef SPAN_QUERY_TRACEQL_LEX_H
#define SPAN_QUERY_TRACEQL_LEX_H

#include "query/traceql.h"

/* A number or a duration that begins at *I, which moves behind it. */
SPAN_NODISCARD int span__tql_lex_number(struct tql_parser *p,
					struct tql_token *t, size_t *i);
/* A text in double quotes or backquotes. */
SPAN_NODISCARD int span__tql_lex_string(struct tql_parser *p,
					struct tql_token *t, size_t *i);

#endif
