/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_line.h - on which line of a JSON text an object begins
 *
 * cJSON tells no lines, but keeps the order: the K-th object, from 0, is where
 * the K-th brace opens that is in no string.
 */
#ifndef SAMPLE_JSON_LINE_H
#define SAMPLE_JSON_LINE_H

#include <stdbool.h>
#include <stddef.h>

static inline unsigned span__json_line(const char *text, size_t len, unsigned k)
{
	bool in_string = false;
	unsigned line = 1;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		line += c == '\n';
		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (c == '{' && !in_string && !k--)
			break;
	}
	return line;
}

#endif
