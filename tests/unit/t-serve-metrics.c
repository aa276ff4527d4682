/* SPDX-License-Identifier: Apache-2.0 */
/* Jaeger's monitor, request by request. */
#include "serve-spans.h"

#include <pthread.h>

#include <cjson/cJSON.h>
#include <span/sketch.h>

#include "serve/metrics_counts.h"

static const struct {
	const char *target;
	unsigned status;
	const char *body;
} rows[] = {
	{"/api/metrics/"
	 "calls?service=shop&step=60000&ratePer=60000&lookback=180000",
	 200,
	 "{\"name\":\"service_call_rate\",\"type\":\"GAUGE\",\"help\":\"calls/"
	 "sec, grouped by "
	 "service\",\"metrics\":[{\"labels\":[{\"name\":\"service_name\","
	 "\"value\":\"shop\"}],\"metricPoints\":[{\"gaugeValue\":{"
	 "\"doubleValue\":0.016666666666666666},\"timestamp\":\"2026-11-22T09:"
	 "59:00Z\"},{\"gaugeValue\":{\"doubleValue\":0.016666666666666666},"
	 "\"timestamp\":\"2026-11-22T10:00:00Z\"}]}]}"},
	{"/api/metrics/"
	 "calls?service=shop&step=3600000&lookback=3600000&ratePer=3600000",
	 200,
	 "{\"name\":\"service_call_rate\",\"type\":\"GAUGE\",\"help\":\"calls/"
	 "sec, grouped by "
	 "service\",\"metrics\":[{\"labels\":[{\"name\":\"service_name\","
	 "\"value\":\"shop\"}],\"metricPoints\":[{\"gaugeValue\":{"
	 "\"doubleValue\":0.0005555555555555556},\"timestamp\":\"2026-11-22T10:"
	 "00:00Z\"}]}]}"},
	{"/api/metrics/"
	 "errors?service=shop&service=cart&groupByOperation=1&spanKind=server&"
	 "spanKind=client&step=60000&ratePer=120000&lookback=180000",
	 200,
	 "{\"name\":\"service_operation_error_rate\",\"type\":\"GAUGE\","
	 "\"help\":\"error rate, computed as a fraction of errors/sec over "
	 "calls/sec, grouped by service & "
	 "operation\",\"metrics\":[{\"labels\":[{\"name\":\"operation\","
	 "\"value\":\"add "
	 "<b>\"},{\"name\":\"service_name\",\"value\":\"cart\"}],"
	 "\"metricPoints\":[{\"gaugeValue\":{\"doubleValue\":1},\"timestamp\":"
	 "\"2026-11-22T10:00:00Z\"}]},{\"labels\":[{\"name\":\"operation\","
	 "\"value\":\"GET "
	 "/\"},{\"name\":\"service_name\",\"value\":\"shop\"}],"
	 "\"metricPoints\":[{\"gaugeValue\":{\"doubleValue\":0},\"timestamp\":"
	 "\"2026-11-22T09:59:00Z\"},{\"gaugeValue\":{\"doubleValue\":0},"
	 "\"timestamp\":\"2026-11-22T10:00:00Z\"}]},{\"labels\":[{\"name\":"
	 "\"operation\",\"value\":\"call "
	 "cart\"},{\"name\":\"service_name\",\"value\":\"shop\"}],"
	 "\"metricPoints\":[{\"gaugeValue\":{\"doubleValue\":0},\"timestamp\":"
	 "\"2026-11-22T10:00:00Z\"}]}]}"},
	{"/api/metrics/"
	 "errors?service=shop&step=60000&ratePer=60000&lookback=180000&endTs="
	 "1795341720000",
	 200,
	 "{\"name\":\"service_error_rate\",\"type\":\"GAUGE\",\"help\":\"error "
	 "rate, computed as a fraction of errors/sec over calls/sec, grouped "
	 "by "
	 "service\",\"metrics\":[{\"labels\":[{\"name\":\"service_name\","
	 "\"value\":\"shop\"}],\"metricPoints\":[{\"gaugeValue\":{"
	 "\"doubleValue\":0},\"timestamp\":\"2026-11-22T09:59:00Z\"},{"
	 "\"gaugeValue\":{\"doubleValue\":0},\"timestamp\":\"2026-11-22T10:00:"
	 "00Z\"},{\"gaugeValue\":{\"doubleValue\":\"NaN\"},\"timestamp\":"
	 "\"2026-11-22T10:01:00Z\"},{\"gaugeValue\":{\"doubleValue\":\"NaN\"},"
	 "\"timestamp\":\"2026-11-22T10:02:00Z\"}]}]}"},
	{"/api/metrics/"
	 "latencies?service=shop&step=60000&ratePer=600000&lookback=180000&"
	 "quantile=0.95",
	 200,
	 "{\"name\":\"service_latencies\",\"type\":\"GAUGE\",\"help\":\"0.95th "
	 "quantile latency, grouped by "
	 "service\",\"metrics\":[{\"labels\":[{\"name\":\"service_name\","
	 "\"value\":\"shop\"}],\"metricPoints\":[{\"gaugeValue\":{"
	 "\"doubleValue\":20.185088},\"timestamp\":\"2026-11-22T09:59:00Z\"},{"
	 "\"gaugeValue\":{\"doubleValue\":99.61472},\"timestamp\":\"2026-11-"
	 "22T10:00:00Z\"}]}]}"},
	{"/api/metrics/"
	 "latencies?service=mail*&spanKind=consumer&step=60000&ratePer=60000&"
	 "lookback=180000&quantile=0.5",
	 200,
	 "{\"name\":\"service_latencies\",\"type\":\"GAUGE\",\"help\":\"0.50th "
	 "quantile latency, grouped by "
	 "service\",\"metrics\":[{\"labels\":[{\"name\":\"service_name\","
	 "\"value\":\"mail*\"}],\"metricPoints\":[{\"gaugeValue\":{"
	 "\"doubleValue\":5.046272},\"timestamp\":\"2026-11-22T09:58:00Z\"},{"
	 "\"gaugeValue\":{\"doubleValue\":\"NaN\"},\"timestamp\":\"2026-11-"
	 "22T09:59:00Z\"},{\"gaugeValue\":{\"doubleValue\":\"NaN\"},"
	 "\"timestamp\":\"2026-11-22T10:00:00Z\"}]}]}"},
	{"/api/metrics/calls?service=mail*", 200,
	 "{\"name\":\"service_call_rate\",\"type\":\"GAUGE\",\"help\":\"calls/"
	 "sec, grouped by service\",\"metrics\":[]}"},
	{"/api/metrics/calls?service=nobody", 200,
	 "{\"name\":\"service_call_rate\",\"type\":\"GAUGE\",\"help\":\"calls/"
	 "sec, grouped by service\",\"metrics\":[]}"},
	{"/api/metrics/calls?service=shop&endTs=0", 200,
	 "{\"name\":\"service_call_rate\",\"type\":\"GAUGE\",\"help\":\"calls/"
	 "sec, grouped by service\",\"metrics\":[]}"},
	{"/api/metrics/minstep", 200,
	 "{\"data\":60000,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":"
	 "null}"},
	/* The store of these has no segments. */
	{"/api/metrics/minstep?lookback=86400000&endTs=1795341600000", 200,
	 "{\"data\":60000,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":"
	 "null}"},
	{"/api/metrics/minstep?lookback=1h", 400,
	 "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{"
	 "\"code\":400,\"msg\":\"unable to parse param 'lookback': "
	 "strconv.ParseInt: parsing \\\"1h\\\": invalid syntax\"}]}\n"},
	{"/api/metrics/latencies?service=shop", 400,
	 "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{"
	 "\"code\":400,\"msg\":\"unable to parse param 'quantile': "
	 "strconv.ParseFloat: parsing \\\"\\\": invalid syntax\"}]}\n"},
	{"/api/metrics/latencies?service=shop&quantile=2", 400,
	 "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{"
	 "\"code\":400,\"msg\":\"unable to parse param 'quantile': it must be "
	 "from 0 to 1\"}]}\n"},
	{"/api/metrics/latencies?service=shop&quantile=NaN", 400,
	 "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{"
	 "\"code\":400,\"msg\":\"unable to parse param 'quantile': it must be "
	 "from 0 to 1\"}]}\n"},
	{"/api/metrics/calls", 400,
	 "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{"
	 "\"code\":400,\"msg\":\"unable to parse param 'service': please "
	 "provide at least one service name\"}]}\n"},
	{"/api/metrics/calls?service=shop&spanKind=SERVER", 400,
	 "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{"
	 "\"code\":400,\"msg\":\"unable to parse param 'spanKind': unsupported "
	 "span kind: 'SERVER'\"}]}\n"},
	{"/api/metrics/calls?service=shop&groupByOperation=x", 400,
	 "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{"
	 "\"code\":400,\"msg\":\"unable to parse param 'groupByOperation': "
	 "strconv.ParseBool: parsing \\\"x\\\": invalid syntax\"}]}\n"},
	{"/api/metrics/calls?service=shop&endTs=x", 400,
	 "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{"
	 "\"code\":400,\"msg\":\"unable to parse param 'endTs': "
	 "strconv.ParseInt: parsing \\\"x\\\": invalid syntax\"}]}\n"},
	{"/api/metrics/calls?service=shop&lookback=-1", 400,
	 "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{"
	 "\"code\":400,\"msg\":\"unable to parse param 'lookback': out of "
	 "range\"}]}\n"},
	{"/api/metrics/calls?service=shop&lookback=660001000&step=1", 400,
	 "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{"
	 "\"code\":400,\"msg\":\"exceeded maximum resolution of 11,000 points "
	 "per timeseries. Try decreasing the query resolution "
	 "(?step=XX)\"}]}\n"},
	{"/api/metrics/calls?service=shop&step=1.5", 400,
	 "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{"
	 "\"code\":400,\"msg\":\"unable to parse param 'step': "
	 "strconv.ParseInt: parsing \\\"1.5\\\": invalid syntax\"}]}\n"},
	{"/api/metrics/calls?service=shop&ratePer=9223372036854775807", 400,
	 "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{"
	 "\"code\":400,\"msg\":\"unable to parse param 'ratePer': out of "
	 "range\"}]}\n"},
};

