/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names come from the command line, or are fixed here; values come from spans.
 * The streams so far, and the values of each label, are trees: how they are
 * ordered is nothing that a sender can make slow.
 */
#include "loki-labels.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define MAX_NAME 127u /* less than Loki takes */
/* A byte that is no UTF-8 becomes three, so it is a third of Loki's 2048. */
#define MAX_VALUE 680u
#define OTHER SPAN_STR("other")
#define NO_SERVICE SPAN_STR("unknown_service")

enum source { LEVEL, SERVICE, KEY };

struct label {
	char name[MAX_NAME + 1];
	enum source source;
	struct span_str keys[2]; /* the first one that has a value counts */
	bool resource;		 /* not of the span itself */
	void *values;		 /* tree of struct value */
	size_t n_values;
};

struct value {
	size_t len;
	char text[];
};

static struct {
	struct label v[LOKI_MAX_LABELS];
	size_t n;
	struct span_buf text, value;
	void *streams; /* tree of struct loki_stream */
	uint64_t n_streams, max;
	bool warned;
} labels;

/* ---- Names ---- */

/* [a-zA-Z_][a-zA-Z0-9_]*, but for Loki's own, which begin with "__". */
static bool is_name(struct span_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		bool letter = ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_';

		if (!letter && (!i || c < '0' || c > '9'))
			return false;
	}
	return s.len && s.len <= MAX_NAME &&
	       !(s.len > 1 && s.p[0] == '_' && s.p[1] == '_');
}

static struct label *find_label(const char *name)
{
	for (size_t i = 0; i < labels.n; i++)
		if (!strcmp(labels.v[i].name, name))
			return &labels.v[i];
	return NULL;
}

static void put_label(const char *name, size_t len, enum source source,
		      const char *key)
{
	struct label *l;

	if (labels.n == LOKI_MAX_LABELS)
		cmd_usage("--label: Loki takes %u labels at most",
			  LOKI_MAX_LABELS);
	l = &labels.v[labels.n++];
	*l = (struct label){.source = source, .keys = {span_str(key)}};
	memcpy(l->name, name, len);
}

static enum source source_of(const char *key)
{
	if (!strcmp(key, "service.name"))
		return SERVICE;
	return strcmp(key, "level") ? KEY : LEVEL;
}

/* NAME=KEY, or KEY, whose name is then what Loki allows of it. */
static void read_label(const char *text)
{
	const char *equal = strchr(text, '=');
	const char *key = equal ? equal + 1 : text;
	struct span_buf name = {0};

	if (equal)
		span_buf_put(&name, text, (size_t)(equal - text));
	else
		span_text_label(&name, span_str(key));
	if (name.failed || !is_name((struct span_str){name.p, name.len}))
		cmd_usage("--label: '%s' has no name that a label may have",
			  text);
	if (!*key)
		cmd_usage("--label: '%s' names no tag", text);
	span_buf_putc(&name, '\0');
	if (find_label(name.p))
		cmd_usage("--label: '%s' is there twice", text);
	put_label(name.p, name.len - 1, source_of(key), key);
	span_buf_release(&name);
}

static bool has_source(enum source source)
{
	for (size_t i = 0; i < labels.n; i++)
		if (labels.v[i].source == source)
			return true;
	return false;
}

/* One that is always there, unless its name or its tag was asked for. */
static void put_fixed(const char *name, enum source source, const char *key,
		      const char *also)
{
	if (find_label(name) || (source != KEY && has_source(source)))
		return;
	for (size_t i = 0; source == KEY && i < labels.n; i++)
		if (span_str_equal(labels.v[i].keys[0], span_str(key)))
			return;
	put_label(name, strlen(name), source, key);
	labels.v[labels.n - 1].keys[1] = span_str(also);
	labels.v[labels.n - 1].resource = true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->name,
		      ((const struct label *)b)->name);
}

void loki_labels_init(const struct cmd_list *list, uint64_t max)
{
	for (size_t i = 0; i < list->n; i++)
		read_label(list->v[i]);
	put_fixed("service_name", SERVICE, "service.name", NULL);
	put_fixed("level", LEVEL, "level", NULL);
	put_fixed("deployment_environment", KEY, "deployment.environment.name",
		  "deployment.environment");
	put_fixed("service_namespace", KEY, "service.namespace", NULL);
	qsort(labels.v, labels.n, sizeof(labels.v[0]), by_name);
	labels.max = max;
}

const char *loki_labels_service(void)
{
	for (size_t i = 0; i < labels.n; i++)
		if (labels.v[i].source == SERVICE)
			return labels.v[i].name;
	return "service_name";
}

/* ---- Values ---- */

static const struct span_value *tag_of(const struct label *l,
				       const struct span *s)
{
	const struct span_value *v = NULL;

	for (size_t i = 0; !v && i < 2 && l->keys[i].len; i++) {
		v = span_attr_get(&s->process->attrs, l->keys[i]);
		if (!v && !l->resource)
			v = span_attr_get(&s->attrs, l->keys[i]);
	}
	return v;
}

