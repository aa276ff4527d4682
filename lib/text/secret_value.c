/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of names, as in JSON, headers and URLs, in attributes of XML, and of
 * options of commands.
 *
 * A text may be in another one, which is in a third one: each level of JSON
 * writes a backslash before the quotes and backslashes of the one in it, XML
 * writes &quot;.
 */
#include "text/secret_scan.h"

#include <string.h>

#include "base/banned.h"

#define BEHIND_NAME 8u /* blanks and quotes between a name and its sign */
#define BEFORE_VALUE                                                           \
	64u /* and between a name and "value", on a line of its own */
#define SLASHES_MAX 15u /* backslashes before a quote: three levels more */
#define KEY_MAX 128u	/* bytes of a name in quotes */

struct word {
	const char *text;
	uint8_t len;
};
#define WORD(text)                                                             \
	{                                                                      \
		text, sizeof(text) - 1                                         \
	}

/* ---- Names ---- */

/* What a name ends with whose value is a secret; in lower case. */
static const struct word names[] = {
	WORD("password"),   WORD("passwd"),	   WORD("pwd"),
	WORD("passphrase"), WORD("passcode"),	   WORD("secret"),
	WORD("token"),	    WORD("api_key"),	   WORD("api-key"),
	WORD("apikey"),	    WORD("access_key"),	   WORD("access-key"),
	WORD("accesskey"),  WORD("secret_key"),	   WORD("secret-key"),
	WORD("secretkey"),  WORD("private_key"),   WORD("private-key"),
	WORD("privatekey"), WORD("authorization"), WORD("cookie"),
	WORD("credential"), WORD("credentials"),   WORD("sessionid"),
	WORD("session_id"), WORD("session-id"),	   WORD("signature"),
	WORD("auth"),	    WORD("jwt"),	   WORD("ssn"),
	WORD("otp"),
};

/* The letters before the last one, with which they end. */
static bool may_end(char before, char last)
{
	static const char *const befores[256] = {
		['d'] = "rwi", ['e'] = "sdir", ['h'] = "t",
		['l'] = "a",   ['n'] = "eos",  ['p'] = "t",
		['s'] = "l",   ['t'] = "ew",   ['y'] = "e",
	};
	const char *p = befores[(unsigned char)last];

	return p && before && strchr(p, before);
}

bool span__is_secret_name(struct span_str s, size_t end)
{
	char last = span__lower(span__char_before(s, end));

	if (end < 2 || !may_end(span__lower(s.p[end - 2]), last))
		return false;
	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
		size_t n = names[k].len;

		if (names[k].text[n - 1] == last && n <= end &&
		    span__has_word(s, end - n, names[k].text))
			return true;
	}
	return false;
}

/* Does a word that is one of WORDS end before END? */
static bool is_behind(struct span_str s, size_t end, const struct word *words,
		      size_t n_words)
{
	for (size_t k = 0; k < n_words; k++) {
		size_t n = words[k].len;

		if (n <= end && span__has_word(s, end - n, words[k].text) &&
		    !span__is_alnum(span__char_before(s, end - n)))
			return true;
	}
	return false;
}

/* ---- Quotes ---- */

/* What stands for a quote where there can be none. */
static const struct word entities[] = {
	WORD("&quot;"), WORD("&#34;"),	 WORD("&apos;"),
	WORD("&#39;"),	WORD("\\u0022"),
};
#define N_ENTITIES (sizeof(entities) / sizeof(*entities))

/* The one at I, or N_ENTITIES. */
static size_t entity_at(struct span_str s, size_t i)
{
	size_t k = 0;

	if (span__char_at(s, i) != '&' && span__char_at(s, i) != '\\')
		return N_ENTITIES;
	while (k < N_ENTITIES && !span__has_word(s, i, entities[k].text))
		k++;
	return k;
}