/* ---- Against what is counted here, span by span ---- */

#define SPANS 4000u
#define MINUTES 90u /* before now, in which they start */
#define MINUTE (60000 * SERVE_MS)

struct counted {
	const struct span *v;
	const char *service;
	uint64_t since_ns, until_ns;
	uint64_t calls, errors;
	struct span_sketch durations;
};

static void count(struct counted *c)
{
	struct span_error err = {0};

	for (size_t i = 0; i < SPANS; i++) {
		const struct span *s = &c->v[i];

		if (!span_str_equal(s->process->service,
				    span_str(c->service)) ||
		    s->kind != SPAN_KIND_SERVER || s->start_ns < c->since_ns ||
		    s->start_ns >= c->until_ns)
			continue;
		c->calls++;
		c->errors += span_is_error(s);
		serve_test_must(!span_sketch_put(&c->durations, s->duration_ns,
						 1, &err),
				"sketch", &err);
	}
}

static bool near(double a, double b)
{
	double d = a > b ? a - b : b - a;

	return d <= 1e-9 * (a > b ? a : b);
}

/* The K-th of the points of the only series; NaN is -1. */
static double point(const cJSON *json, int k)
{
	const cJSON *series =
		cJSON_GetArrayItem(cJSON_GetObjectItem(json, "metrics"), 0);
	const cJSON *points = cJSON_GetObjectItem(series, "metricPoints");
	const cJSON *value = cJSON_GetObjectItem(
		cJSON_GetObjectItem(cJSON_GetArrayItem(points, k),
				    "gaugeValue"),
		"doubleValue");

	return cJSON_IsNumber(value) ? value->valuedouble : -1;
}

