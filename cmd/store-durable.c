/* SPDX-License-Identifier: Apache-2.0 */
/* --sync and --ack-fd of span-store append */
#include "store-durable.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

struct durable_opts durable;
static int ack_fd = -1;

/* "200ms,4M": both are needed, and not zero. */
static int parse_group(const char *text, struct span_store_opts *o,
		       struct span_error *err)
{
	const char *comma = strchr(text, ',');
	char *delay;
	int rc;

	if (!comma)
		return span_error_set(err, SPAN_E_INVALID,
				      "no bytes in --sync=group:%s", text);
	delay = strndup(text, (size_t)(comma - text));
	if (!delay)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	rc = cmd_parse_duration(delay, &o->sync_delay_ns, err);
	free(delay);
	if (!rc)
		rc = cmd_parse_size(comma + 1, &o->sync_bytes, err);
	if (!rc && (!o->sync_delay_ns || !o->sync_bytes))
		o->sync = SPAN_SYNC_EACH;
	return rc;
}

static int parse_sync(struct span_store_opts *o, struct span_error *err)
{
	o->sync = SPAN_SYNC_GROUP;
	if (!durable.sync || !strcmp(durable.sync, "group"))
		return 0;
	if (!strncmp(durable.sync, "group:", 6))
		return parse_group(durable.sync + 6, o, err);
	if (!strcmp(durable.sync, "each"))
		o->sync = SPAN_SYNC_EACH;
	else if (!strcmp(durable.sync, "none"))
		o->sync = SPAN_SYNC_NONE;
	else
		cmd_usage("no such mode: --sync=%s", durable.sync);
	return 0;
}

static void parse_ack_fd(void)
{
	struct span_error err = {0};
	uint64_t n;

	if (!durable.ack_fd)
		return;
	if (cmd_parse_int(durable.ack_fd, &n, &err) < 0 || n > INT32_MAX)
		cmd_usage("not a descriptor: --ack-fd=%s", durable.ack_fd);
	if (fcntl((int)n, F_GETFD) < 0)
		cmd_usage("descriptor %s is not open", durable.ack_fd);
	ack_fd = (int)n;
}

static int acknowledge(void *arg, const struct span_store_ack *a,
		       struct span_error *err)
{
	char line[120];
	int len = snprintf(
		line, sizeof(line), "ack %llu %llu %llu %llu\n",
		(unsigned long long)a->segment, (unsigned long long)a->end,
		(unsigned long long)a->first_seq, (unsigned long long)a->count);
	int rc;

	(void)arg;
	if (ack_fd < 0)
		return 0;
	rc = span_write_all(ack_fd, line, (size_t)len, err);
	if (rc < 0 && rc != SPAN_E_PIPE)
		return span_error_set(err, rc, "cannot write acknowledgements");
	return rc;
}

int durable_parse(struct span_store_opts *o, struct span_error *err)
{
	int rc = parse_sync(o, err);

	parse_ack_fd();
	o->ack = acknowledge;
	return rc;
}