/* The bytes of what ends before END and is one. */
static size_t entity_before(struct span_str s, size_t end)
{
	char last = span__char_before(s, end);

	if (last != ';' && last != '2')
		return 0;
	for (size_t k = 0; k < N_ENTITIES; k++)
		if (entities[k].len <= end &&
		    span__has_word(s, end - entities[k].len, entities[k].text))
			return entities[k].len;
	return 0;
}

size_t span__back_over(struct span_str s, size_t i, size_t max,
		       const char *more)
{
	size_t end = i;

	while (end && max--) {
		char c = s.p[end - 1];
		size_t n = 1;

		if (c != ' ' && c != '"' && c != '\'' && c != '\\' &&
		    !(c && strchr(more, c)))
			n = entity_before(s, end);
		if (!n)
			break;
		end -= n;
	}
	return end;
}

/*
 * Where the value ends that begins at I behind QUOTE, before which there were
 * SLASHES backslashes. A quote with more of them is in the value; but where
 * they are twice as many for a backslash that the value ends with, it is not.
 */
static size_t quoted_end(struct span_str s, size_t i, char quote,
			 size_t slashes)
{
	size_t run = 0;

	for (; i < s.len; i++) {
		size_t end = run < slashes ? run : slashes;

		if (s.p[i] == quote && (run - end) / (slashes + 1) % 2 == 0)
			return i - end;
		run = s.p[i] == '\\' ? run + 1 : 0;
	}
	return s.len;
}

static size_t entity_end(struct span_str s, size_t i, const struct word *e)
{
	const char *end =
		i < s.len ? memmem(s.p + i, s.len - i, e->text, e->len) : NULL;

	return end ? (size_t)(end - s.p) : s.len;
}

/* ---- Values ---- */

/* Where the value ends that begins at I, at one of STOPS. */
static size_t end_before(struct span_str s, size_t i, const char *stops)
{
	size_t begin = i;

	while (i < s.len && !(s.p[i] && strchr(stops, s.p[i])))
		i++;
	/* The backslashes are the quote's. */
	if (span__char_at(s, i) == '"')
		while (i > begin && s.p[i - 1] == '\\')
			i--;
	return i;
}

/* Where the value ends that begins at I, without a quote. */
static size_t plain_end(struct span_str s, size_t i)
{
	return end_before(s, i, " \t\r\n&;,)}]\"'<>");
}

/* Where the list or object of JSON ends that begins at I; that of S: none. */
static size_t nested_end(struct span_str s, size_t i)
{
	bool quoted = false;
	size_t depth = 0;

	for (; i < s.len; i++) {
		if (s.p[i] == '\\') {
			i++;
		} else if (s.p[i] == '"') {
			quoted = !quoted;
		} else if (!quoted && (s.p[i] == '[' || s.p[i] == '{')) {
			depth++;
		} else if (!quoted && (s.p[i] == ']' || s.p[i] == '}') &&
			   --depth == 0) {
			return i + 1;
		}
	}
	return s.len;
}

/* Are there more pairs behind the first one, "; name=value" at I? */
static bool is_crumb(struct span_str s, size_t i)
{
	if (span__char_at(s, i) != ';' || span__char_at(s, i + 1) != ' ')
		return false;
	for (i += 2; span__is_alnum(span__char_at(s, i)) ||
		     span__char_at(s, i) == '_' || span__char_at(s, i) == '-' ||
		     span__char_at(s, i) == '.';)
		i++;
	return span__char_at(s, i) == '=';
}

/* Where the parameter ends that is at I, a="b" or a=b; I when none is. */
static size_t parameter_end(struct span_str s, size_t i)
{
	size_t end = i, value;

	while (span__is_alnum(span__char_at(s, end)) ||
	       span__char_at(s, end) == '_' || span__char_at(s, end) == '-')
		end++;
	if (end == i || span__char_at(s, end) != '=')
		return i;
	value = end + 1;
	if (span__char_at(s, value) != '"')
		end = plain_end(s, value);
	else if ((end = quoted_end(s, value + 1, '"', 0)) < s.len)
		end++;
	return end > value ? end : i;
}

