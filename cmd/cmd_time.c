/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, and times with what is around them. */
#include "cmd.h"

#include <string.h>
#include <time.h>

#include "base/banned.h"

#define SECOND 1000000000ull

/* Where "±5m" begins in TEXT, and how long the sign is; or NULL. */
static const char *find_sign(const char *text, size_t *len)
{
	static const char *const signs[] = {"\xc2\xb1", "+-", "+/-"};

	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		const char *at = strstr(text, signs[i]);

		*len = strlen(signs[i]);
		if (at)
			return at;
	}
	return NULL;
}

int cmd_parse_around(const char *text, uint64_t now_ns, uint64_t *since_ns,
		     uint64_t *until_ns, struct span_error *err)
{
	size_t sign_len;
	const char *sign = find_sign(text, &sign_len);
	struct span_str time = {text, sign ? (size_t)(sign - text) : 0};
	uint64_t t, away;
	int rc;

	if (!sign)
		return span_error_set(err, SPAN_E_INVALID,
				      "'%.100s' is no time with its "
				      "surroundings (like 14:30+-5m)",
				      text);
	while (time.len && text[time.len - 1] == ' ')
		time.len--;
	sign += sign_len;
	sign += strspn(sign, " ");
	rc = span_time_parse(time, now_ns, &t, err);
	if (!rc)
		rc = cmd_parse_duration(sign, &away, err);
	if (rc < 0)
		return rc;
	*since_ns = away < t ? t - away : 0;
	if (__builtin_add_overflow(t, away, until_ns))
		*until_ns = UINT64_MAX;
	return 0;
}

static uint64_t read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

uint64_t cmd_now_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t cmd_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}
