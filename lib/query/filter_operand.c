/* SPDX-License-Identifier: Apache-2.0 */
/* What the operators of a filter are applied to, as TraceQL. */
#include "query/filter.h"

#include <span/text.h>

#include <string.h>

#include "base/banned.h"

#define N_ELEMENTS(v) (sizeof(v) / sizeof(*(v)))

static const struct field {
	const char *level, *name;
	const char *traceql; /* NULL: TraceQL has no such field */
	enum filter_holds holds;
} fields[] = {
	{"span", "traceID", "trace:id", HOLDS_TEXT},
	{"span", "spanID", "span:id", HOLDS_TEXT},
	{"span", "parentSpanID", "span:parentID", HOLDS_TEXT},
	{"span", "traceState", NULL, HOLDS_TEXT},
	{"span", "name", "name", HOLDS_TEXT},
	{"span", "kind", "kind", HOLDS_KIND},
	{"span", "startTime", NULL, HOLDS_TEXT},
	{"span", "endTime", NULL, HOLDS_TEXT},
	{"span", "status", "status", HOLDS_STATUS},
	{"span", "statusMessage", "statusMessage", HOLDS_TEXT},
	{"span", "duration", "duration", HOLDS_DURATION},
	{"resource", "service", "resource.service.name", HOLDS_TEXT},
	{"resource", "schemaURL", NULL, HOLDS_TEXT},
	{"scope", "name", "instrumentation:name", HOLDS_TEXT},
	{"scope", "version", "instrumentation:version", HOLDS_TEXT},
	{"scope", "schemaURL", NULL, HOLDS_TEXT},
	{"event", "name", "event:name", HOLDS_TEXT},
	{"event", "time", NULL, HOLDS_TEXT},
	{"event", "timeSinceStart", "event:timeSinceStart", HOLDS_DURATION},
	{"link", "traceID", "link:traceID", HOLDS_TEXT},
	{"link", "spanID", "link:spanID", HOLDS_TEXT},
	{"link", "traceState", NULL, HOLDS_TEXT},
};

static const struct {
	const char *level, *traceql;
} levels[] = {
	{"", "."},
	{"span", "span."},
	{"resource", "resource."},
	{"scope", "instrumentation."},
	{"event", "event."},
	{"link", "link."},
};

void span__filter_fail(struct span__filter_writer *w, int code,
		       const char *what, struct span_str name)
{
	struct span_buf text = {0};

	if (w->rc < 0)
		return;
	span_text_terminal(&text, name);
	w->rc = span_error_at(w->err, code, 0, "%s \"%.*s\"", what,
			      text.len < 80 ? (int)text.len : 80,
			      text.len ? text.p : "");
	span_buf_release(&text);
}

static bool equals(struct span_str s, const char *text)
{
	return span_str_equal(s, span_str(text));
}

/* ---- References ---- */

static const struct field *find_field(const struct filter_node *node)
{
	for (size_t i = 0; i < N_ELEMENTS(fields); i++)
		if (equals(node->level, fields[i].level) &&
		    equals(node->name, fields[i].name))
			return &fields[i];
	return NULL;
}

enum filter_holds span__filter_holds(const struct filter_node *node)
{
	const struct field *f =
		node->term == FILTER_FIELD ? find_field(node) : NULL;

	return f ? f->holds : HOLDS_ANY;
}

static const char *find_level(struct span__filter_writer *w,
			      struct span_str level)
{
	for (size_t i = 0; i < N_ELEMENTS(levels); i++)
		if (equals(level, levels[i].level))
			return levels[i].traceql;
	span__filter_fail(w, SPAN_E_INVALID, "unknown filter level", level);
	return "";
}

static void put_key(struct span__filter_writer *w, struct span_str key)
{
	if (!key.len || memchr(key.p, 0, key.len)) {
		span__filter_fail(w, SPAN_E_INVALID,
				  "no key of an attribute:", key);
		return;
	}
	span_buf_putc(w->out, '"');
	for (size_t i = 0; i < key.len; i++) {
		if (key.p[i] == '"' || key.p[i] == '\\')
			span_buf_putc(w->out, '\\');
		span_buf_putc(w->out, key.p[i]);
	}
	span_buf_putc(w->out, '"');
}

void span__filter_reference(struct span__filter_writer *w,
			    const struct filter_node *node)
{
	const char *prefix = find_level(w, node->level);
	const struct field *f;

	if (node->term == FILTER_ATTR) {
		span_buf_puts(w->out, prefix);
		put_key(w, node->name);
		return;
	}
	f = find_field(node);
	if (!f)
		span__filter_fail(w, SPAN_E_INVALID, "unknown filter field",
				  node->name);
	else if (!f->traceql)
		span__filter_fail(w, SPAN_E_FORMAT,
				  "this store cannot filter by the field",
				  node->name);
	else
		span_buf_puts(w->out, f->traceql);
}