/*
 * Credentials, RFC 9110 11.4: where those end that begin with the scheme from I
 * to END, and have parameters, or a token that is no word.
 */
static size_t credentials_end(struct span_str s, size_t i, size_t end)
{
	static const struct word schemes[] = {
		WORD("digest"), WORD("oauth"),	   WORD("hawk"),
		WORD("mac"),	WORD("signature"), WORD("aws4-hmac-sha256"),
	};
	size_t at = end + 1, next;

	if (span__char_at(s, end) != ' ')
		return end;
	if (!is_behind((struct span_str){s.p + i, end - i}, end - i, schemes,
		       sizeof(schemes) / sizeof(*schemes))) {
		next = plain_end(s, at);
		return span__is_no_word(s, at, next - at) ? next : end;
	}
	while ((next = parameter_end(s, at)) > at) {
		end = at = next;
		if (span__char_at(s, at) == ',')
			at++;
		while (span__char_at(s, at) == ' ')
			at++;
	}
	return end;
}

/* The end of a value without a quote, which some headers have more of. */
static size_t header_end(struct span_str s, size_t name_end, size_t i)
{
	static const struct word cookie[] = {WORD("cookie")};
	static const struct word authorization[] = {WORD("authorization")};
	size_t end = plain_end(s, i);

	if (is_behind(s, name_end, cookie, 1))
		while (is_crumb(s, end))
			end = plain_end(s, end + 2);
	else if (is_behind(s, name_end, authorization, 1))
		end = credentials_end(s, i, end);
	return end;
}

/* The value that begins at I, and may be quoted, or have others in it. */
static bool value_at(struct span_str s, size_t name_end, size_t i,
		     size_t *start, size_t *len)
{
	size_t slashes = 0, entity, end;
	char c;

	while (i < s.len && (s.p[i] == ' ' || s.p[i] == '\t'))
		i++;
	entity = entity_at(s, i);
	while (slashes < SLASHES_MAX && span__char_at(s, i + slashes) == '\\')
		slashes++;
	c = span__char_at(s, i + slashes);
	if (entity < N_ENTITIES) {
		i += entities[entity].len;
		end = entity_end(s, i, &entities[entity]);
	} else if (c == '"' || c == '\'') {
		i += slashes + 1;
		end = quoted_end(s, i, c, slashes);
	} else if (!slashes && (c == '[' || c == '{')) {
		end = nested_end(s, i);
	} else {
		end = header_end(s, name_end, i);
	}
	*start = i;
	*len = end > i ? end - i : 0;
	return *len && span__label_at(s, i) != *len;
}

static bool is_name_char(char c)
{
	return span__is_alnum(c) || (c && strchr("_-.:", c));
}

/* In Jaeger's pairs "type":"string", stands between: where what is before it
 * ends, or END. */
static size_t before_type(struct span_str s, size_t end)
{
	static const struct word type[] = {WORD("type")};
	size_t word = end, sign, key;

	while (word && end - word < KEY_MAX && is_name_char(s.p[word - 1]))
		word--;
	sign = span__back_over(s, word, BEHIND_NAME, "");
	if (word == end || sign == word || span__char_before(s, sign) != ':')
		return end;
	key = span__back_over(s, sign - 1, BEHIND_NAME, "");
	if (!is_behind(s, key, type, 1))
		return end;
	return span__back_over(s, key - type->len, BEFORE_VALUE, ",\t\r\n");
}

/*
 * "value" before END may be that of a pair, as in <add key="token" value= and
 * {"name":"token","value":, or of an element, <token value=; HTML has "content"
 * too. Then the name ends at the result; else at END.
 */
