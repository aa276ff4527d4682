/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shares from run to run, and for clients. Names that JSON cannot hold are left
 * out, and so is the share of those for whom there is no room.
 */
#include "sample/adaptive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <span/text.h>

#include "text/utf8.h"

#include "base/banned.h"

#define COUNT_MAX 1e15

static bool is_plain(struct span_str name)
{
	return name.len && !memchr(name.p, 0, name.len) &&
	       span__utf8_valid(name);
}

static bool is_named(const struct span__adapted *o)
{
	return is_plain(o->service) && is_plain(o->operation);
}

static void put_names(struct span_buf *out, const struct span__adapted *o)
{
	span_buf_puts(out, "{\"service\": ");
	span_text_json(out, o->service);
	span_buf_puts(out, ", \"operation\": ");
	span_text_json(out, o->operation);
}

void span__adaptive_save(const struct span__adaptive *a, struct span_buf *out)
{
	uint64_t carried = a->carried_ns;
	const char *before = "\n";

	if (a->ends_ns)
		carried = a->interval_ns - (a->ends_ns - a->now_ns);
	span_buf_puts(out, "{\"carried_ns\": ");
	span_text_uint(out, carried);
	span_buf_puts(out, ", \"operations\": [");
	for (size_t i = 1; i < span__adaptive_n(a); i++) {
		const struct span__adapted *o = span__adaptive_at(a, i);

		if (!is_named(o))
			continue;
		span_buf_puts(out, before);
		put_names(out, o);
		span_buf_puts(out, ", \"p\": ");
		span_text_double(out, o->p);
		span_buf_puts(out, ", \"count\": ");
		span_text_double(out, fmin(o->count, COUNT_MAX));
		span_buf_printf(out, ", \"band\": %u, \"idle\": %u}",
				(unsigned)o->band, (unsigned)o->idle);
		before = ",\n";
	}
	span_buf_puts(out, "]}\n");
}

/* A number of O from 0 to MAX. */
static bool get(const cJSON *o, const char *key, double max, double *out)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0) ||
	    !(v->valuedouble <= max))
		return false;
	*out = v->valuedouble;
	return true;
}

static const char *get_name(const cJSON *o, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));
}

/* 0; SPAN_E_CORRUPT; SPAN_E_NOMEM. */
static int load_operation(struct span__adaptive *a, const cJSON *json)
{
	const char *service = get_name(json, "service");
	const char *operation = get_name(json, "operation");
	double p, count, band, idle;
	struct span__adapted *o;

	if (!service || !operation || !get(json, "p", 1, &p) ||
	    !get(json, "count", COUNT_MAX, &count) ||
	    !get(json, "band", SPAN__BANDS_MAX, &band) ||
	    !get(json, "idle", UINT32_MAX, &idle))
		return SPAN_E_CORRUPT;
	o = span__adaptive_find(a, span_str(service), span_str(operation));
	if (!o)
		return SPAN_E_NOMEM;
	o->count += count;
	if (!o->service.len) /* there is no room */
		return 0;
	o->idle = (uint32_t)idle;
	/* The rules may be others now. */
	if (a->n_bands) {
		o->band = (uint32_t)fmin(band, a->n_bands - 1);
		o->p = a->bands[o->band].p;
	} else {
		o->p = fmax(p, a->min);
	}
	return 0;
}

static int load(struct span__adaptive *a, const cJSON *root)
{
	const cJSON *list =
		cJSON_GetObjectItemCaseSensitive(root, "operations");
	const cJSON *i;
	double carried;
	int rc = 0;

	if (!cJSON_IsArray(list) || !get(root, "carried_ns", 1e18, &carried))
		return SPAN_E_CORRUPT;
	a->carried_ns = (uint64_t)carried;
	if (a->carried_ns >= a->interval_ns)
		a->carried_ns = a->interval_ns - 1;
	cJSON_ArrayForEach(i, list)
	{
		rc = load_operation(a, i);
		if (rc < 0)
			break;
	}
	return rc;
}

int span__adaptive_load(struct span__adaptive *a, const char *name,
			const void *text, size_t len, struct span_error *err)
{
	cJSON *root = cJSON_ParseWithLength(text, len);
	int rc = load(a, root);

	cJSON_Delete(root);
	if (rc == SPAN_E_NOMEM)
		return span_error_set(err, rc, "memory is out");
	return rc < 0 ? span_error_set(err, rc,
				       "%s: it is no state of span-sample",
				       name)
		      : 0;
}

static int by_names(const void *x, const void *y)
{
	const struct span__adapted *const *a = x, *const *b = y;
	int order = span_str_compare((*a)->service, (*b)->service);

	return order ? order
		     : span_str_compare((*a)->operation, (*b)->operation);
}

static void put_share(struct span_buf *out, double p)
{
	span_buf_puts(out, ", \"type\": \"probabilistic\", \"param\": ");
	span_text_double(out, p);
}

/* The N operations at V, in order. */
static void put_services(const struct span__adapted *const *v, size_t n,
			 double usual, struct span_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		bool first =
			!i || !span_str_equal(v[i - 1]->service, v[i]->service);

		if (first) {
			span_buf_puts(out, i ? "]},\n" : "\n");
			span_buf_puts(out, " {\"service\": ");
			span_text_json(out, v[i]->service);
			put_share(out, usual);
			span_buf_puts(out, ",\n  \"operation_strategies\": [");
		}
		span_buf_puts(out, first ? "\n   {\"operation\": "
					 : ",\n   {\"operation\": ");
		span_text_json(out, v[i]->operation);
		put_share(out, v[i]->p);
		span_buf_putc(out, '}');
	}
	span_buf_puts(out, n ? "]}]}\n" : "]}\n");
}

int span__adaptive_strategies(const struct span__adaptive *a,
			      struct span_buf *out, struct span_error *err)
{
	double usual = a->n_bands ? a->bands[0].p : a->initial;
	const struct span__adapted **v =
		calloc(span__adaptive_n(a), sizeof(const void *));
	size_t n = 0;

	if (!v)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	for (size_t i = 1; i < span__adaptive_n(a); i++)
		if (is_named(span__adaptive_at(a, i)))
			v[n++] = span__adaptive_at(a, i);
	qsort(v, n, sizeof(const void *), by_names);
	span_buf_puts(out, "{\"default_strategy\": {\"type\": "
			   "\"probabilistic\", \"param\": ");
	span_text_double(out, usual);
	span_buf_puts(out, "},\n \"service_strategies\": [");
	put_services(v, n, usual, out);
	free(v);
	return out->failed ? span_error_set(err, SPAN_E_NOMEM, "memory is out")
			   : 0;
}