/* ---- Constants ---- */

void span__filter_text(struct span__filter_writer *w, struct span_str s)
{
	span_buf_putc(w->out, '"');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ')
			span_buf_printf(w->out, "\\x%02x", c);
		else if (c == '"' || c == '\\')
			span_buf_printf(w->out, "\\%c", c);
		else
			span_buf_putc(w->out, (char)c);
	}
	span_buf_putc(w->out, '"');
}

static double unit_ns(struct span_str s)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {
		{"ns", 1},	    {"us", 1e3},   {"\xc2\xb5s", 1e3},
		{"\xce\xbcs", 1e3}, {"ms", 1e6},   {"s", 1e9},
		{"m", 60e9},	    {"h", 3600e9},
	};

	for (size_t i = 0; i < N_ELEMENTS(units); i++)
		if (equals(s, units[i].name))
			return units[i].ns;
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A number with a unit, as "1.5s", that begins at *I; 0: it is none. */
static bool read_part(struct span_str s, size_t *i, double *ns)
{
	double n = 0, digit = 0.1, unit;
	size_t from = *i, end;

	for (; *i < s.len && is_digit(s.p[*i]); ++*i)
		n = n * 10 + (s.p[*i] - '0');
	if (*i < s.len && s.p[*i] == '.')
		for (++*i; *i < s.len && is_digit(s.p[*i]); ++*i, digit /= 10)
			n += (s.p[*i] - '0') * digit;
	if (*i == from || (*i == from + 1 && s.p[from] == '.'))
		return false;
	for (end = *i; end < s.len && !is_digit(s.p[end]) && s.p[end] != '.';)
		end++;
	unit = unit_ns((struct span_str){s.p + *i, end - *i});
	*i = end;
	*ns += n * unit;
	return unit > 0;
}

/* A duration as Go writes it: "1h30m", "-1.5s", "0". */
static void put_duration(struct span__filter_writer *w, struct span_str s)
{
	bool minus = s.len && s.p[0] == '-';
	size_t i = minus || (s.len && s.p[0] == '+');
	bool good = i < s.len;
	double ns = 0;

	if (equals(s, "0")) {
		span_buf_puts(w->out, "0ns");
		return;
	}
	while (good && i < s.len)
		good = read_part(s, &i, &ns);
	if (!good || ns >= 9223372036854775807.0)
		span__filter_fail(w, SPAN_E_INVALID,
				  "filter constant is no duration:", s);
	else
		span_buf_printf(w->out, "%s%.0fns", minus ? "-" : "", ns);
}

static void put_word(struct span__filter_writer *w, struct span_str s,
		     enum filter_holds what)
{
	static const char *const kinds[] = {"unspecified", "internal",
					    "server",	   "client",
					    "producer",	   "consumer"};
	static const char *const statuses[] = {"unset", "ok", "error"};
	bool kind = what == HOLDS_KIND;
	size_t n = kind ? N_ELEMENTS(kinds) : N_ELEMENTS(statuses);

	for (size_t i = 0; i < n; i++)
		if (equals(s, kind ? kinds[i] : statuses[i])) {
			span_buf_str(w->out, s);
			return;
		}
	span__filter_fail(
		w, SPAN_E_INVALID,
		kind ? "no span kind (unspecified, internal, server, client, "
		       "producer, consumer):"
		     : "no status (unset, ok, error):",
		s);
}

static void put_number(struct span__filter_writer *w, struct span_str s,
		       bool integer)
{
	size_t from = s.len && s.p[0] == '-';
	bool good = s.len > from;

	for (size_t i = from; i < s.len; i++)
		good = good && (memchr("0123456789", s.p[i], 10) ||
				(!integer && memchr(".eE+-", s.p[i], 5)));
	if (!good)
		span__filter_fail(w, SPAN_E_INVALID,
				  integer ? "filter constant is no int:"
					  : "filter constant is no double:",
				  s);
	span_buf_str(w->out, s);
}

/* VALUE, of TYPE, beside what holds WHAT. */
void span__filter_constant(struct span__filter_writer *w, struct span_str value,
			   struct span_str type, enum filter_holds what)
{
	bool boolean = equals(type, "bool");

	if (what == HOLDS_DURATION)
		put_duration(w, value);
	else if (what == HOLDS_KIND || what == HOLDS_STATUS)
		put_word(w, value, what);
	else if (boolean && !equals(value, "true") && !equals(value, "false"))
		span__filter_fail(w, SPAN_E_INVALID,
				  "filter constant is no bool:", value);
	else if (boolean)
		span_buf_str(w->out, value);
	else if (equals(type, "int") || equals(type, "double"))
		put_number(w, value, equals(type, "int"));
	else if (!type.len || equals(type, "string"))
		span__filter_text(w, value);
	else
		span__filter_fail(w, SPAN_E_INVALID,
				  "unknown type of a filter constant", type);
}
