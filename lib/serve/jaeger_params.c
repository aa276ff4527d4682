/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/jaeger_params.h"

#include <string.h>

#include <span/text.h>

#include "serve/answers.h"
#include "serve/params.h"

#include "base/banned.h"

#define DEFAULT_LIMIT 100

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

/* What a bad parameter was answered with is the answer: RC, or NOMEM. */
static int refused(int rc)
{
	return rc < 0 ? rc : SPAN_E_INVALID;
}

/* How Go's strconv would speak of the 1 to 16 hex digits TEXT. */
static const char *bad_hex(struct span_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!memchr("0123456789abcdefABCDEF", text.p[i], 22))
			return "invalid syntax";
	return NULL;
}

int span__serve_read_id(struct span_str text, const char *prefix,
			uint8_t out[16], struct span__serve_answer *a)
{
	size_t high = text.len > 16 ? text.len - 16 : 0;
	struct span_str part = {text.p, high};
	struct span_buf quoted = {0};
	int rc;

	if (!text.len)
		return refused(span__serve_error(
			a, 400, "%sTraceID cannot be empty", prefix));
	if (text.len <= 32 && span_trace_id_parse(text, out) == 0)
		return 0;
	if (!*prefix && (rc = span__serve_base64_id(text, out)) >= 0)
		return rc ? refused(span__serve_error(a, 400,
						      SPAN__SERVE_ID_LENGTH))
			  : 0;
	if (text.len > 32) {
		span_text_terminal(&quoted, text);
		rc = span__serve_error(
			a, 400,
			"%sTraceID cannot be longer than 32 hex "
			"characters: %.*s",
			prefix,
			(int)span_text_cut(
				(struct span_str){quoted.p, quoted.len}, 500),
			quoted.p ? quoted.p : "");
	} else {
		if (!high || !bad_hex(part))
			part = (struct span_str){text.p + high,
						 text.len - high};
		span_text_quoted(&quoted, part);
		rc = span__serve_error(
			a, 400,
			"%sstrconv.ParseUint: parsing %.*s: invalid syntax",
			prefix, (int)quoted.len, quoted.p ? quoted.p : "");
	}
	span_buf_release(&quoted);
	return refused(rc);
}

static int read_ids(const struct span__serve_request *r,
		    struct span__serve_search *out,
		    struct span__serve_answer *a, struct span_error *err)
{
	const struct span_str *text;
	size_t at = 0;
	int rc = 0;

	out->ids = span_arena_array(&out->arena, r->n_params + 1,
				    sizeof(*out->ids));
	if (!out->ids)
		return no_memory(err);
	while (rc == 0 && (text = span__serve_next(r, "traceID", &at)))
		rc = span__serve_read_id(*text, "cannot parse traceID param: ",
					 out->ids[out->n_ids++], a);
	return rc;
}

/* Microseconds of the parameter NAME: *US stays where there is none. */
static int read_time(const struct span__serve_request *r, const char *name,
		     int64_t *us, struct span__serve_answer *a)
{
	struct span_str text = span__serve_value(r, name);
	struct span_error why = {0};

	if (!text.len || span__serve_int(text, us, &why) == 0)
		return 0;
	return refused(span__serve_bad_param(a, name, &why));
}

/* Jaeger's times are inclusive, and in whole microseconds. */
static int read_times(const struct span__serve *s,
		      const struct span__serve_request *r,
		      struct span__serve_search *out,
		      struct span__serve_answer *a)
{
	uint64_t now = s->now();
	int64_t start =
		(int64_t)((now > s->lookback_ns ? now - s->lookback_ns : 0) /
			  1000);
	int64_t end = (int64_t)(now / 1000);
	uint64_t last = UINT64_MAX / 1000 - 1;
	int rc = read_time(r, "start", &start, a);

	if (rc == 0)
		rc = read_time(r, "end", &end, a);
	if (start < 0)
		start = 0;
	out->nothing |= end < start || (uint64_t)start > last;
	if (out->nothing)
		return rc;
	out->select.sel.since_ns = (uint64_t)start * 1000;
	out->select.sel.until_ns =
		(uint64_t)end < last ? (uint64_t)(end + 1) * 1000 : UINT64_MAX;
	return rc;
}

