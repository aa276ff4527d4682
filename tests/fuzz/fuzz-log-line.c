/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of logs, and answers of Loki: whatever is in them, fields are views of
 * the line or the arena that can be read, and ids are never zero.
 */
#include <span/log.h>
#include <span/text.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static uint8_t last[16];

static void put_id(void *arg, const uint8_t id[16], struct span_str value)
{
	static const uint8_t none[16];

	(void)arg;
	if (!value.len || !memcmp(id, none, 16))
		abort();
	memcpy(last, id, 16);
}

static int put_entry(void *arg, const struct span_log_entry *e,
		     struct span_error *err)
{
	(void)err;
	for (size_t i = 0; i < e->n_labels; i++)
		span_text_json(arg, e->labels[i].value.str);
	span_text_json(arg, e->line);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span_str line = {(const char *)p, len};
	struct span_arena arena = {0};
	struct span_buf b = {0};
	struct span_log log;

	span_log_ids(line, put_id, NULL);
	if (span_log_read(&log, line, last, &arena, NULL) < 0)
		abort();
	for (size_t i = 0; i < log.event.attrs.n; i++) {
		span_text_json(&b, log.event.attrs.v[i].key);
		span_text_value_json(&b, &log.event.attrs.v[i].value);
	}
	if (span_log_loki(line, put_entry, &b, NULL) > 0)
		abort();
	span_buf_release(&b);
	span_arena_release(&arena);
	return 0;
}
