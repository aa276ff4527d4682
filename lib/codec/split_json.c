/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of JSON is walked, not parsed: brackets and quotes are enough to see
 * where its parts end. An object outside of any list is looked at member by
 * member while it is gathered, as one of them may be the list of what is to be
 * given out one by one; its other members are dropped then. So is an object
 * that is the result of one.
 */
#include "codec/split_state.h"

#include "base/banned.h"

enum step { MORE = 0, PIECE = 1, AGAIN = 2 };

static unsigned char byte(const struct span_splitter *s, size_t at)
{
	return s->in.p[at];
}

static void push(struct span_splitter *s, enum level level)
{
	s->levels[s->depth++] = level;
	s->start = s->in.pos;
	s->at = 0;
	s->dropped = false;
	s->scan = (struct span__json_scan){0};
}

static void drop(struct span_splitter *s)
{
	span__input_take(&s->in, s->at);
	s->at = 0;
}

/* The value on top of the stack is done with. */
static void pop(struct span_splitter *s)
{
	s->depth--;
	if (!s->depth)
		s->after = !s->newline;
	if (s->depth && s->levels[s->depth - 1] == OBJECT) {
		s->container = true;
		s->member = KEY;
	}
}

#define CUT_LINE "the JSON text is cut short by the line's end"

/*
 * What stands AT cannot be: from the next line on it may be good again, or
 * already from there on.
 */
static int broken(struct span_splitter *s, size_t at, const char *what,
		  struct span_error *err)
{
	unsigned char c = at < s->in.len ? byte(s, at) : 0;
	uint64_t pos = s->in.pos + at;

	s->resync = true;
	if (span__split_again(s, at)) {
		pos = s->in.pos;
		what = CUT_LINE;
	} else {
		span__input_take(&s->in, at);
		if (opens(c) && s->line && pos == s->line) {
			pos--;
			what = CUT_LINE;
			s->resync = false;
		} else if (c == 0x1e) {
			what = "the JSON text is cut short by the next record";
			s->resync = false;
		}
	}
	s->depth = 0;
	s->at = 0;
	s->after = false;
	return span_error_at(err, SPAN_E_CORRUPT, pos, "%s", what);
}

/*
 * Pass over space from AT on. False where a line ends that a value should
 * have ended on.
 */
static bool space(struct span_splitter *s, size_t *at)
{
	for (; *at < s->in.len; ++*at) {
		unsigned char c = byte(s, *at);

		if (c == '\n') {
			if (s->lines && !s->multi && s->content)
				return false;
			s->multi |= !s->content;
			s->newline = true;
			s->line = s->in.pos + *at + 1;
		} else if (c != ' ' && c != '\t' && c != '\r') {
			break;
		}
	}
	return true;
}

static int cut_line(struct span_splitter *s, size_t at, struct span_error *err)
{
	return broken(s, at, CUT_LINE, err);
}

/* Go on with the value that s->scan is in. */
static int scan(struct span_splitter *s, struct span_error *err)
{
	s->scan.lines = s->lines && !s->multi;
	s->scan.content |= s->content;
	s->at += span__json_scan(&s->scan, s->in.p + s->at, s->in.len - s->at);
	s->newline |= s->scan.newline;
	s->content |= s->scan.content;
	s->multi |= s->scan.newline;
	if (s->scan.state != JSON_SCAN_BROKEN)
		return 0;
	if (s->scan.cut)
		s->line = s->in.pos + s->at;
	if (s->at < s->in.len && byte(s, s->at) == '\n')
		return cut_line(s, s->at, err);
	return broken(s, s->at, "the JSON text is damaged", err);
}

/* The value has ended: give it out, unless it was too long. */
static int give(struct span_splitter *s, int format, struct span_piece *piece,
		struct span_error *err)
{
	uint64_t start = s->start;

	pop(s);
	if (s->dropped || s->at > s->o.max) {
		drop(s);
		return span_error_at(err, SPAN_E_LIMIT, start,
				     "a message above %zu bytes", s->o.max);
	}
	*piece = (struct span_piece){
		.format = format,
		.data = {(const char *)s->in.p, s->at},
		.pos = s->in.pos,
	};
	s->given = s->at;
	s->at = 0;
	return PIECE;
}

/* All there is was looked at; when it is too much already, drop it. */
static int want_more(struct span_splitter *s)
{
	if (s->at > s->o.max)
		s->dropped = true;
	if (s->dropped || s->container)
		drop(s);
	return MORE;
}

static int step_value(struct span_splitter *s, struct span_piece *piece,
		      struct span_error *err)
{
	int rc = scan(s, err);

