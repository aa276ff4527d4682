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

struct span__web_auth {
	unsigned char key[KEY_LEN];
	struct user *users;
	size_t n_users;
	pthread_mutex_t lock; /* of all below */
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

static int add_user(struct span__web_auth *a, struct span_str line, size_t n,
		    struct span_error *err)
{
	const char *colon = memchr(line.p, ':', line.len);
	struct user *u = &a->users[a->n_users];
	size_t name;

	if (!colon || colon == line.p)
		return span_error_set(err, SPAN_E_INVALID,
				      "line %zu is not user:hash", n);
	name = (size_t)(colon - line.p);
	u->name = strndup(line.p, name);
	u->hash = strndup(colon + 1, line.len - name - 1);
	a->n_users++;
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

static int read_users(struct span__web_auth *a, struct span_str text,
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
		if (a->n_users == USERS_MAX)
			return span_error_set(err, SPAN_E_INVALID,
					      "more than %u users", USERS_MAX);
		rc = add_user(a, line, n, err);
	}
	if (rc == 0 && !a->n_users)
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

int span__web_auth_open(struct span__web_auth **out, struct span_str text,
			struct span_error *err)
{
	struct span__web_auth *a = calloc(1, sizeof(*a));
	int rc;

	*out = a;
	if (!a)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	pthread_mutex_init(&a->lock, NULL);
	a->users = calloc(count_lines(text), sizeof(*a->users));
	if (!a->users)
		rc = span_error_set(err, SPAN_E_NOMEM, "out of memory");
	else if (gnutls_rnd(GNUTLS_RND_KEY, a->key, sizeof(a->key)) < 0)
		rc = span_error_set(err, SPAN_E_IO, "no random numbers");
	else
		rc = read_users(a, text, err);
	if (rc < 0)
		span__web_auth_close(out);
	return rc;
}

void span__web_auth_close(struct span__web_auth **out)
{
	struct span__web_auth *a = *out;

	if (!a)
		return;
	for (size_t i = 0; i < a->n_users; i++) {
		free(a->users[i].name);
		free(a->users[i].hash);
	}
	free(a->users);
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

static void remember(struct span__web_auth *a, const unsigned char *digest)
{
	pthread_mutex_lock(&a->lock);
	memcpy(a->known[a->next], digest, DIGEST_LEN);
	a->next = (a->next + 1) % KNOWN_MAX;
	if (a->n_known < KNOWN_MAX)
		a->n_known++;
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

/* Nobody can tell by the time it takes which users there are. */
static bool check_password(const struct span__web_auth *a, const char *name,
			   const char *password)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	const struct user *u = NULL;
	const char *hash, *got;
	bool good;

	for (size_t i = 0; i < a->n_users && !u; i++)
		if (!strcmp(a->users[i].name, name))
			u = &a->users[i];
	hash = u ? u->hash : a->users[0].hash;
	got = data ? crypt_r(password, hash, data) : NULL;
	good = got && strlen(got) == strlen(hash) &&
	       !gnutls_memcmp(got, hash, strlen(hash));
	if (data)
		explicit_bzero(data, sizeof(*data));
	free(data);
	return good && u;
}

bool span__web_auth_check(struct span__web_auth *a, const char *header)
{
	const char *text = header + strlen("Basic ");
	gnutls_datum_t in, out = {0};
	unsigned char digest[DIGEST_LEN];
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
		good = check_password(a, pair, colon + 1);
	}
	if (good && digest_of(a, header, digest))
		remember(a, digest);
	if (pair)
		explicit_bzero(pair, out.size);
	free(pair);
	explicit_bzero(out.data, out.size);
	gnutls_free(out.data);
	return good;
}
