/* SPDX-License-Identifier: Apache-2.0 */
/*
 * {"status":"success","data":{"resultType":"streams","result":[
 *	{"stream":{LABELS},"values":[["NS","LINE"],...]},...]}}
 *
 * A stream's values may come before its labels: the place of the values is kept
 * and read again then.
 */
#include <span/log.h>

#include "codec/json.h"

#include "base/banned.h"

#define MAX_LABELS 256u

struct answer {
	struct span__cursor in;
	struct span__json j;
	struct span_arena arena;
	struct span_attr labels[MAX_LABELS];
	size_t n_labels;
	span_log_entry_fn *fn;
	void *arg;
	struct span_error *err;
	int rc; /* of FN */
};

static void read_labels(struct answer *a)
{
	struct span_str key;

	a->n_labels = 0;
	if (!span__json_object(&a->j))
		return;
	while (span__json_member(&a->j, &key)) {
		struct span_str value = span__json_string(&a->j);

		if (a->n_labels < MAX_LABELS)
			a->labels[a->n_labels++] = (struct span_attr){
				.key = key,
				.value = {.type = SPAN_STRING, .str = value}};
	}
}

static void read_value(struct answer *a)
{
	struct span_log_entry e = {.labels = a->labels,
				   .n_labels = a->n_labels};

	if (!span__json_array(&a->j))
		return;
	for (unsigned i = 0; span__json_item(&a->j); i++) {
		if (i == 0)
			(void)span__json_uint(&a->j, &e.time_ns);
		else if (i == 1)
			e.line = span__json_string(&a->j);
		else
			span__json_skip(&a->j);
	}
	if (!a->in.failed && a->rc >= 0)
		a->rc = a->fn(a->arg, &e, a->err);
}

static void read_values(struct answer *a)
{
	if (!span__json_array(&a->j))
		return;
	while (a->rc >= 0 && span__json_item(&a->j))
		read_value(a);
}

/* Those of VALUES, and then go on where the answer is. */
static void read_values_at(struct answer *a, struct span_str values)
{
	const struct span__cursor in = a->in;
	const struct span__json j = a->j;

	cursor_init(&a->in, values.p, values.len);
	span__json_init(&a->j, &a->in, &a->arena);
	read_values(a);
	if (a->in.failed) {
		a->in.pos +=
			(size_t)((const unsigned char *)values.p - in.begin);
		return;
	}
	a->in = in;
	a->j = j;
}

static void read_stream(struct answer *a)
{
	struct span_str key, values = {NULL, 0};

	a->n_labels = 0;
	if (!span__json_object(&a->j))
		return;
	while (a->rc >= 0 && span__json_member(&a->j, &key)) {
		if (span_str_equal(key, SPAN_STR("stream")))
			read_labels(a);
		else if (span_str_equal(key, SPAN_STR("values")))
			values = span__json_raw(&a->j);
		else
			span__json_skip(&a->j);
	}
	if (!a->in.failed && values.len && a->rc >= 0)
		read_values_at(a, values);
}

static void read_data(struct answer *a)
{
	struct span_str key;

	if (!span__json_object(&a->j))
		return;
	while (a->rc >= 0 && span__json_member(&a->j, &key)) {
		if (!span_str_equal(key, SPAN_STR("result"))) {
			span__json_skip(&a->j);
			continue;
		}
		if (!span__json_array(&a->j))
			return;
		while (a->rc >= 0 && span__json_item(&a->j))
			read_stream(a);
	}
}

int span_log_loki(struct span_str answer, span_log_entry_fn *fn, void *arg,
		  struct span_error *err)
{
	struct answer a = {.fn = fn, .arg = arg, .err = err};
	struct span_str key;

	cursor_init(&a.in, answer.p, answer.len);
	span__json_init(&a.j, &a.in, &a.arena);
	if (span__json_object(&a.j))
		while (a.rc >= 0 && span__json_member(&a.j, &key)) {
			if (span_str_equal(key, SPAN_STR("data")))
				read_data(&a);
			else
				span__json_skip(&a.j);
		}
	span_arena_release(&a.arena);
	if (a.rc >= 0 && a.in.failed)
		return span_error_at(err, SPAN_E_CORRUPT, a.in.pos,
				     "no answer of Loki's: byte %zu: %s",
				     a.in.pos, a.in.what);
	return a.rc < 0 ? a.rc : 0;
}
