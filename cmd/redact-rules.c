/* SPDX-License-Identifier: Apache-2.0 */
#include "redact-rules.h"

#include <string.h>
#include <unistd.h>

#include "base/banned.h"

#define KEY_LEAST 16u /* bytes of a key file */

static struct {
	struct cmd_list rules, files;
	const char *key_file;
	bool defaults, anonymize;
} opt = {.defaults = true};

const struct cmd_option redact_rules_options[] = {
	{CMD_LIST, 'r', "rule", &opt.rules, "RULE",
	 "what to do with which values, before the default rules", NULL},
	{CMD_LIST, 0, "rules", &opt.files, "FILE",
	 "a file of rules, a line each", NULL},
	{CMD_NOFLAG, 0, "no-default-rules", &opt.defaults, NULL,
	 "only the rules that are given", NULL},
	{CMD_FLAG, 0, "anonymize", &opt.anonymize, NULL,
	 "replace ids, names and values by hashes, and move times", NULL},
	{CMD_STRING, 0, "key-file", &opt.key_file, "FILE",
	 "the secret key of hashes", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

/*
 * The key of hashes out of what the file has, whatever its form: hex digits, a
 * pass phrase, random bytes. An end of line is not part of it.
 */
static int read_key(uint8_t key[SPAN_REDACT_KEY], struct span_error *err)
{
	struct span_buf b = {0};
	int rc = cmd_file_read(opt.key_file, &b, err);

	if (rc < 0)
		goto done;
	while (b.len && (b.p[b.len - 1] == '\n' || b.p[b.len - 1] == '\r'))
		b.len--;
	if (b.len < KEY_LEAST)
		cmd_usage("%s: a key has %u bytes at least, this has %zu",
			  opt.key_file, KEY_LEAST, b.len);
	span_redact_key(b.p, b.len, key);
done:
	span_buf_release(&b);
	return rc;
}

static int add_rule(struct span_redact *r, const char *name, size_t line,
		    struct span_str text, struct span_error *err)
{
	struct span_error why = {0};
	int rc = span_redact_rule(r, text, &why);

	if ((rc == SPAN_E_INVALID || rc == SPAN_E_LIMIT) && line)
		cmd_usage("%s:%zu:%llu: %s", name, line,
			  (unsigned long long)why.pos + 1, why.msg);
	if (rc == SPAN_E_INVALID || rc == SPAN_E_LIMIT)
		cmd_usage("--rule '%s', column %llu: %s", name,
			  (unsigned long long)why.pos + 1, why.msg);
	if (rc < 0)
		*err = why;
	return rc;
}

static int add_file(struct span_redact *r, const char *name,
		    struct span_error *err)
{
	struct span_buf b = {0};
	size_t line = 0;
	int rc = cmd_file_read(name, &b, err);

	for (const char *p = b.p, *end = p + b.len; rc >= 0 && p < end;) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));

		stop = stop ? stop : end;
		rc = add_rule(r, name, ++line,
			      (struct span_str){p, (size_t)(stop - p)}, err);
		p = stop + 1;
	}
	span_buf_release(&b);
	return rc;
}

int redact_rules_open(struct span_redact **out, span_redact_fn *found,
		      void *arg, struct span_error *err)
{
	uint8_t key[SPAN_REDACT_KEY];
	struct span_redact_opts o = {
		.anonymize = opt.anonymize, .found = found, .arg = arg};
	int rc = 0;

	/* Nobody has the key of this run when no file has it. */
	if (opt.key_file)
		rc = read_key(key, err);
	else if (opt.anonymize && getentropy(key, sizeof(key)) < 0)
		rc = span_error_set(err, SPAN_E_IO, "no randomness for a key");
	if (opt.key_file || opt.anonymize)
		o.key = key;
	if (rc >= 0)
		rc = span_redact_open(out, &o, err);
	for (size_t i = 0; i < opt.rules.n && rc >= 0; i++)
		rc = add_rule(*out, opt.rules.v[i], 0, span_str(opt.rules.v[i]),
			      err);
	for (size_t i = 0; i < opt.files.n && rc >= 0; i++)
		rc = add_file(*out, opt.files.v[i], err);
	if (rc >= 0 && opt.defaults)
		rc = span_redact_defaults(*out, err);
	return rc;
}

int redact_rules_show(const struct span_redact *r, int fd,
		      struct span_error *err)
{
	struct span_buf b = {0};
	const char *rule;
	uint64_t n;
	int rc;

	for (size_t i = 0; (rule = span_redact_count(r, i, &n)); i++)
		span_buf_printf(&b, "%s\n", rule);
	rc = b.failed ? span_error_set(err, SPAN_E_NOMEM, "memory is out")
		      : span_write_all(fd, b.p, b.len, err);
	span_buf_release(&b);
	return rc;
}