	if (rc < 0)
		return rc;
	if (s->scan.state != JSON_SCAN_DONE) {
		if (s->at > s->o.max)
			s->dropped = true;
		if (s->dropped)
			drop(s);
		return MORE;
	}
	if (!s->dropped && s->at == 4 && !memcmp(s->in.p, "null", 4)) {
		pop(s);
		drop(s);
		return AGAIN;
	}
	return give(s, s->items ? s->items : s->o.format, piece, err);
}

/* The next item of a list, or its end. */
static int step_list(struct span_splitter *s, struct span_error *err)
{
	bool top = s->levels[s->depth - 1] == ARRAY;

	if (!space(s, &s->at))
		return cut_line(s, s->at, err);
	drop(s);
	if (!s->in.len)
		return MORE;
	switch (byte(s, 0)) {
	case ',':
		span__input_take(&s->in, 1);
		s->comma = true;
		break;
	case ']':
		span__input_take(&s->in, 1);
		pop(s);
		s->items = 0;
		break;
	case '}':
	case ':':
		return broken(s, 0, "the JSON text is damaged", err);
	default:
		if (!s->comma || byte(s, 0) == 0x1e)
			return broken(s, 0, "the JSON text is damaged", err);
		s->comma = false;
		if (!top || byte(s, 0) != '{') {
			push(s, VALUE);
			break;
		}
		push(s, OBJECT);
		s->at = 1;
		s->member = KEY;
		s->container = false;
	}
	return AGAIN;
}

/* The format whose items a member called KEY lists, when it is asked for. */
static int format_of_list(struct span_splitter *s, struct span_str key)
{
	int format = SPAN_FORMAT_AUTO;

	if (span_str_equal(key, SPAN_STR("resourceSpans")) ||
	    span_str_equal(key, SPAN_STR("resource_spans")))
		format = SPAN_FORMAT_OTLP_JSON;
	else if (span_str_equal(key, SPAN_STR("data")))
		format = SPAN_FORMAT_JAEGER_JSON;
	s->is_result = span_str_equal(key, SPAN_STR("result")) &&
		       (!s->o.format || s->o.format == SPAN_FORMAT_OTLP_JSON) &&
		       (s->depth < 2 || s->levels[s->depth - 2] != OBJECT);
	return !s->o.format || s->o.format == format ? format
						     : SPAN_FORMAT_AUTO;
}

static int step_key(struct span_splitter *s, struct span_piece *piece,
		    struct span_error *err)
{
	switch (byte(s, s->at)) {
	case ',':
		s->at++;
		return AGAIN;
	case '}':
		s->at++;
		if (!s->container)
			return give(s, s->o.format, piece, err);
		drop(s);
		s->container = false;
		pop(s);
		return AGAIN;
	case '"':
		break;
	default:
		return broken(s, s->at, "the JSON text is damaged", err);
	}
	s->content = true;
	s->name = s->at;
	s->member = NAME;
	s->scan = (struct span__json_scan){0};
	return AGAIN;
}

/* More of a name: what stands before it may go, the name has to stay. */
static int want_name(struct span_splitter *s)
{
	if (s->at > s->o.max)
		s->dropped = true;
	if (s->dropped || s->container) {
		span__input_take(&s->in, s->name);
		s->at -= s->name;
		s->name = 0;
	}
	return MORE;
}

static int step_name(struct span_splitter *s, struct span_error *err)
{
	size_t n;

	s->at += span__json_scan(&s->scan, s->in.p + s->at, s->in.len - s->at);
	n = s->at - s->name;
	if (n > s->o.max)
		return broken(s, s->name, "a name without an end", err);
	if (s->scan.state == JSON_SCAN_BROKEN)
		return cut_line(s, s->at, err);
	if (s->scan.state != JSON_SCAN_DONE)
		return want_name(s);
	s->key = format_of_list(
		s,
		(struct span_str){(const char *)s->in.p + s->name + 1, n - 2});
	s->member = COLON;
	return AGAIN;
}

/* The member's value begins: go into it when its items are wanted. */
static bool enter_member(struct span_splitter *s)
{
	bool list = s->key && byte(s, s->at) == '[';

	if (!list && !(s->is_result && byte(s, s->at) == '{'))
		return false;
	if (list) {
		s->at++;
		drop(s);
		s->items = s->key;
		s->comma = true;
		push(s, ITEMS);
	} else {
		drop(s);
		push(s, OBJECT);
		s->at = 1;
	}
	s->container = list;
	s->member = KEY;
	return true;
}

