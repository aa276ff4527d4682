/* SPDX-License-Identifier: Apache-2.0 */
/* Jaeger's monitor, request by request. */
#include "serve-spans.h"

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

int main(void)
{
	struct serve_spans spans;
	struct serve_test t;

	serve_spans_open(&t, &spans);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		serve_test_is(&t, rows[i].target, rows[i].status, rows[i].body);
	serve_test_close(&t);
	return done_testing();
}