static cJSON *get_json(struct serve_test *t, const char *name,
		       const char *service, unsigned step, unsigned rate)
{
	char target[200];
	struct serve_reply r;
	cJSON *json;

	snprintf(target, sizeof(target),
		 "/api/metrics/%s?service=%s&step=%u&ratePer=%u&"
		 "lookback=3600000&quantile=0.9",
		 name, service, step * 60000, rate * 60000);
	serve_test_get(t, target, &r);
	json = cJSON_Parse(r.body.p);
	serve_reply_release(&r);
	serve_test_must(json, target, NULL);
	return json;
}

static void compare(struct serve_test *t, const struct span *v,
		    const char *service, unsigned step, unsigned rate)
{
	cJSON *calls = get_json(t, "calls", service, step, rate);
	cJSON *errors = get_json(t, "errors", service, step, rate);
	cJSON *latencies = get_json(t, "latencies", service, step, rate);
	unsigned n = 60 / step + 1, good = 0;

	for (unsigned k = 0; k < n; k++) {
		struct counted c = {.v = v, .service = service};
		double ratio = -1, ms = -1;

		c.until_ns = SERVE_TEST_NOW - 60 * MINUTE + k * step * MINUTE;
		c.since_ns = c.until_ns - rate * MINUTE;
		count(&c);
		if (c.calls) {
			ratio = (double)c.errors / (double)c.calls;
			ms = (double)span_sketch_quantile(&c.durations, 0.9) /
			     1e6;
		}
		good += near(point(calls, (int)k),
			     (double)c.calls / (60.0 * rate)) &&
			(ratio < 0 ? point(errors, (int)k) < 0
				   : near(point(errors, (int)k), ratio)) &&
			(ms < 0 ? point(latencies, (int)k) < 0
				: near(point(latencies, (int)k), ms));
		span_sketch_release(&c.durations);
	}
	is_uint(good, n, "%s, step %u min, window %u min", service, step, rate);
	cJSON_Delete(calls);
	cJSON_Delete(errors);
	cJSON_Delete(latencies);
}