static int step_member(struct span_splitter *s, struct span_error *err)
{
	int rc;

	if (s->scan.state == JSON_SCAN_START && enter_member(s))
		return AGAIN;
	s->key = SPAN_FORMAT_AUTO;
	s->is_result = false;
	rc = scan(s, err);
	if (rc < 0)
		return rc;
	if (s->scan.state != JSON_SCAN_DONE)
		return want_more(s);
	s->member = KEY;
	return AGAIN;
}

static int step_object(struct span_splitter *s, struct span_piece *piece,
		       struct span_error *err)
{
	if (s->member != NAME &&
	    (s->member != MEMBER || s->scan.state == JSON_SCAN_START))
		if (!space(s, &s->at))
			return cut_line(s, s->at, err);
	if (s->at == s->in.len)
		return s->member == NAME ? want_name(s) : want_more(s);
	switch (s->member) {
	case KEY:
		return step_key(s, piece, err);
	case NAME:
		return step_name(s, err);
	case COLON:
		if (byte(s, s->at) != ':')
			return broken(s, s->at, "the JSON text is damaged",
				      err);
		s->at++;
		s->member = MEMBER;
		s->scan = (struct span__json_scan){0};
		return AGAIN;
	default:
		return step_member(s, err);
	}
}

/*
 * From the next line on, outside of JSON lines from one that opens a value; in
 * a sequence from the next record on.
 */
static int step_resync(struct span_splitter *s)
{
	const unsigned char *p = s->in.p;
	const unsigned char *end =
		s->in.len ? memchr(p, s->sequence ? 0x1e : '\n', s->in.len)
			  : NULL;

	if (!end) {
		span__input_take(&s->in, s->in.len);
		return MORE;
	}
	if (s->sequence) {
		span__input_take(&s->in, (size_t)(end - p));
		s->resync = false;
		return AGAIN;
	}
	if (!s->lines && end == p + s->in.len - 1) {
		span__input_take(&s->in, s->in.len - 1);
		return MORE;
	}
	span__input_take(&s->in, (size_t)(end - p) + 1);
	s->resync = !s->lines && !opens(end[1]);
	return AGAIN;
}

/* A value begins at the top, or nothing does. */
static int step_top(struct span_splitter *s, struct span_error *err)
{
	size_t at = 0;

	for (; at < s->in.len; at++) {
		unsigned char c = byte(s, at);

		if (c == '\n' && s->after)
			s->lines = !s->sequence;
		/* RFC 7464 has its records begin with 0x1e. */
		if (c == 0x1e) {
			s->sequence = true;
			s->lines = false;
		} else if (c != '\n' && c != ' ' && c != '\t' && c != '\r') {
			break;
		}
	}
	span__input_take(&s->in, at);
	if (!s->in.len)
		return MORE;
	s->content = s->multi = s->newline = s->after = false;
	s->items = SPAN_FORMAT_AUTO;
	s->container = false;
	s->member = KEY;
	s->line = 0;
	if (byte(s, 0) == '[') {
		span__input_take(&s->in, 1);
		s->comma = true;
		push(s, ARRAY);
	} else if (byte(s, 0) == '{') {
		push(s, OBJECT);
		s->at = 1;
	} else {
		return broken(s, 0, "no JSON value begins here", err);
	}
	return AGAIN;
}

static int step(struct span_splitter *s, struct span_piece *piece,
		struct span_error *err)
{
	if (s->resync)
		return step_resync(s);
	if (!s->depth)
		return step_top(s, err);
	switch (s->levels[s->depth - 1]) {
	case OBJECT:
		return step_object(s, piece, err);
	case VALUE:
		return step_value(s, piece, err);
	default:
		return step_list(s, err);
	}
}

static int at_end(struct span_splitter *s, struct span_error *err)
{
	if (s->depth && !s->resync && span__split_again(s, s->at)) {
		s->resync = true;
		s->depth = 0;
		s->at = 0;
		return span_error_at(err, SPAN_E_CORRUPT, s->in.pos, CUT_LINE);
	}
	s->ended = true;
	if (!s->depth || s->resync)
		return 0;
	return span_error_at(err, SPAN_E_TRUNCATED, s->in.pos + s->in.len,
			     "the JSON text is cut short");
}

int span__split_json(struct span_splitter *s, struct span_piece *piece,
		     struct span_error *err)
{
	int rc = AGAIN;

	span__input_take(&s->in, s->given);
	s->given = 0;
	while (rc == AGAIN || rc == MORE) {
		if (rc == MORE) {
			rc = span__input_more(&s->in, err);
			if (rc < 0)
				break;
			if (rc == 0)
				return at_end(s, err);
		}
		rc = step(s, piece, err);
	}
	return rc;
}
