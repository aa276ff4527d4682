/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/csv_field.h"

#include <strings.h>

#include "codec/lines.h"
#include "text/parse.h"

#include "base/banned.h"

enum what {
	TAG,
	TRACE,
	ID,
	PARENT,
	SERVICE,
	NAME,
	KIND,
	START,
	START_UNIT,
	DURATION,
	DURATION_UNIT,
	STATUS,
	MESSAGE,
	TAGS,
	PROCESS,
	PROCESS_TAG,
	NOTHING,
};

/* Names without _ and in small letters; "spans" is in <span/codec.h>. */
static const struct {
	const char *name;
	enum what what;
	uint64_t unit;
} names[] = {
	{"traceid", TRACE, 0},
	{"trace", TRACE, 0},
	{"spanid", ID, 0},
	{"id", ID, 0},
	{"parentid", PARENT, 0},
	{"parentspanid", PARENT, 0},
	{"parent", PARENT, 0},
	{"service", SERVICE, 0},
	{"servicename", SERVICE, 0},
	{"service.name", SERVICE, 0},
	{"name", NAME, 0},
	{"operation", NAME, 0},
	{"operationname", NAME, 0},
	{"spanname", NAME, 0},
	{"kind", KIND, 0},
	{"spankind", KIND, 0},
	{"start", START, 0},
	{"starttime", START, 0},
	{"time", START, 0},
	{"timestamp", START, 0},
	{"startns", START_UNIT, 1},
	{"startus", START_UNIT, 1000},
	{"startms", START_UNIT, 1000000},
	{"starts", START_UNIT, 1000000000},
	{"duration", DURATION, 0},
	{"durationns", DURATION_UNIT, 1},
	{"durationus", DURATION_UNIT, 1000},
	{"durationms", DURATION_UNIT, 1000000},
	{"durations", DURATION_UNIT, 1000000000},
	{"status", STATUS, 0},
	{"statusmessage", MESSAGE, 0},
	{"tags", TAGS, 0},
	{"attributes", TAGS, 0},
	{"process", PROCESS, 0},
	{"resource", PROCESS, 0},
	{"events", NOTHING, 0},
};

static bool same_name(struct span_str s, const char *name)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (c == '_' || c == ' ')
			continue;
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		if (!c || c != *name)
			return false;
		name++;
	}
	return !*name;
}

static bool cut_prefix(struct span_str *s, const char *prefix)
{
	size_t len = strlen(prefix);

	if (s->len <= len || strncasecmp(s->p, prefix, len) != 0)
		return false;
	s->p += len;
	s->len -= len;
	return true;
}

bool span__csv_column(struct span__csv_column *c)
{
	c->what = TAG;
	c->unit = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (same_name(c->name, names[i].name)) {
			c->what = names[i].what;
			c->unit = names[i].unit;
			return c->what == TRACE;
		}
	}
	if (cut_prefix(&c->name, "process.") ||
	    cut_prefix(&c->name, "process:"))
		c->what = PROCESS_TAG;
	else if (!cut_prefix(&c->name, "tag."))
		(void)cut_prefix(&c->name, "tag:");
	return false;
}

static bool ends_in(struct span_str s, char c)
{
	return s.p[s.len - 1] == c;
}

bool span__csv_detect(const unsigned char *p, size_t len)
{
	const unsigned char *end = len ? memchr(p, '\n', len) : NULL;
	size_t n = 0, from = 0, line = end ? (size_t)(end - p) : len;
	bool found = false;

	if (line > 2 && !memcmp(p, "\xef\xbb\xbf", 3))
		from = 3;
	for (size_t at = from; at <= line; at++) {
		struct span__csv_column c;

		if (at < line && p[at] != ',')
			continue;
		c.name = (struct span_str){(const char *)p + from, at - from};
		while (c.name.len && ends_in(c.name, '\r'))
			c.name.len--;
		if (c.name.len > 1 && c.name.p[0] == '"' &&
		    ends_in(c.name, '"')) {
			c.name.len--;
			c.name.p++;
			c.name.len--;
		}
		found |= span__csv_column(&c);
		from = at + 1;
		n++;
	}
	return found && n > 1;
}

