/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload-dump - a payload stream as text, for tests: a line for each with
 * time, peer, port, path and content type if any, length, and the start of the
 * data; with -x all of the data in hexadecimal, with -n the number in the first
 * eight bytes.
 */
#include <span/payload.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

#define SHOWN 64u

static void print_text(struct span_str s)
{
	for (size_t i = 0; i < s.len && i < SHOWN; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= 0x20 && c < 0x7f && c != '\\')
			putchar(c);
		else
			printf("\\x%02x", c);
	}
	if (s.len > SHOWN)
		printf("...");
}

static void print_hex(struct span_str s)
{
	for (size_t i = 0; i < s.len; i++)
		printf("%02x", (unsigned char)s.p[i]);
}

static uint64_t number_of(struct span_str s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < 8 && i < s.len; i++)
		n = n << 8 | (unsigned char)s.p[i];
	return n;
}

static void print(const struct span_payload *p, const char *mode)
{
	if (!strcmp(mode, "-n")) {
		printf("%" PRIu64 "\n", number_of(p->data));
		return;
	}
	printf("%" PRIu64 ".%09u %.*s > %u", p->time_ns / 1000000000u,
	       (unsigned)(p->time_ns % 1000000000u), (int)p->peer.len,
	       p->peer.len ? p->peer.p : "", p->port);
	if (p->path.len) {
		printf(" ");
		print_text(p->path);
		printf(" ");
		print_text(p->content_type);
	}
	printf("%s, %zu bytes: ", p->truncated ? ", truncated" : "",
	       p->data.len);
	if (!strcmp(mode, "-x"))
		print_hex(p->data);
	else
		print_text(p->data);
	putchar('\n');
}

int main(int argc, char **argv)
{
	struct span_payload_reader *r = NULL;
	struct span_error err = {0};
	struct span_payload p;
	int rc;

	rc = span_payload_reader_open(&r, STDIN_FILENO, NULL, &err);
	while (rc >= 0 && (rc = span_payload_reader_next(r, &p, &err)) > 0)
		print(&p, argc > 1 ? argv[1] : "");
	span_payload_reader_close(&r);
	if (rc < 0)
		fprintf(stderr, "payload-dump: %s\n", err.msg);
	return rc < 0;
}
