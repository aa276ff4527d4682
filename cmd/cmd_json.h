/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_json.h - JSON, a value at a time
 *
 * Each value is appended to a buffer, with a comma before it where one is due,
 * and with its name; NULL where it has none, in an array or behind
 * cmd_json_name(). Texts may be any, they are escaped; NAME is one of the
 * program.
 */
#ifndef CMD_JSON_H
#define CMD_JSON_H

#include <span/text.h>

struct cmd_json {
	struct span_buf *b;
	bool more; /* a value stands before the next one */
};

/* Begin with '{' or '['; end with '}' or ']'. */
void cmd_json_open(struct cmd_json *j, const char *name, char open);
void cmd_json_close(struct cmd_json *j, char close);
/* The next value begins a line. */
void cmd_json_line(struct cmd_json *j);

void cmd_json_text(struct cmd_json *j, const char *name, struct span_str s);
void cmd_json_uint(struct cmd_json *j, const char *name, uint64_t n);
/* null where it is not finite. */
void cmd_json_double(struct cmd_json *j, const char *name, double d);
/* RFC 3339 in UTC, with all digits. */
void cmd_json_time(struct cmd_json *j, const char *name, uint64_t ns);
void cmd_json_null(struct cmd_json *j, const char *name);

/* A name from outside, whose value is the next one. */
void cmd_json_name(struct cmd_json *j, struct span_str name);
/* Begin a value that the caller appends to j->b. */
void cmd_json_value(struct cmd_json *j, const char *name);

#endif