static bool is_digit(char c)
{
	return (c >= '0' && c <= '9') || c == '.';
}

/* Digits, a point and digits, times UNIT. */
static bool scaled(struct span_str s, uint64_t unit, uint64_t *ns)
{
	size_t i = 0;
	bool any = false;

	*ns = 0;
	for (; i < s.len && s.p[i] >= '0' && s.p[i] <= '9'; i++, any = true)
		if (__builtin_mul_overflow(*ns, 10, ns) ||
		    __builtin_add_overflow(*ns, s.p[i] - '0', ns))
			return false;
	if (__builtin_mul_overflow(*ns, unit, ns))
		return false;
	if (i < s.len && s.p[i] == '.')
		for (i++; i < s.len && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
			unit /= 10;
			if (__builtin_add_overflow(
				    *ns, unit * (uint64_t)(s.p[i] - '0'), ns))
				return false;
		}
	return any && i == s.len;
}

/* A number since the epoch: its size tells the unit until the year 5138. */
static bool read_start(struct span_str s, uint64_t *ns)
{
	uint64_t whole, unit = 1;

	if (span__time_read(s, ns))
		return true;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] == '.')
			return scaled(s, 1000000000, ns);
	if (!scaled(s, 1, &whole))
		return false;
	if (whole < 100000000000)
		unit = 1000000000;
	else if (whole < 100000000000000)
		unit = 1000000;
	else if (whole < 100000000000000000)
		unit = 1000;
	return !__builtin_mul_overflow(whole, unit, ns);
}

/* A number and its unit, which *S moves behind: "1.5ms" of "1.5ms3us". */
static bool read_part(struct span_str *s, uint64_t *ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{"ns", 1},
		{"us", 1000},
		{"\xc2\xb5s", 1000},
		{"\xce\xbcs", 1000},
		{"ms", 1000000},
		{"s", 1000000000},
		{"m", 60000000000},
		{"h", 3600000000000},
		{"d", 86400000000000},
	};
	struct span_str number = {s->p, 0}, unit;

	while (number.len < s->len && is_digit(s->p[number.len]))
		number.len++;
	unit = (struct span_str){s->p + number.len, 0};
	while (number.len + unit.len < s->len && !is_digit(unit.p[unit.len]))
		unit.len++;
	s->p = unit.p + unit.len;
	s->len -= number.len + unit.len;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (span_str_equal(unit, span_str(units[i].name)))
			return scaled(number, units[i].ns, ns);
	return false;
}

static bool read_duration(struct span_str s, uint64_t *ns)
{
	uint64_t part;

	*ns = 0;
	if (s.len == 1 && s.p[0] == '0')
		return true;
	do
		if (!read_part(&s, &part) ||
		    __builtin_add_overflow(*ns, part, ns))
			return false;
	while (s.len);
	return true;
}

static struct span_str cut(struct span__message *m, struct span_str s)
{
	if (s.len > SPAN_MAX_STRING)
		span__message_cut(m, &s, true);
	return s;
}

static void add_tag(struct span__message *m, struct span__list *list,
		    struct span_str key, struct span_str text)
{
	struct span_attr *a;

	if (list->n == SPAN_MAX_ATTRS) {
		m->marks |= SPAN_MARK_CUT;
		return;
	}
	a = span__message_push(m, &m->d->arena, list, sizeof(*a));
	if (!a)
		return;
	a->key = cut(m, key);
	a->value.type = SPAN_STRING;
	a->value.str = cut(m, text);
}

static void add_tags(struct span__message *m, struct span__csv_span *s,
		     struct span__list *list, struct span_str text)
{
	struct span_str key, value;

	while (text.len) {
		if (!span__logfmt_next(&m->d->arena, &text, &key, &value)) {
			s->bad = "tags that are no logfmt";
			return;
		}
		if (key.len)
			add_tag(m, list, key, value);
	}
}