static int read_duration(const struct span__serve_request *r, const char *name,
			 int64_t *ns, struct span__serve_answer *a)
{
	struct span_str text = span__serve_value(r, name);
	struct span_error why = {0};

	*ns = 0;
	if (!text.len || span__serve_duration(text, ns, &why) == 0)
		return 0;
	return refused(span__serve_bad_param(a, name, &why));
}

/* 0 is off; nothing is as short as a duration below 0. */
static int read_durations(const struct span__serve_request *r,
			  struct span__serve_search *out,
			  struct span__serve_answer *a, bool *contradict)
{
	int64_t min, max;
	int rc = read_duration(r, "minDuration", &min, a);

	if (rc == 0)
		rc = read_duration(r, "maxDuration", &max, a);
	if (rc < 0)
		return rc;
	*contradict = min && max && max < min;
	out->nothing |= max < 0;
	out->select.sel.min_duration_ns = min > 0 ? (uint64_t)min : 0;
	out->select.sel.max_duration_ns = max > 0 ? (uint64_t)max : 0;
	return 0;
}

static int read_limit(const struct span__serve *s,
		      const struct span__serve_request *r,
		      struct span__serve_search *out,
		      struct span__serve_answer *a)
{
	struct span_str text = span__serve_value(r, "limit");
	struct span_error why = {0};
	int32_t limit = DEFAULT_LIMIT;

	if (text.len && span__serve_int32(text, &limit, &why) < 0)
		return refused(
			why.code == SPAN_E_NOMEM
				? SPAN_E_NOMEM
				: span__serve_error(a, 400, "%s", why.msg));
	if (limit <= 0 || (s->max_traces && (size_t)limit > s->max_traces))
		return refused(span__serve_error(
			a, 400,
			"search depth must be greater than 0 and less than max "
			"traces"));
	out->limit = (uint64_t)limit;
	return 0;
}

int span__serve_read_raw(const struct span__serve_request *r, bool *raw,
			 struct span__serve_answer *a)
{
	struct span_str text = span__serve_value(r, "raw");
	struct span_error why = {0};

	if (!text.len || span__serve_bool(text, raw, &why) == 0)
		return 0;
	return refused(span__serve_bad_param(a, "raw", &why));
}

/* Service and operation, and what must be there. */
static int read_names(const struct span__serve_request *r,
		      struct span__serve_search *out,
		      struct span__serve_answer *a)
{
	struct span_str service = span__serve_value(r, "service");
	struct span_str operation = span__serve_value(r, "operation");

	if (!service.len && !out->n_ids)
		return refused(span__serve_error(
			a, 400, "parameter 'service' is required"));
	span__select_name(&out->select, SELECT_SERVICES, service);
	if (operation.len)
		span__select_name(&out->select, SELECT_OPERATIONS, operation);
	return 0;
}

/* In Jaeger's order, so that of several mistakes the same one is told. */
int span__serve_read_search(const struct span__serve *s,
			    const struct span__serve_request *r,
			    struct span__serve_search *out,
			    struct span__serve_answer *a,
			    struct span_error *err)
{
	bool contradict = false;
	int rc;

	*out = (struct span__serve_search){.limit = DEFAULT_LIMIT};
	rc = read_times(s, r, out, a);
	if (rc == 0)
		rc = span__serve_read_tags(r, out, a, err);
	if (rc == 0)
		rc = read_limit(s, r, out, a);
	if (rc == 0)
		rc = read_durations(r, out, a, &contradict);
	if (rc == 0)
		rc = span__serve_read_raw(r, &out->raw, a);
	if (rc == 0)
		rc = read_ids(r, out, a, err);
	if (rc == 0)
		rc = read_names(r, out, a);
	if (rc == 0 && contradict)
		rc = refused(
			span__serve_error(a, 400,
					  "'maxDuration' should be greater "
					  "than 'minDuration'"));
	/* No name or tag that can be asked for has a zero byte. */
	out->nothing |= out->select.zero;
	return rc;
}

void span__serve_search_release(struct span__serve_search *s)
{
	span__select_release(&s->select);
	span_arena_release(&s->arena);
}
