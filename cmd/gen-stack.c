/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stack traces in the manner of four languages, out of made-up names. A seed
 * is a place in a program: it always gives the same frames.
 */
#include "gen.h"

#include "base/banned.h"

#define PICK(list, state)                                                      \
	((list)[gen_below(state, sizeof(list) / sizeof((list)[0]))])

static const char *const nouns[] = {
	"order",   "cart",     "price",	  "stock",   "account", "session",
	"invoice", "parcel",   "voucher", "address", "catalog", "image",
	"review",  "currency", "token",	  "basket",  "refund",	"ledger",
	"tariff",  "locale",   "query",	  "request", "result",	"batch",
};
static const char *const roles[] = {
	"service", "client",  "repository", "handler", "mapper", "factory",
	"filter",  "manager", "validator",  "worker",  "cache",	 "router",
};
static const char *const verbs[] = {
	"load",	  "store",  "find",   "update", "check",   "parse",
	"render", "charge", "submit", "call",	"convert", "merge",
	"apply",  "read",   "write",  "invoke", "resolve", "accept",
};
static const char *const packages[] = {
	"core", "api", "db", "web", "util", "internal", "rpc", "domain",
};
static const char *const java_types[] = {
	"java.lang.IllegalStateException",
	"java.lang.NullPointerException",
	"java.net.SocketTimeoutException",
	"java.sql.SQLTransientConnectionException",
	"io.grpc.StatusRuntimeException",
};
static const char *const python_types[] = {
	"KeyError",
	"ValueError",
	"TimeoutError",
	"ConnectionResetError",
	"requests.exceptions.ReadTimeout",
};
static const char *const js_types[] = {
	"TypeError", "RangeError", "FetchError", "AbortError", "MongoError",
};
static const char *const go_types[] = {
	"*errors.errorString",		 "*net.OpError", "*url.Error",
	"context.deadlineExceededError", "*pq.Error",
};
static const char *const remote[] = {
	"connection reset by ",
	"deadline exceeded while waiting for ",
	"unexpected status 503 from ",
	"cannot decode the answer of ",
	"pool exhausted, no connection to ",
	"i/o timeout talking to ",
};
static const char *const local[] = {
	"unexpected end of input",
	"index out of range",
	"no such key",
	"value is not set",
	"statement timeout after 5000 ms",
	"queue is full, 1024 waiting",
	"cannot allocate a buffer of 16777216 bytes",
	"state is CLOSED, expected OPEN",
	"too many open files",
	"checksum does not match",
};

static bool is(struct span_str language, struct span_str name)
{
	return span_str_equal(language, name);
}

struct span_str gen_stack_type(struct span_str language, uint64_t seed)
{
	if (is(language, SPAN_STR("java")))
		return span_str(PICK(java_types, &seed));
	if (is(language, SPAN_STR("python")))
		return span_str(PICK(python_types, &seed));
	if (is(language, SPAN_STR("nodejs")))
		return span_str(PICK(js_types, &seed));
	return span_str(PICK(go_types, &seed));
}

struct span_str gen_stack_message(struct gen_text *t, struct span_str peer,
				  uint64_t seed)
{
	size_t start = t->len;

	if (!peer.len)
		return span_str(PICK(local, &seed));
	gen_text_puts(t, PICK(remote, &seed));
	gen_text_put(t, peer.p, peer.len);
	return (struct span_str){t->p + start, t->len - start};
}

/* "orderService" or, with CAPITAL, "OrderService". */
static void put_name(struct gen_text *t, const char *a, const char *b,
		     bool capital)
{
	char first = a[0];

	if (capital)
		first = (char)(first - 'a' + 'A');
	gen_text_put(t, &first, 1);
	gen_text_puts(t, a + 1);
	first = (char)(b[0] - 'a' + 'A');
	gen_text_put(t, &first, 1);
	gen_text_puts(t, b + 1);
}

/*
 * The same of two picks. Arguments of a call have no order in C, so these are
 * drawn one after another: else compilers make different names.
 */
