/* SPDX-License-Identifier: Apache-2.0 */
#include "net/send_reply.h"

#include <span/text.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/pb.h"

#include "base/banned.h"

#define JSON_MAX 65536u
#define DELAY_MAX_S 86400
#define SECOND_NS 1000000000ull
#define RETRY_INFO "/google.rpc.RetryInfo"

/* Copied as terminated text, cut at a character. */
static void copy_text(struct span_str s, char out[SPAN__REPLY_TEXT])
{
	size_t len = span_text_cut(s, SPAN__REPLY_TEXT - 1);

	for (size_t i = 0; i < len; i++)
		out[i] = s.p[i] ? s.p[i] : ' ';
	out[len] = '\0';
}

void span__grpc_head(unsigned char head[SPAN__GRPC_HEAD], bool compressed,
		     size_t len)
{
	head[0] = compressed;
	for (unsigned i = 0; i < 4; i++)
		head[1 + i] = (unsigned char)(len >> (24 - 8 * i));
}

/* The finest unit in which it has eight digits; at most as many hours. */
void span__grpc_put_timeout(uint64_t ns, char out[SPAN__GRPC_TIMEOUT])
{
	static const struct {
		char name;
		uint64_t ns;
	} units[] = {{'n', 1},
		     {'u', 1000},
		     {'m', 1000000},
		     {'S', SECOND_NS},
		     {'M', 60 * SECOND_NS},
		     {'H', 3600 * SECOND_NS}};
	size_t i = 0;

	while (ns / units[i].ns > 99999999 && units[i].name != 'H')
		i++;
	snprintf(out, SPAN__GRPC_TIMEOUT, "%llu%c",
		 (unsigned long long)(ns / units[i].ns % 100000000),
		 units[i].name);
}

struct span_str span__grpc_body(struct span_str response)
{
	const unsigned char *p = (const unsigned char *)response.p;
	struct span_str none = {NULL, 0};
	uint64_t len = 0;

	if (response.len < SPAN__GRPC_HEAD || p[0])
		return none;
	for (unsigned i = 1; i < SPAN__GRPC_HEAD; i++)
		len = len << 8 | p[i];
	if (len > response.len - SPAN__GRPC_HEAD)
		return none;
	return (struct span_str){response.p + SPAN__GRPC_HEAD, (size_t)len};
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void span__grpc_message(struct span_str value, char out[SPAN__REPLY_TEXT])
{
	char text[4 * SPAN__REPLY_TEXT];
	size_t n = 0;

	for (size_t i = 0; i < value.len && n < sizeof(text); i++) {
		char c = value.p[i];

		if (c == '%' && value.len - i > 2 &&
		    hex_digit(value.p[i + 1]) >= 0 &&
		    hex_digit(value.p[i + 2]) >= 0) {
			c = (char)(hex_digit(value.p[i + 1]) << 4 |
				   hex_digit(value.p[i + 2]));
			i += 2;
		}
		text[n++] = c;
	}
	copy_text((struct span_str){text, n}, out);
}

/* google.protobuf.Duration */
static uint64_t read_duration(struct span_str in)
{
	int64_t seconds = 0, nanos = 0;
	struct span__pb_field f;

	while (span__pb_next(&in, &f) > 0) {
		if (f.wire == SPAN__PB_VARINT && f.id == 1)
			seconds = (int64_t)f.number;
		else if (f.wire == SPAN__PB_VARINT && f.id == 2)
			nanos = (int64_t)f.number;
	}
	if (seconds < 0 || nanos < 0)
		return 0;
	if (seconds >= DELAY_MAX_S)
		return DELAY_MAX_S * SECOND_NS;
	if (nanos > 999999999)
		nanos = 999999999;
	return (uint64_t)seconds * SECOND_NS + (uint64_t)nanos;
}

static bool ends_with(struct span_str s, const char *tail)
{
	size_t len = strlen(tail);

	return s.len >= len && !memcmp(s.p + s.len - len, tail, len);
}

uint64_t span__grpc_retry_delay(struct span_str value)
{
	char bytes[SPAN_BASE64_ROOM(SPAN__GRPC_DETAILS)];
	struct span_str in = {bytes, 0};
	struct span_str type, info, delay;
	struct span__pb_field f;

	if (value.len > SPAN__GRPC_DETAILS ||
	    !span_text_from_base64(value, bytes, &in.len))
		return UINT64_MAX;
	while (span__pb_next(&in, &f) > 0) {
		if (f.id != 3 || f.wire != SPAN__PB_LEN ||
		    !span__pb_find(f.bytes, 1, &type) ||
		    !ends_with(type, RETRY_INFO))
			continue;
		/* A delay of zero is not written at all. */
		if (!span__pb_find(f.bytes, 2, &info) ||
		    !span__pb_find(info, 1, &delay))
			return 0;
		return read_duration(delay);
	}
	return UINT64_MAX;
}

static void partial_of_proto(struct span_str body, struct span__partial *out)
{
	struct span_str in;
	struct span__pb_field f;

	if (!span__pb_find(body, 1, &in))
		return;
	while (span__pb_next(&in, &f) > 0) {
		if (f.id == 1 && f.wire == SPAN__PB_VARINT)
			out->rejected = (int64_t)f.number;
		else if (f.id == 2 && f.wire == SPAN__PB_LEN)
			copy_text(f.bytes, out->text);
	}
}

/* An int64 of protobuf is a string in JSON, which readers need not expect. */
static int64_t json_int(const cJSON *item)
{
	const char *text = cJSON_GetStringValue(item);

	if (text)
		return strtoll(text, NULL, 10);
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) ||
	    item->valuedouble > 1e15)
		return 0;
	return (int64_t)item->valuedouble;
}

static void partial_of_json(struct span_str body, struct span__partial *out)
{
	cJSON *root = body.len && body.len <= JSON_MAX
			      ? cJSON_ParseWithLength(body.p, body.len)
			      : NULL;
	const cJSON *partial =
		cJSON_GetObjectItemCaseSensitive(root, "partialSuccess");
	const char *text;

	out->rejected = json_int(
		cJSON_GetObjectItemCaseSensitive(partial, "rejectedSpans"));
	text = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(partial, "errorMessage"));
	if (text)
		copy_text(span_str(text), out->text);
	cJSON_Delete(root);
}

static bool has_word(struct span_str type, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i + len <= type.len; i++)
		if (!strncasecmp(type.p + i, word, len))
			return true;
	return false;
}

void span__otlp_partial(struct span_str type, struct span_str body,
			struct span__partial *out)
{
	*out = (struct span__partial){0};
	if (has_word(type, "json"))
		partial_of_json(body, out);
	else
		partial_of_proto(body, out);
}

void span__http_message(struct span_str type, struct span_str body,
			char out[SPAN__REPLY_TEXT])
{
	struct span_str text = {NULL, 0};
	const char *end;

	if (has_word(type, "protobuf"))
		(void)span__pb_find(body, 2, &text);
	else if (!type.len || has_word(type, "text/plain") ||
		 has_word(type, "json"))
		text = body;
	while (text.len && (unsigned char)*text.p <= ' ') {
		text.p++;
		text.len--;
	}
	end = text.len ? memchr(text.p, '\n', text.len) : NULL;
	if (end)
		text.len = (size_t)(end - text.p);
	while (text.len && (unsigned char)text.p[text.len - 1] <= ' ')
		text.len--;
	copy_text(text, out);
}
