/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of redaction, as they are written: ACTION [PLACE:]KEY [WHAT]. */
#include "query/redact.h"

#include <string.h>

#include "base/banned.h"

static const char *const actions[] = {
	[REDACT_KEEP] = "keep", [REDACT_DROP] = "drop",
	[REDACT_MASK] = "mask", [REDACT_TRUNCATE] = "truncate",
	[REDACT_HASH] = "hash", [REDACT_TEMPLATE] = "template",
};
#define N_ACTIONS (sizeof(actions) / sizeof(*actions))

static const char *const places[] = {"span", "process", "event",
				     "link", "scope",	"field"};
#define N_PLACES (sizeof(places) / sizeof(*places))

/* What is left of a rule. */
struct line {
	struct span_str text;
	size_t at;
};

const char *span__redact_place_name(enum span__redact_place place)
{
	size_t i = 0;

	while (i + 1 < N_PLACES && (unsigned)place != 1u << i)
		i++;
	return places[i];
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

/* The next word; empty at the end. */
static struct span_str next_word(struct line *l)
{
	struct span_str word;

	while (l->at < l->text.len && is_space(l->text.p[l->at]))
		l->at++;
	word.p = l->text.p + l->at;
	while (l->at < l->text.len && !is_space(l->text.p[l->at]))
		l->at++;
	word.len = (size_t)(l->text.p + l->at - word.p);
	return word;
}

static int bad(const struct line *l, struct span_str word, const char *why,
	       struct span_error *err)
{
	return span_error_at(err, SPAN_E_INVALID, (size_t)(word.p - l->text.p),
			     "%s", why);
}

static int parse_length(const struct line *l, struct span_str text, size_t *n,
			struct span_error *err)
{
	*n = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || *n > SPAN_MAX_STRING)
			return bad(l, text, "a number of bytes is wanted", err);
		*n = 10 * *n + (size_t)(text.p[i] - '0');
	}
	return text.len ? 0 : bad(l, text, "truncate needs =BYTES", err);
}

/* What mask=, template= and truncate= have; P NULL: none. */
static int parse_value(struct span__redact_rule *rule, const struct line *l,
		       struct span_str value, struct span_arena *arena,
		       struct span_error *err)
{
	size_t pos = 0;

	rule->hashes = rule->action == REDACT_HASH;
	if (rule->action == REDACT_TRUNCATE)
		return parse_length(l, value, &rule->keep, err);
	if (value.len && rule->action != REDACT_MASK &&
	    rule->action != REDACT_TEMPLATE)
		return bad(l, value, "this action takes no value", err);
	if (!value.len && rule->action == REDACT_TEMPLATE)
		return bad(l, value, "template needs =TEXT", err);
	if (rule->action == REDACT_TEMPLATE &&
	    span__redact_template_check(value, &rule->hashes, &pos) < 0) {
		value.p += pos;
		return bad(l, value,
			   "{hash}, {kind}, {length}, {first:N} or {last:N} "
			   "is wanted, {{ for a brace",
			   err);
	}
	if (!span_arena_str(arena, value, &rule->mask))
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return 0;
}

/* "mask", "mask=TEXT", "truncate=N" ... */
static int parse_action(struct span__redact_rule *rule, const struct line *l,
			struct span_str word, struct span_arena *arena,
			struct span_error *err)
{
	const char *equals = memchr(word.p, '=', word.len);
	struct span_str name = {word.p,
				equals ? (size_t)(equals - word.p) : word.len};
	struct span_str value = {name.p + name.len, 0};
	size_t i = 0;

	if (equals)
		value = (struct span_str){equals + 1, word.len - name.len - 1};
	while (i < N_ACTIONS && !span_str_equal(name, span_str(actions[i])))
		i++;
	if (i == N_ACTIONS)
		return bad(l, word,
			   "an action is wanted: keep, drop, mask, hash, "
			   "truncate=BYTES, template=TEXT",
			   err);
	rule->action = (enum span__redact_action)i;
	if (equals && !value.len)
		return bad(l, value, "a text is wanted behind =", err);
	return parse_value(rule, l, value, arena, err);
}

/* Is there a field of that name? One that is mistyped would show a secret. */
static int check_field(const struct span__redact_rule *rule,
		       const struct line *l, struct span_str word,
		       struct span_error *err)
{
	static const char *const fields[] = {"name",  "status", "service",
					     "event", "scope",	"version",
					     "state", "schema", "key"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (span__glob(rule->key, span_str(fields[i])))
			return 0;
	return bad(l, word,
		   "a field is name, status, service, event, scope, version, "
		   "state, schema or key",
		   err);
}

/* "KEY" or "PLACE:KEY"; "*" alone is every text there is. */
static int parse_key(struct span__redact_rule *rule, const struct line *l,
		     struct span_str word, struct span_arena *arena,
		     struct span_error *err)
{
	const char *colon = memchr(word.p, ':', word.len);
	char *key;

