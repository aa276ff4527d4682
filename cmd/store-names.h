/* SPDX-License-Identifier: Apache-2.0 */
/* store-names.h - the operations of a store as a table, JSON or CSV */
#ifndef STORE_NAMES_H
#define STORE_NAMES_H

#include "store-cmd.h"

enum names_format { NAMES_TABLE, NAMES_JSON, NAMES_CSV };

struct names_list {
	struct span_buf *out;
	enum names_format format;
	size_t columns;	     /* of a table */
	const char *service; /* this one only; NULL: all */
	uint64_t n;	     /* rows so far */
	size_t service_width, operation_width;
};

/*
 * Put all operations of ST; JSON ends without a newline. OUT may be written to
 * standard output on the way. 0 or a negative code.
 */
SPAN_NODISCARD int names_operations(struct names_list *l, struct span_store *st,
				    struct span_error *err);

#endif