static void seal(const char *dir)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_MAINTAIN,
					  .sync = SPAN_SYNC_NONE};
	const struct span_seal_opts all = {.all = true, .jobs = 1};
	struct span_error err = {0};
	struct span_sealed sealed;
	struct span_store *st;

	serve_test_must(
		!span_store_open(&st, dir, &o, &err) &&
			!span_store_seal(st, &all, &sealed, NULL, NULL, &err),
		"seal", &err);
	serve_test_must(!span_store_close(&st, &err), "close", &err);
}

/* The first half is sealed; of "cart" there is none in the last hour. */
static void test_counts(const struct serve_spans *spans)
{
	static const unsigned steps[][2] = {
		{1, 1}, {1, 10}, {5, 3}, {10, 20}, {60, 30}, {90, 30}, {61, 7}};
	struct span *v = calloc(SPANS, sizeof(*v));
	struct serve_test t;
	uint32_t x = 1;

	serve_test_must(v, "memory", NULL);
	for (uint32_t i = 0; i < SPANS; i++) {
		bool shop = (x = x * 1664525 + 1013904223) >> 30;
		uint32_t most = shop ? MINUTES * 60000 : 30 * 60000;
		uint32_t ago = ((x = x * 1664525 + 1013904223) >> 8) % most;

		v[i] = serve_span(1, 1, 0, shop ? &spans->shop : &spans->cart,
				  "a", x >> 4 & 1 ? 2 : 3,
				  ago + 1 + (shop ? 0 : 65 * 60000),
				  1 + (x >> 8) % 977);
		memcpy(v[i].span_id, &i, sizeof(i));
		v[i].status = x >> 20 & 7 ? 0 : SPAN_STATUS_ERROR;
	}
	serve_test_open(&t);
	serve_test_add(&t, v, SPANS / 2);
	seal(t.dir);
	serve_test_add(&t, v + SPANS / 2, SPANS / 2);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		compare(&t, v, "shop", steps[i][0], steps[i][1]);
	compare(&t, v, "cart", 10, 20);
	serve_test_close(&t);
	free(v);
}

static void min_step_is(struct serve_test *t, const char *query, double want)
{
	char target[100];
	struct serve_reply r;
	cJSON *json;
	double step;

	snprintf(target, sizeof(target), "/api/metrics/minstep?%s", query);
	serve_test_get(t, target, &r);
	json = cJSON_Parse(r.body.p);
	step = cJSON_GetNumberValue(cJSON_GetObjectItem(json, "data"));
	ok(step == want, "the shortest step for %s: %g ms", query, step);
	cJSON_Delete(json);
	serve_reply_release(&r);
}

/* Eight hours, of which buckets of a minute would take too much room. */
static void test_min_step(const struct serve_spans *spans)
{
	struct span *v = calloc(SPANS, sizeof(*v));
	struct serve_test t;

	serve_test_must(v, "memory", NULL);
	for (uint32_t i = 0; i < SPANS; i++) {
		v[i] = serve_span(1, 1, 0, &spans->shop, "a", SPAN_KIND_SERVER,
				  60000 + i * 7000, 1);
		memcpy(v[i].span_id, &i, sizeof(i));
	}
	serve_test_open(&t);
	serve_test_add(&t, v, SPANS);
	min_step_is(&t, "lookback=28800000", 60000);
	seal(t.dir);
	min_step_is(&t, "lookback=28800000", 300000);
	min_step_is(&t, "lookback=1200000", 300000);
	/* There would be no four of them. */
	min_step_is(&t, "lookback=1140000", 60000);
	/* It has no spans then. */
	min_step_is(&t, "lookback=1200000&endTs=1795000000000", 60000);
	serve_test_close(&t);
	free(v);
}

/* ---- What several requests share ---- */

static bool answers_differ(struct serve_test *t, const char *a, const char *b)
{
	struct serve_reply x, y;
	bool differ;

	serve_test_get(t, a, &x);
	serve_test_get(t, b, &y);
	differ = strcmp(x.body.p, y.body.p) != 0;
	serve_reply_release(&x);
	serve_reply_release(&y);
	return differ;
}

