/* SPDX-License-Identifier: Apache-2.0 */
#include "kill9.h"

#include <endian.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

uint64_t kill9_draw(void)
{
	uint64_t z = run.seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

int kill9_find(uint64_t *doubled, struct span_error *err)
{
	struct span_store *st = NULL;
	struct span_cursor *c = NULL;
	struct span s;
	int rc;

	memset(run.found, 0, sizeof(run.found));
	rc = span_store_open(&st, run.path, NULL, err);
	if (!rc)
		rc = span_store_scan(st, NULL, &c, err);
	while (c && (rc = span_cursor_next(c, &s, err)) > 0) {
		uint64_t id;

		memcpy(&id, s.span_id, 8);
		id = be64toh(id);
		if (id < MAX_IDS)
			*doubled += run.found[id]++ > 0;
	}
	span_cursor_close(&c);
	(void)span_store_close(&st, NULL);
	/* it was killed before there was a store */
	return rc == SPAN_E_NOTFOUND ? 0 : rc;
}

void kill9_read(void)
{
	struct span_error err = {0};
	uint64_t doubled = 0;

	for (;;) {
		if (kill9_find(&doubled, &err) < 0 || doubled) {
			fprintf(stderr, "# reader: %d spans twice, %s\n",
				(int)doubled, err.msg);
			_exit(1);
		}
	}
}

void kill9_maintain(void)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_MAINTAIN};
	const struct span_store_policy p = {.max_bytes = 150u << 10};

	for (;; poll(NULL, 0, (int)(kill9_draw() % 4))) {
		struct span_seal_opts seal = {
			.all = true,
			.max_spans = 200 + kill9_draw() % 3000,
			.codec = kill9_draw() % 2 ? "none" : NULL,
		};
		struct span_error err = {0};
		struct span_store *st = NULL;
		struct span_store_expired gone;
		struct span_sealed done;
		int rc = span_store_open(&st, run.path, &o, &err);

		if (rc == SPAN_E_NOTFOUND)
			continue;
		if (!rc)
			rc = span_store_seal(st, &seal, &done, NULL, NULL,
					     &err);
		if (!rc && run.expires)
			rc = span_store_expire(st, &p, &gone, NULL, NULL, &err);
		(void)span_store_close(&st, NULL);
		if (rc < 0) {
			fprintf(stderr, "# maintainer: %s\n", err.msg);
			_exit(1);
		}
	}
}