static void put_method(struct gen_text *t, uint64_t *state, bool capital)
{
	const char *noun = PICK(nouns, state);
	const char *verb = PICK(verbs, state);

	put_name(t, verb, noun, capital);
}

static void put_java(struct gen_text *t, uint64_t *state)
{
	const char *noun = PICK(nouns, state), *role = PICK(roles, state);

	gen_text_puts(t, "\n\tat com.example.shop.");
	gen_text_puts(t, PICK(packages, state));
	gen_text_puts(t, ".");
	put_name(t, noun, role, true);
	gen_text_puts(t, ".");
	put_method(t, state, false);
	gen_text_puts(t, "(");
	put_name(t, noun, role, true);
	gen_text_puts(t, ".java:");
	gen_text_number(t, 12 + gen_below(state, 700));
	gen_text_puts(t, ")");
}

static void put_python(struct gen_text *t, uint64_t *state)
{
	gen_text_puts(t, "\n  File \"/app/shop/");
	gen_text_puts(t, PICK(packages, state));
	gen_text_puts(t, "/");
	gen_text_puts(t, PICK(nouns, state));
	gen_text_puts(t, "_");
	gen_text_puts(t, PICK(roles, state));
	gen_text_puts(t, ".py\", line ");
	gen_text_number(t, 8 + gen_below(state, 400));
	gen_text_puts(t, ", in ");
	gen_text_puts(t, PICK(verbs, state));
	gen_text_puts(t, "_");
	gen_text_puts(t, PICK(nouns, state));
}

static void put_js(struct gen_text *t, uint64_t *state)
{
	const char *role = PICK(roles, state);
	const char *noun = PICK(nouns, state);

	gen_text_puts(t, "\n    at ");
	put_name(t, noun, role, true);
	gen_text_puts(t, ".");
	put_method(t, state, false);
	gen_text_puts(t, " (/srv/app/dist/");
	gen_text_puts(t, PICK(packages, state));
	gen_text_puts(t, "/");
	gen_text_puts(t, PICK(nouns, state));
	gen_text_puts(t, ".js:");
	gen_text_number(t, 5 + gen_below(state, 500));
	gen_text_puts(t, ":");
	gen_text_number(t, 3 + gen_below(state, 60));
	gen_text_puts(t, ")");
}

static void put_go(struct gen_text *t, uint64_t *state)
{
	const char *package = PICK(packages, state);
	const char *role = PICK(roles, state);

	gen_text_puts(t, "\nexample.com/shop/");
	gen_text_puts(t, package);
	gen_text_puts(t, ".(*");
	put_name(t, PICK(nouns, state), role, true);
	gen_text_puts(t, ").");
	put_method(t, state, true);
	gen_text_puts(t, "(...)\n\t/src/shop/");
	gen_text_puts(t, package);
	gen_text_puts(t, "/");
	gen_text_puts(t, role);
	gen_text_puts(t, ".go:");
	gen_text_number(t, 20 + gen_below(state, 600));
	gen_text_puts(t, " +0x");
	gen_text_hex(t, gen_below(state, 4096), 3);
}

struct span_str gen_stack(struct gen_text *t, struct span_str language,
			  struct span_str type, struct span_str message,
			  uint64_t seed)
{
	void (*put)(struct gen_text *, uint64_t *) = put_go;
	size_t start = t->len;
	uint64_t state = seed, n = 4 + gen_below(&state, 10);
	bool python = is(language, SPAN_STR("python"));

	if (is(language, SPAN_STR("java")))
		put = put_java;
	else if (is(language, SPAN_STR("nodejs")))
		put = put_js;
	if (python) {
		gen_text_puts(t, "Traceback (most recent call last):");
		put = put_python;
	} else {
		gen_text_put(t, type.p, type.len);
		gen_text_puts(t, ": ");
		gen_text_put(t, message.p, message.len);
	}
	for (; n; n--)
		put(t, &state);
	if (python) {
		gen_text_puts(t, "\n");
		gen_text_put(t, type.p, type.len);
		gen_text_puts(t, ": ");
		gen_text_put(t, message.p, message.len);
	}
	return (struct span_str){t->p + start, t->len - start};
}