/* What the writer puts before a text that a spreadsheet would compute. */
static struct span_str without_guard(struct span_str s)
{
	if (s.len > 1 && s.p[0] == '\'' && s.p[1] &&
	    (strchr("=+-@\t\r\n", s.p[1]) || (unsigned char)s.p[1] == 0xef)) {
		s.p++;
		s.len--;
	}
	return s;
}

static void put_times(struct span__csv_span *s,
		      const struct span__csv_column *c, struct span_str text)
{
	uint64_t ns;

	switch (c->what) {
	case START:
		if (s->has_start)
			break;
		if (!read_start(text, &s->s.start_ns))
			s->bad = "a start that is no time";
		break;
	case START_UNIT:
		if (!scaled(text, c->unit, &s->s.start_ns))
			s->bad = "a start that is no number";
		s->has_start = true;
		break;
	case DURATION:
		if (!read_duration(text, &ns))
			s->bad = "a duration without a number or a unit";
		else
			s->s.duration_ns = ns;
		break;
	default:
		if (!scaled(text, c->unit, &s->s.duration_ns))
			s->bad = "a duration that is no number";
	}
}

static void put_id(struct span__csv_span *s, const struct span__csv_column *c,
		   struct span_str text)
{
	if (c->what == TRACE) {
		s->has_trace = true;
		if (span_trace_id_parse(text, s->s.trace_id) < 0)
			s->bad = "a trace id that is none";
		return;
	}
	s->has_id |= c->what == ID;
	if (span_id_parse(text, c->what == ID ? s->s.span_id : s->s.parent_id) <
	    0)
		s->bad = "a span id that is none";
}

static void put_word(struct span__csv_span *s, const struct span__csv_column *c,
		     struct span_str text)
{
	int n;

	/* As OTLP's JSON and protobuf have them. */
	(void)cut_prefix(&text,
			 c->what == KIND ? "SPAN_KIND_" : "STATUS_CODE_");
	n = c->what == KIND ? span_kind_parse(text) : span_status_parse(text);
	if (c->what == KIND && same_name(text, "unspecified"))
		n = SPAN_KIND_UNSPECIFIED;
	if (n < 0)
		s->bad = "a kind or status that is not known";
	else if (c->what == KIND)
		s->s.kind = (uint8_t)n;
	else
		s->s.status = (uint8_t)n;
}

void span__csv_field(struct span__message *m, struct span__csv_span *s,
		     const struct span__csv_column *c, struct span_str text)
{
	if (!text.len)
		return;
	switch (c->what) {
	case TRACE:
	case ID:
	case PARENT:
		put_id(s, c, text);
		return;
	case START:
	case START_UNIT:
	case DURATION:
	case DURATION_UNIT:
		put_times(s, c, text);
		return;
	case KIND:
	case STATUS:
		put_word(s, c, text);
		return;
	case NOTHING:
		return;
	default:
		text = without_guard(text);
	}
	if (c->what == SERVICE)
		s->process.service = cut(m, text);
	else if (c->what == NAME)
		s->s.name = cut(m, text);
	else if (c->what == MESSAGE)
		s->s.status_message = cut(m, text);
	else if (c->what == TAGS)
		add_tags(m, s, &s->attrs, text);
	else if (c->what == PROCESS)
		add_tags(m, s, &s->process_attrs, text);
	else
		add_tag(m, c->what == TAG ? &s->attrs : &s->process_attrs,
			c->name, text);
}

bool span__csv_finish(struct span__csv_span *s)
{
	if (!s->bad && (!s->has_trace || !s->has_id))
		s->bad = "a span has no trace id or span id";
	s->s.attrs = (struct span_attrs){.v = s->attrs.v, .n = s->attrs.n};
	s->process.attrs = (struct span_attrs){.v = s->process_attrs.v,
					       .n = s->process_attrs.n};
	return !s->bad;
}
