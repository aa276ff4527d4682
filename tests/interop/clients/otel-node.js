// SPDX-License-Identifier: Apache-2.0
// npm @opentelemetry/exporter-jaeger: binary Thrift over UDP.
'use strict';
const {context, trace, SpanKind, SpanStatusCode} = require('@opentelemetry/api');
const {JaegerExporter} = require('@opentelemetry/exporter-jaeger');
const {BasicTracerProvider, BatchSpanProcessor} =
  require('@opentelemetry/sdk-trace-base');
const {resourceFromAttributes} = require('@opentelemetry/resources');

const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({'service.name': 'checkout'}),
  spanProcessors: [new BatchSpanProcessor(new JaegerExporter({
    host: '127.0.0.1', port: Number(process.env.PORT), maxPacketSize: 60000,
  }))],
});
const tracer = provider.getTracer('shop', '0.9');
const told = [];
const typed = v => [
  {number: 'double', boolean: 'bool', string: 'string'}[typeof v], v];
const pairs = o => Object.entries(o).map(([k, v]) => [k, ...typed(v)]);

function span(name, kind, parent, attributes, events, error) {
  const links = [{context: {traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331', traceFlags: 1}}];
  const s = tracer.startSpan(name, {kind, attributes, links},
    parent ? trace.setSpan(context.active(), parent) : context.active());
  for (const [n, a] of events) s.addEvent(n, a);
  if (error) s.setStatus({code: SpanStatusCode.ERROR, message: error});
  const c = s.spanContext();
  told.push({
    trace_id: c.traceId, span_id: c.spanId,
    parent_id: parent ? parent.spanContext().spanId : null,
    service: 'checkout', name, kind: SpanKind[kind].toLowerCase(),
    status: error ? 'error' : 'unset', status_message: error || '',
    tags: pairs(attributes),
    logs: events.map(([n, a]) => [['event', 'string', n], ...pairs(a)]),
    refs: [['follows_from', 'b7ad6b7169203331']],
  });
  return s;
}

for (let i = 0; i < 100; i++) {
  const root = span('GET /cart', SpanKind.SERVER, null,
    {'http.status_code': 500, cached: false, path: '/cart?x=ü'},
    [['retry', {n: i, why: 'timeout'}], ['end', {}]], 'upstream gone');
  const child = span('SELECT', SpanKind.CLIENT, root, {rows: 0.25}, [], null);
  child.end();
  root.end();
}
provider.forceFlush().then(() => provider.shutdown()).then(() => {
  for (const t of told) console.log(JSON.stringify(t));
  setTimeout(() => process.exit(0), 200);
});