	if (!word.len)
		return bad(l, word, "a key is wanted, * for all", err);
	rule->places = span_str_equal(word, SPAN_STR("*")) ? REDACT_ALL
							   : REDACT_ATTRIBUTES;
	for (size_t i = 0; colon && i < N_PLACES; i++) {
		struct span_str name = {word.p, (size_t)(colon - word.p)};

		if (!span_str_equal(name, span_str(places[i])))
			continue;
		rule->places = 1u << i;
		word.p = colon + 1;
		word.len -= name.len + 1;
	}
	if (!word.len)
		return bad(l, word, "a key is wanted behind the colon", err);
	key = span_arena_alloc(arena, word.len);
	if (!key)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	for (size_t i = 0; i < word.len; i++)
		key[i] = lower(word.p[i]);
	rule->key = (struct span_str){key, word.len};
	return rule->places == REDACT_FIELD ? check_field(rule, l, word, err)
					    : 0;
}

/* Nothing, "@DETECTOR", or "~REGEX" up to the end of the line. */
static int parse_what(struct span__redact_rule *rule, struct line *l,
		      struct span_error *err)
{
	struct span_error why = {0};
	struct span_str word = next_word(l);
	int rc;

	rule->secret = -1;
	if (!word.len)
		return 0;
	if (word.p[0] == '~') {
		struct span_str pattern = {
			word.p + 1,
			(size_t)(l->text.p + l->text.len - word.p) - 1};

		rc = span__regex_open(&rule->regex, pattern, &why);
		l->at = l->text.len;
		return rc < 0 ? span_error_at(err, rc,
					      (size_t)(pattern.p - l->text.p) +
						      why.pos,
					      "%s", why.msg)
			      : 0;
	}
	rule->secret = word.p[0] == '@' ? span__secret_parse((struct span_str){
						  word.p + 1, word.len - 1})
					: -1;
	if (rule->secret < 0)
		return bad(l, word,
			   "~REGEX or one of @card @email @ip @token @secret "
			   "@xml @sql @query @digits is wanted",
			   err);
	word = next_word(l);
	return word.len ? bad(l, word, "nothing is wanted here", err) : 0;
}

int span__redact_parse(struct span__redact_rule *rule, struct span_str text,
		       struct span_arena *arena, struct span_error *err)
{
	struct line l = {text, 0};
	struct span_str word;
	char *whole;
	int rc;

	*rule = (struct span__redact_rule){.secret = -1};
	if (text.len > SPAN_REDACT_LINE)
		return span_error_at(err, SPAN_E_LIMIT, SPAN_REDACT_LINE,
				     "a rule above %u bytes", SPAN_REDACT_LINE);
	while (l.text.len && is_space(text.p[l.text.len - 1]))
		l.text.len--;
	word = next_word(&l);
	if (!word.len || word.p[0] == '#')
		return 0;
	whole = span_arena_alloc(arena, l.text.len + 1);
	if (!whole)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	memcpy(whole, text.p, l.text.len);
	whole[l.text.len] = '\0';
	rule->text = whole;
	rc = parse_action(rule, &l, word, arena, err);
	if (!rc)
		rc = parse_key(rule, &l, next_word(&l), arena, err);
	if (!rc)
		rc = parse_what(rule, &l, err);
	return rc < 0 ? rc : 1;
}

static bool is_literal(struct span_str s)
{
	return !span__glob_is(s) && !memchr(s.p, '\\', s.len);
}

/* Most globs are *word or *word*, and a key may have 64 KiB. */
static bool fits(struct span_str glob, struct span_str key)
{
	struct span_str word = {glob.p + 1, glob.len - 1};

	if (glob.len < 3 || *glob.p != '*')
		return span__glob(glob, key);
	if (is_literal(word))
		return key.len >= word.len &&
		       !memcmp(key.p + key.len - word.len, word.p, word.len);
	word.len--;
	if (word.p[word.len] == '*' && is_literal(word))
		return key.len >= word.len &&
		       memmem(key.p, key.len, word.p, word.len);
	return span__glob(glob, key);
}

bool span__redact_looks(const struct span__redact_rule *rule,
			enum span__redact_place place, struct span_str key)
{
	return rule->places & (unsigned)place &&
	       (span_str_equal(rule->key, SPAN_STR("*")) ||
		fits(rule->key, key));
}

void span__redact_rule_release(struct span__redact_rule *rule)
{
	span__regex_close(&rule->regex);
}
