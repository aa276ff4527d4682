/* SPDX-License-Identifier: Apache-2.0 */
/* calls_names.h - what spans are counted by: each combination once */
#ifndef SPAN_CALLS_NAMES_H
#define SPAN_CALLS_NAMES_H

#include <span/base.h>

#include "base/hash.h"

struct span__call_name {
	struct span_str service, name;
	uint8_t kind;
	bool error, follows; /* as in struct span_store_calls */
	double weight;
	uint32_t service_number; /* equal for equal services */
};

struct span__names_table {
	uint32_t *slots; /* number + 1; 0: free */
	size_t size;
};

/* After a successful init it is empty. */
struct span__call_names {
	struct span__key key;
	struct span_arena arena;
	struct span__call_name *v;
	size_t n, cap;
	struct span_str *services;
	size_t n_services, cap_services;
	struct span__names_table by_name, by_service;
};

/* 0, or SPAN_E_IO without randomness. */
SPAN_NODISCARD int span__call_names_init(struct span__call_names *t,
					 struct span_error *err);
/*
 * The number of NAME, whose service_number is not looked at; its strings are
 * copied when it is new. 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__call_names_put(struct span__call_names *t,
					const struct span__call_name *name,
					uint32_t *number,
					struct span_error *err);
/* Bytes that it holds. */
size_t span__call_names_memory(const struct span__call_names *t);
/* Forget all; it can be used again. */
void span__call_names_reset(struct span__call_names *t);
void span__call_names_release(struct span__call_names *t);

#endif