static size_t end_of_pair(struct span_str s, size_t end)
{
	static const struct word values[] = {WORD("value"), WORD("content")};
	static const struct word keys[] = {WORD("name"), WORD("key"),
					   WORD("id"), WORD("type")};
	size_t name, sign, at = end;

	for (size_t k = 0; k < 2; k++)
		if (is_behind(s, end, &values[k], 1))
			at = end - values[k].len;
	name = span__back_over(s, at, BEFORE_VALUE, ",\t\r\n");
	if (at == end || name == at)
		return end;
	if (!span__is_secret_name(s, name))
		name = before_type(s, name);
	if (!span__is_secret_name(s, name))
		return end;
	at = name;
	while (at && name - at < KEY_MAX && is_name_char(s.p[at - 1]))
		at--;
	if (span__char_before(s, at) == '<')
		return name;
	sign = span__back_over(s, at, BEHIND_NAME, "");
	if (sign == at || !sign ||
	    (s.p[sign - 1] != '=' && s.p[sign - 1] != ':'))
		return end;
	sign = span__back_over(s, sign - 1, BEHIND_NAME, "");
	return is_behind(s, sign, keys, sizeof(keys) / sizeof(*keys)) ? name
								      : end;
}

/* ---- Options of commands ---- */

/* Is what is from I to END how texts about options go on? */
static bool is_prose(struct span_str s, size_t i, size_t end)
{
	static const struct word words[] = {
		WORD("is"),   WORD("are"),  WORD("was"),    WORD("and"),
		WORD("or"),   WORD("to"),   WORD("for"),    WORD("must"),
		WORD("from"), WORD("with"), WORD("option"), WORD("flag"),
	};

	if (s.p[end - 1] == ',' || s.p[end - 1] == '.')
		end--;
	for (size_t k = 0; k < sizeof(words) / sizeof(*words); k++)
		if (words[k].len == end - i &&
		    span__has_word(s, i, words[k].text))
			return true;
	return false;
}

static size_t over_blanks(struct span_str s, size_t i)
{
	while (span__char_at(s, i) == ' ' || span__char_at(s, i) == '\t')
		i++;
	return i;
}

/*
 * Behind "--token" at I a word is its value, or "--token", the next text of a
 * list; not what usage texts have there: another option, <token>, [token].
 */
static bool option_value(struct span_str s, size_t i, size_t *start,
			 size_t *len)
{
	size_t name = i + 2, at, end;
	char c;

	while (name - i < KEY_MAX && is_name_char(span__char_at(s, name)))
		name++;
	if (!span__is_secret_name(s, name))
		return false;
	at = over_blanks(s, name);
	c = span__char_at(s, name);
	if (c == '"' || c == '\'') {
		at = over_blanks(s, name + 1);
		if (span__char_at(s, at) != ',')
			return false;
		at = over_blanks(s, at + 1);
	} else if (at == name) {
		return false;
	}
	c = span__char_at(s, at);
	if (c == '"' || c == '\'' || c == '\\')
		return value_at(s, name, at, start, len);
	if (!c || strchr("-=:[{<", c))
		return false;
	end = end_before(s, at, " \t\r\n\"'&|;<>");
	*start = at;
	*len = end - at;
	return *len && !is_prose(s, at, end);
}

/* Is "--" before a name at I, where there is a dash? */
static bool is_option(struct span_str s, size_t i)
{
	return span__char_at(s, i + 1) == '-' &&
	       span__char_at(s, i + 2) != '-' &&
	       !is_name_char(span__char_before(s, i));
}

bool span__find_value(struct span_str s, size_t from, size_t *start,
		      size_t *len)
{
	for (size_t i = from; i < s.len; i++) {
		size_t name;

		if (s.p[i] == '-' && is_option(s, i) &&
		    option_value(s, i, start, len))
			return true;
		if (s.p[i] != '=' && s.p[i] != ':')
			continue;
		name = end_of_pair(s, span__back_over(s, i, BEHIND_NAME, ""));
		if (span__is_secret_name(s, name) &&
		    value_at(s, name, i + 1, start, len))
			return true;
	}
	return false;
}
