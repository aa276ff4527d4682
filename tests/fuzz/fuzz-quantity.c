/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people, and requests, have for durations, sizes, counts and times: what
 * is refused sets nothing, and a duration is so long before now as a time.
 */
#include <span/quantity.h>

#include <stdlib.h>
#include <string.h>

#define NOW (UINT64_MAX / 2)
#define UNSET 4711u

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static uint64_t check(int rc, uint64_t n, const struct span_error *err)
{
	if (rc && (rc != SPAN_E_INVALID || n != UNSET || !*err->msg))
		abort();
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span_str text = {(const char *)p, len};
	struct span_error err = {0};
	uint64_t n = UNSET, ns = UNSET, t = UNSET;
	int rc;

	check(span_size_parse(text, &n, &err), n, &err);
	n = UNSET;
	check(span_count_parse(text, &n, &err), n, &err);
	n = UNSET;
	check(span_epoch_parse(text, &n, &err), n, &err);
	check(span_time_parse(text, NOW, &t, &err), t, &err);
	rc = span_duration_parse(text, &ns, &err);
	check(rc, ns, &err);
	if (!rc && t != (ns < NOW ? NOW - ns : 0))
		abort();
	return 0;
}
