/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dec.h"

#include "base/banned.h"

/* Pass over one value; returns how many values it announces. */
static uint64_t skip_one(struct dec *d)
{
	/* bytes behind the heads 0xc0 to 0xdf; 255: see the switch */
	static const unsigned char fixed[32] = {
		0, 255, 0,  0,	 255, 255, 255, 255, 255, 255, 4,
		8, 1,	2,  4,	 8,   1,   2,	4,   8,	  2,   3,
		5, 9,	17, 255, 255, 255, 255, 255, 255, 255,
	};
	unsigned head = dec_peek(d);
	size_t len;

	if (head < 0x80 || head >= 0xe0) {
		d->p++;
		return 0;
	}
	if (head < 0x90)
		return 2 * (uint64_t)dec_map(d);
	if (head < 0xa0)
		return dec_array(d);
	if (head >= 0xc0 && fixed[head - 0xc0] != 255) {
		dec_take(d, 1u + fixed[head - 0xc0]);
		return 0;
	}
	switch (head) {
	case 0xc4:
	case 0xc5:
	case 0xc6:
		len = dec_bin_len(d);
		dec_take(d, len);
		return 0;
	case 0xc7:
	case 0xc8:
	case 0xc9:
		d->p++;
		len = dec_be(d, (size_t)1 << (head - 0xc7));
		dec_take(d, len + 1);
		return 0;
	case 0xdc:
	case 0xdd:
		return dec_array(d);
	case 0xde:
	case 0xdf:
		return 2 * (uint64_t)dec_map(d);
	case 0xc1:
		if (!dec_left(d))
			dec_take(d, 1);
		else
			dec_fail(d, SPAN_E_CORRUPT, "no msgpack value");
		return 0;
	default:
		len = dec_str_len(d);
		dec_take(d, len);
		return 0;
	}
}

int span__dec_measure(struct dec_measure *m, const void *p, size_t len)
{
	struct dec d = dec_init(p, len);

	if (!m->begun) {
		m->begun = true;
		m->todo = 1;
	}
	d.p += m->pos;
	while (m->todo) {
		const unsigned char *at = d.p;
		uint64_t more = skip_one(&d);

		if (d.err == SPAN_E_TRUNCATED)
			return 0;
		if (d.err)
			return d.err;
		m->todo += more - 1;
		m->pos += (size_t)(d.p - at);
	}
	return 1;
}

void span__dec_skip(struct dec *d)
{
	struct dec_measure m = {0};
	int rc = span__dec_measure(&m, d->p, dec_left(d));

	if (rc == 1)
		d->p += m.pos;
	else if (rc == 0)
		dec_fail(d, SPAN_E_TRUNCATED, "it ends inside a value");
	else
		dec_fail(d, rc, "no msgpack value");
}