/* The end of a view is the same for all of its requests, and no other's. */
#define VIEW(end)                                                              \
	"/api/metrics/calls?service=cart&lookback=0&ratePer=600000&endTs=" end
#define END "1795341600000"

static void test_shared(const struct serve_spans *spans)
{
	struct span s = serve_span(1, 1, 0, &spans->cart, "a", 2, 60000, 1);
	struct span_error err = {0};
	struct serve_reply before, after;
	struct serve_test t;

	serve_test_open(&t);
	serve_test_add(&t, &s, 1);
	serve_test_must(!span__metrics_counts_open(&t.s.counts, &err), "counts",
			&err);
	serve_test_get(&t, VIEW(END), &before);
	ok(strstr(before.body.p, "0.0016666"), "one call in ten minutes");
	s.span_id[7] = 2;
	serve_test_add(&t, &s, 1);
	serve_test_get(&t, VIEW(END), &after);
	is_str(after.body.p, before.body.p, "counts of a view are kept");
	serve_reply_release(&after);
	serve_test_get(&t, VIEW("1795341600001"), &after);
	ok(strstr(after.body.p, "0.003333"), "another view has new ones");
	serve_reply_release(&after);
	serve_reply_release(&before);
	ok(answers_differ(&t, VIEW(END), VIEW(END) "&groupByOperation=true") &&
		   answers_differ(&t, VIEW(END), VIEW(END) "&spanKind=client"),
	   "and so has another question");
	ok(!answers_differ(&t, VIEW(END) "&service=shop", VIEW(END)),
	   "of other services too");
	span__metrics_counts_close(&t.s.counts);
	serve_test_close(&t);
}

struct waiter {
	struct span__metrics_counts *counts;
	bool gone;
	int rc;
	struct span_stats *stats;
};

static void *wait_for_count(void *arg)
{
	struct waiter *w = arg;
	const struct span__serve_request r = {.gone = &w->gone};
	struct span__metrics_count *m;
	struct span_error err = {0};

	w->rc = span__metrics_counts_take(w->counts, SPAN_STR("key"), &r, &m,
					  &err);
	w->stats = m ? m->stats : NULL;
	if (w->rc == 0)
		span__metrics_counts_done(w->counts, m, false);
	if (w->rc >= 0)
		span__metrics_counts_release(w->counts, &m);
	return NULL;
}

static struct span__metrics_count *begin(struct span__metrics_counts *c,
					 struct span_error *err)
{
	const struct span__serve_request r = {0};
	const struct span_stats_opts o = {.n_labels = 1};
	struct span__metrics_count *m;

	serve_test_must(
		span__metrics_counts_take(c, SPAN_STR("key"), &r, &m, err) == 0,
		"take", err);
	serve_test_must(!span_stats_open(&m->stats, &o, err), "stats", err);
	return m;
}

/* Who waits gets what another one has counted, or counts when he fails. */
static void test_waiting(bool good)
{
	struct span_error err = {0};
	struct waiter w = {.rc = -100};
	struct span__metrics_count *m;
	struct span_stats *counted;
	pthread_t thread;

	serve_test_must(!span__metrics_counts_open(&w.counts, &err), "counts",
			&err);
	m = begin(w.counts, &err);
	counted = m->stats;
	serve_test_must(!pthread_create(&thread, NULL, wait_for_count, &w),
			"thread", NULL);
	span__metrics_counts_done(w.counts, m, good);
	pthread_join(thread, NULL);
	is_int(w.rc, good,
	       good ? "counted by another one" : "to be counted by who waited");
	ok(!good || w.stats == counted, "and it is the same");
	span__metrics_counts_release(w.counts, &m);
	span__metrics_counts_close(&w.counts);
}

static void test_gone(void)
{
	struct span_error err = {0};
	struct waiter w = {.gone = true};
	struct span__metrics_count *m;

	serve_test_must(!span__metrics_counts_open(&w.counts, &err), "counts",
			&err);
	m = begin(w.counts, &err);
	wait_for_count(&w);
	is_int(w.rc, SPAN_E_PIPE, "who is gone does not wait");
	span__metrics_counts_done(w.counts, m, true);
	span__metrics_counts_release(w.counts, &m);
	span__metrics_counts_close(&w.counts);
}

int main(void)
{
	struct serve_spans spans;
	struct serve_test t;

	serve_spans_open(&t, &spans);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		serve_test_is(&t, rows[i].target, rows[i].status, rows[i].body);
	serve_test_close(&t);
	test_counts(&spans);
	test_min_step(&spans);
	test_shared(&spans);
	test_waiting(true);
	test_waiting(false);
	test_gone();
	return done_testing();
}
