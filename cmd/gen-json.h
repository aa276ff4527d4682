/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen-json.h - reading the JSON of a topology
 *
 * Errors are sticky: after the first one everything returns its default, so
 * that a reader goes straight down and looks at j->rc in its loops. The
 * message has the path of the mistake as jq(1) writes it.
 */
#ifndef GEN_JSON_H
#define GEN_JSON_H

#include "gen.h"

#include <cjson/cJSON.h>

struct gen_json {
	struct gen_topology *t;
	const char *name; /* of the file */
	const cJSON *tag_sets;
	char path[160];
	size_t path_len;
	int rc;
	struct span_error *err;
};

void gen_json_fail(struct gen_json *j, const char *fmt, ...) SPAN_PRINTF(2, 3);

/* Go to a member or an element; the result is for gen_json_leave(). */
size_t gen_json_enter(struct gen_json *j, const char *key);
size_t gen_json_enter_index(struct gen_json *j, size_t i);
void gen_json_leave(struct gen_json *j, size_t mark);

/* Zeroed memory of the topology; NULL only after an error. */
void *gen_json_alloc(struct gen_json *j, size_t n, size_t size);

/* Fails unless ITEM is an object with no other members than KEYS. */
bool gen_json_object(struct gen_json *j, const cJSON *item,
		     const char *const *keys);
/* Members of OBJ, or the default when it has none. */
const cJSON *gen_json_get(const cJSON *obj, const char *key);
struct span_str gen_json_text(struct gen_json *j, const cJSON *obj,
			      const char *key);
bool gen_json_bool(struct gen_json *j, const cJSON *obj, const char *key);
uint64_t gen_json_int(struct gen_json *j, const cJSON *obj, const char *key,
		      uint64_t otherwise, uint64_t max);
double gen_json_double(struct gen_json *j, const cJSON *obj, const char *key,
		       double otherwise, double max);
uint64_t gen_json_duration_log2(struct gen_json *j, const cJSON *obj,
				const char *key, uint64_t otherwise);
/* A number or [LO, HI], both at least 1. */
void gen_json_range(struct gen_json *j, const cJSON *obj, const char *key,
		    uint64_t *lo, uint64_t *hi, uint64_t max);
/* The member KEY, a list of at most GEN_MAX_LIST elements; 0 without it. */
size_t gen_json_list(struct gen_json *j, const cJSON *obj, const char *key,
		     const cJSON **list);
struct span_str gen_json_copy(struct gen_json *j, const char *text);

/* gen-json-value.c: values and tags. */
void gen_json_value(struct gen_json *j, const cJSON *item,
		    struct gen_value *out);
/* The members "use" (tag sets) and "tags" of OBJ. */
void gen_json_tags(struct gen_json *j, const cJSON *obj, struct gen_tags *out);

#endif
