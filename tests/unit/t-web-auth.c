/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may ask, and what can be told of it by a clock.
 */
#include <crypt.h>
#include <time.h>

#include <gnutls/gnutls.h>

#include "net/web_server.h"
#include "tap.h"

#include "base/banned.h"

#define NAMES 24

/* The Authorization header of NAME and PASSWORD. */
static char *header_of(const char *name, const char *password)
{
	gnutls_datum_t in, out = {0};
	struct span_buf b = {0};

	span_buf_printf(&b, "%s:%s", name, password);
	in = (gnutls_datum_t){(unsigned char *)b.p, (unsigned)b.len};
	if (gnutls_base64_encode2(&in, &out) < 0)
		exit(1);
	b.len = 0;
	span_buf_printf(&b, "Basic %.*s", (int)out.size, out.data);
	span_buf_putc(&b, '\0');
	gnutls_free(out.data);
	return b.p;
}

static bool check(struct span__web_auth *a, const char *name,
		  const char *password)
{
	char *header = header_of(name, password);
	bool good = span__web_auth_check(a, header);

	free(header);
	return good;
}

static enum span__web_auth_state known(struct span__web_auth *a,
				       const char *name, const char *password)
{
	char *header = header_of(name, password);
	enum span__web_auth_state state = span__web_auth_known(a, header);

	free(header);
	return state;
}

static void put_user(struct span_buf *b, const char *name, const char *password,
		     const char *setting)
{
	struct crypt_data data = {0};

	span_buf_printf(b, "%s:%s\n", name, crypt_r(password, setting, &data));
}

static struct span_str text_of(const struct span_buf *b)
{
	return (struct span_str){b->p, b->len};
}

/* Microseconds that a wrong password of NAME takes. */
static uint64_t time_of(struct span__web_auth *a, const char *name)
{
	struct timespec from, to;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	if (check(a, name, "wrong"))
		exit(1);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	return (uint64_t)((to.tv_sec - from.tv_sec) * 1000000 +
			  (to.tv_nsec - from.tv_nsec) / 1000);
}

/*
 * One of two users has a hash that takes a hundred times as long. Those who are
 * not there are as one or as the other, and always as the same.
 */
static void test_time(void)
{
	struct span__web_auth *a;
	struct span_buf b = {0};
	uint64_t quick, slow, middle;
	int n_slow = 0, n_same = 0;

	put_user(&b, "ann", "secret", "$5$rounds=1000$abcdefgh");
	put_user(&b, "bob", "secret", "$5$rounds=100000$abcdefgh");
	is_int(span__web_auth_open(&a, text_of(&b), NULL), 0, "two users");
	quick = time_of(a, "ann");
	slow = time_of(a, "bob");
	middle = (quick + slow) / 2;
	ok(slow > 8 * quick, "one takes long");
	for (int i = 0; i < NAMES; i++) {
		char name[16];
		bool first;

		snprintf(name, sizeof(name), "nobody%d", i);
		first = time_of(a, name) > middle;
		n_slow += first;
		n_same += first == (time_of(a, name) > middle);
	}
	ok(n_slow > 0 && n_slow < NAMES, "some who are not there, too");
	is_int(n_same, NAMES, "the same ones each time");
	span__web_auth_close(&a);
	span_buf_release(&b);
}

static void test_replace(void)
{
	struct span__web_auth *a;
	struct span_buf b = {0};
	struct span_error err = {0};

	put_user(&b, "ann", "secret", "$5$rounds=1000$abcdefgh");
	is_int(span__web_auth_open(&a, text_of(&b), NULL), 0, "a user");
	is_int(known(a, "ann", "secret"), SPAN__AUTH_ASK, "not known yet");
	ok(check(a, "ann", "secret"), "the right password");
	is_int(known(a, "ann", "secret"), SPAN__AUTH_YES, "known now");
	b.len = 0;
	put_user(&b, "ann", "changed", "$5$rounds=1000$abcdefgh");
	is_int(span__web_auth_replace(a, text_of(&b), NULL), 0, "another one");
	is_int(known(a, "ann", "secret"), SPAN__AUTH_ASK, "known no more");
	ok(!check(a, "ann", "secret"), "nor right");
	ok(check(a, "ann", "changed"), "but the other one is");
	is_int(span__web_auth_replace(a, SPAN_STR("ann:plain"), &err),
	       SPAN_E_INVALID, "a bad file is refused");
	is_int(known(a, "ann", "changed"), SPAN__AUTH_YES,
	       "and changes nothing");
	ok(check(a, "ann", "changed"), "of who may");
	span__web_auth_close(&a);
	span_buf_release(&b);
}

/* What is behind a zero byte is longer than what is before it. */
static void test_zero_byte(void)
{
	unsigned char pair[2048] = "ann";
	gnutls_datum_t in = {pair, sizeof(pair)}, out = {0};
	struct span__web_auth *a;
	struct span_buf b = {0}, header = {0};
	int n_good = 0;

	put_user(&b, "ann", "secret", "$5$rounds=1000$abcdefgh");
	is_int(span__web_auth_open(&a, text_of(&b), NULL), 0, "a user");
	if (gnutls_base64_encode2(&in, &out) < 0)
		exit(1);
	span_buf_printf(&header, "Basic %.*s", (int)out.size, out.data);
	span_buf_putc(&header, 0);
	gnutls_free(out.data);
	for (int i = 0; i < 8; i++)
		n_good += span__web_auth_check(a, header.p);
	is_int(n_good, 0, "a pair with zero bytes");
	span__web_auth_close(&a);
	span_buf_release(&header);
	span_buf_release(&b);
}

int main(void)
{
	test_zero_byte();
	test_time();
	test_replace();
	return done_testing();
}