/* What the label says of a span: none when it is empty. */
static struct span_str value_of(const struct label *l, const struct span *s,
				bool error)
{
	const struct span_value *v;
	struct span_str text;

	if (l->source == LEVEL)
		return error ? SPAN_STR("error") : SPAN_STR("info");
	if (l->source == SERVICE)
		return s->process->service.len ? s->process->service
					       : NO_SERVICE;
	v = tag_of(l, s);
	if (!v && span_str_equal(l->keys[0], SPAN_STR("span.kind")))
		return span_str(span_kind_name(s->kind));
	labels.value.len = 0;
	if (v)
		span_text_value(&labels.value, v);
	text = (struct span_str){labels.value.p, labels.value.len};
	return labels.value.len ? text : (struct span_str){NULL, 0};
}

/*
 * V as JSON. U+FFFD, which is there for what is no UTF-8, becomes a question
 * mark: Loki's reader of labels takes it for an error, and refuses the request.
 */
static void put_value(struct span_buf *b, struct span_str v)
{
	size_t at = b->len, to = at;

	span_text_json(b, v);
	while (at < b->len) {
		bool odd = b->len - at >= 3 &&
			   !memcmp(b->p + at, "\xef\xbf\xbd", 3);

		b->p[to++] = odd ? '?' : b->p[at];
		at += odd ? 3 : 1;
	}
	b->len = to;
}

/* The labels as JSON, in labels.text; OTHER instead of what a span says. */
static struct span_str put_labels(const struct span *s, bool error, bool other)
{
	struct span_buf *b = &labels.text;

	b->len = 0;
	for (size_t i = 0; i < labels.n; i++) {
		const struct label *l = &labels.v[i];
		struct span_str v = value_of(l, s, error);

		if (!v.len)
			continue;
		if (other && l->source != LEVEL)
			v = OTHER;
		v.len = span_text_cut(v, MAX_VALUE);
		span_buf_printf(b, "%c\"%s\":", b->len ? ',' : '{', l->name);
		put_value(b, v);
	}
	span_buf_putc(b, '}');
	return (struct span_str){b->p, b->len};
}

/* ---- Streams ---- */

static int compare_streams(const void *a, const void *b)
{
	return span_str_compare(((const struct loki_stream *)a)->labels,
				((const struct loki_stream *)b)->labels);
}

static int compare_values(const void *a, const void *b)
{
	const struct value *x = a, *y = b;

	return span_str_compare((struct span_str){x->text, x->len},
				(struct span_str){y->text, y->len});
}

/* Count the different values of a label; false: memory is out. */
static bool count_value(struct label *l, struct span_str text)
{
	struct value *v = malloc(sizeof(*v) + text.len), **at;

	if (!v)
		return false;
	v->len = text.len;
	if (text.len)
		memcpy(v->text, text.p, text.len);
	at = tsearch(v, &l->values, compare_values);
	if (at && *at == v)
		l->n_values++;
	else
		free(v);
	return at;
}

static bool count_values(const struct span *s, bool error)
{
	bool fine = true;

	for (size_t i = 0; i < labels.n && fine; i++)
		fine = count_value(&labels.v[i],
				   value_of(&labels.v[i], s, error));
	return fine;
}

static void warn_many(void)
{
	const struct label *most = &labels.v[0];

	for (size_t i = 1; i < labels.n; i++)
		if (labels.v[i].n_values > most->n_values)
			most = &labels.v[i];
	cmd_warn("more than %llu streams: label %s has %zu values; entries of "
		 "further streams get the value \"other\" (--max-streams)",
		 (unsigned long long)labels.max, most->name, most->n_values);
	labels.warned = true;
}

static struct loki_stream *find_stream(struct span_str text)
{
	const struct loki_stream want = {.labels = text};
	struct loki_stream **at =
		tfind(&want, &labels.streams, compare_streams);

	return at ? *at : NULL;
}

static struct loki_stream *add_stream(struct span_str text, bool other)
{
	struct loki_stream *s = malloc(sizeof(*s) + text.len), **at;

	if (!s)
		return NULL;
	memcpy((char *)(s + 1), text.p, text.len);
	*s = (struct loki_stream){.labels = {(char *)(s + 1), text.len},
				  .other = other};
	at = tsearch(s, &labels.streams, compare_streams);
	if (!at)
		free(s);
	else if (!other)
		labels.n_streams++;
	return at ? *at : NULL;
}

struct loki_stream *loki_labels_of(const struct span *s, bool error)
{
	struct span_str text = put_labels(s, error, false);
	struct loki_stream *stream;
	bool other;

	if (labels.text.failed || labels.value.failed)
		return NULL;
	stream = find_stream(text);
	if (stream)
		return stream;
	other = labels.n_streams >= labels.max;
	if (other) {
		if (!labels.warned)
			warn_many();
		text = put_labels(s, error, true);
		stream = labels.text.failed ? NULL : find_stream(text);
		if (stream || labels.text.failed)
			return stream;
	} else if (!count_values(s, error)) {
		return NULL;
	}
	return add_stream(text, other);
}

uint64_t loki_labels_streams(void)
{
	return labels.n_streams;
}

void loki_labels_release(void)
{
	for (size_t i = 0; i < labels.n; i++)
		tdestroy(labels.v[i].values, free);
	labels.n = 0;
	tdestroy(labels.streams, free);
	labels.streams = NULL;
	span_buf_release(&labels.text);
	span_buf_release(&labels.value);
}
