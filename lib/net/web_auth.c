/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Basic authentication (RFC 7617) against hashes of passwords that take long
 * on purpose. So that not each request does, what was right once is known by a
 * keyed digest of its header.
 */
#include <crypt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "net/web_server.h"

#include "base/banned.h"

#define KEY_LEN 32u
#define DIGEST_LEN 32u /* of SHA-256 */
#define KNOWN_MAX 64u
#define HEADER_MAX 4096u
#define USERS_MAX 10000u

struct user {
	char *name, *hash;
};

/* A file of them, which is held while a password is looked at. */
struct users {
	unsigned n_holders;
	struct user *v;
	size_t n;
};

struct span__web_auth {
	unsigned char key[KEY_LEN];
	pthread_mutex_t lock; /* of all below, and of n_holders */
	struct users *users;
	unsigned char known[KNOWN_MAX][DIGEST_LEN];
	size_t n_known, next;
};

static bool is_slow_hash(const char *hash)
{
	static const char *const kinds[] = {"$y$",  "$gy$", "$7$", "$2b$",
					    "$2y$", "$2a$", "$6$", "$5$"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strncmp(hash, kinds[i], strlen(kinds[i])))
			return crypt_checksalt(hash) != CRYPT_SALT_INVALID;
	return false;
}

static int add_user(struct users *all, struct span_str line, size_t n,
		    struct span_error *err)
{
	const char *colon = memchr(line.p, ':', line.len);
	struct user *u = &all->v[all->n];
	size_t name;

	if (!colon || colon == line.p)
		return span_error_set(err, SPAN_E_INVALID,
				      "line %zu is not user:hash", n);
	name = (size_t)(colon - line.p);
	u->name = strndup(line.p, name);
	u->hash = strndup(colon + 1, line.len - name - 1);
	all->n++;
	if (!u->name || !u->hash)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	if (!is_slow_hash(u->hash))
		return span_error_set(
			err, SPAN_E_INVALID,
			"line %zu has no hash of yescrypt, bcrypt, scrypt, "
			"SHA-512 or SHA-256 (htpasswd -B makes one)",
			n);
	return 0;
}

static int read_lines(struct users *all, struct span_str text,
		      struct span_error *err)
{
	size_t n = 0;
	int rc = 0;

	while (text.len && rc == 0) {
		const char *end = memchr(text.p, '\n', text.len);
		struct span_str line = text;

		if (end)
			line.len = (size_t)(end - text.p);
		text.p += line.len + (end != NULL);
		text.len -= line.len + (end != NULL);
		if (line.len && line.p[line.len - 1] == '\r')
			line.len--;
		n++;
		if (!line.len || *line.p == '#')
			continue;
		if (all->n == USERS_MAX)
			return span_error_set(err, SPAN_E_INVALID,
					      "more than %u users", USERS_MAX);
		rc = add_user(all, line, n, err);
	}
	if (rc == 0 && !all->n)
		return span_error_set(err, SPAN_E_INVALID, "no user in it");
	return rc;
}

static size_t count_lines(struct span_str text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.len; i++)
		n += text.p[i] == '\n';
	return n < USERS_MAX ? n : USERS_MAX;
}

/* One holder fewer; locked, or when nobody else has it. */
static void let_go(struct users *all)
{
	if (!all || --all->n_holders)
		return;
	for (size_t i = 0; i < all->n; i++) {
		free(all->v[i].name);
		free(all->v[i].hash);
	}
	free(all->v);
	free(all);
}

static int read_users(struct users **out, struct span_str text,
		      struct span_error *err)
{
	struct users *all = calloc(1, sizeof(*all));
	int rc;

	*out = NULL;
	if (!all)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	all->n_holders = 1;
	all->v = calloc(count_lines(text), sizeof(*all->v));
	rc = all->v ? read_lines(all, text, err)
		    : span_error_set(err, SPAN_E_NOMEM, "out of memory");
	if (rc < 0)
		let_go(all);
	else
		*out = all;
	return rc;
}

int span__web_auth_open(struct span__web_auth **out, struct span_str text,
			struct span_error *err)
{
	struct span__web_auth *a = calloc(1, sizeof(*a));
	int rc;

	*out = a;
	if (!a)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	pthread_mutex_init(&a->lock, NULL);
	if (gnutls_rnd(GNUTLS_RND_KEY, a->key, sizeof(a->key)) < 0)
		rc = span_error_set(err, SPAN_E_IO, "no random numbers");
	else
		rc = read_users(&a->users, text, err);
	if (rc < 0)
		span__web_auth_close(out);
	return rc;
}

int span__web_auth_replace(struct span__web_auth *a, struct span_str text,
			   struct span_error *err)
{
	struct users *all, *old;
	int rc = read_users(&all, text, err);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&a->lock);
	old = a->users;
	a->users = all;
	a->n_known = a->next = 0;
	let_go(old);
	pthread_mutex_unlock(&a->lock);
	return 0;
}

void span__web_auth_close(struct span__web_auth **out)
{
	struct span__web_auth *a = *out;

	if (!a)
		return;
	let_go(a->users);
	pthread_mutex_destroy(&a->lock);
	explicit_bzero(a, sizeof(*a));
	free(a);
	*out = NULL;
}

static bool digest_of(const struct span__web_auth *a, const char *header,
		      unsigned char *digest)
{
	return gnutls_hmac_fast(GNUTLS_MAC_SHA256, a->key, sizeof(a->key),
				header, strlen(header), digest) == 0;
}

static bool is_known(struct span__web_auth *a, const unsigned char *digest)
{
	bool found = false;

	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->n_known; i++)
		found |= !gnutls_memcmp(a->known[i], digest, DIGEST_LEN);
	pthread_mutex_unlock(&a->lock);
	return found;
}

/* That it is right by USERS, unless others have taken their place. */
static void remember(struct span__web_auth *a, const struct users *users,
		     const unsigned char *digest)
{
	pthread_mutex_lock(&a->lock);
	if (a->users == users) {
		memcpy(a->known[a->next], digest, DIGEST_LEN);
		a->next = (a->next + 1) % KNOWN_MAX;
		if (a->n_known < KNOWN_MAX)
			a->n_known++;
	}
	pthread_mutex_unlock(&a->lock);
}

enum span__web_auth_state span__web_auth_known(struct span__web_auth *a,
					       const char *header)
{
	unsigned char digest[DIGEST_LEN];

	if (!header || strlen(header) > HEADER_MAX ||
	    strncasecmp(header, "Basic ", 6) != 0 ||
	    !digest_of(a, header, digest))
		return SPAN__AUTH_NO;
	return is_known(a, digest) ? SPAN__AUTH_YES : SPAN__AUTH_ASK;
}

/*
 * Nobody can tell by the time it takes which users there are: whoever is not
 * there takes that of one who is, by a key that nobody knows, and of the same
 * one each time. One hash for all of them would tell those from it whose own
 * takes another time.
 */
static const char *stand_in(const struct span__web_auth *a,
			    const struct users *all, const char *name)
{
	unsigned char digest[DIGEST_LEN];
	uint64_t n = 0;

	if (digest_of(a, name, digest))
		memcpy(&n, digest, sizeof(n));
	return all->v[n % all->n].hash;
}

static bool check_password(const struct span__web_auth *a,
			   const struct users *all, const char *name,
			   const char *password)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *hash = stand_in(a, all, name), *got;
	bool is_there = false, good;

	for (size_t i = 0; i < all->n && !is_there; i++) {
		is_there = !strcmp(all->v[i].name, name);
		if (is_there)
			hash = all->v[i].hash;
	}
	got = data ? crypt_r(password, hash, data) : NULL;
	good = got && strlen(got) == strlen(hash) &&
	       !gnutls_memcmp(got, hash, strlen(hash));
	if (data)
		explicit_bzero(data, sizeof(*data));
	free(data);
	return good && is_there;
}

/* The same with what is remembered of it. */
static bool check_pair(struct span__web_auth *a, const char *header,
		       const char *name, const char *password)
{
	unsigned char digest[DIGEST_LEN];
	struct users *all;
	bool good;

	pthread_mutex_lock(&a->lock);
	all = a->users;
	all->n_holders++;
	pthread_mutex_unlock(&a->lock);
	good = check_password(a, all, name, password);
	if (good && digest_of(a, header, digest))
		remember(a, all, digest);
	pthread_mutex_lock(&a->lock);
	let_go(all);
	pthread_mutex_unlock(&a->lock);
	return good;
}

bool span__web_auth_check(struct span__web_auth *a, const char *header)
{
	const char *text = header + strlen("Basic ");
	gnutls_datum_t in, out = {0};
	char *pair, *colon;
	bool good = false;

	text += strspn(text, " ");
	in = (gnutls_datum_t){(unsigned char *)(uintptr_t)text,
			      (unsigned)strlen(text)};
	if (!in.size || gnutls_base64_decode2(&in, &out) < 0)
		return false;
	pair = strndup((const char *)out.data, out.size);
	colon = pair ? strchr(pair, ':') : NULL;
	/* A zero byte would end the password before its end. */
	if (colon && strlen(pair) == out.size) {
		*colon = '\0';
		good = check_pair(a, header, pair, colon + 1);
	}
	/* Not longer than strndup() has made it: bytes may be zero. */
	if (pair)
		explicit_bzero(pair, strnlen((const char *)out.data, out.size));
	free(pair);
	explicit_bzero(out.data, out.size);
	gnutls_free(out.data);
	return good;
}
