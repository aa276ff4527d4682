// SPDX-License-Identifier: Apache-2.0
// The SDK of OpenTelemetry for Node, with one of its exporters:
//
//   otel-node.js EXPORTER [gzip]
//
// Prints what it was told, in the types that the exporter makes of it.
'use strict';
const {context, createTraceState, diag, trace, SpanKind, SpanStatusCode,
  TraceFlags} = require('@opentelemetry/api');
const {BasicTracerProvider, BatchSpanProcessor} =
  require('@opentelemetry/sdk-trace-base');
const {resourceFromAttributes} = require('@opentelemetry/resources');

const [which, gzip] = process.argv.slice(2);
const url = path => `http://127.0.0.1:${process.env.PORT}${path}`;
const options = {compression: gzip};
const make = {
  'jaeger-udp': () => new (require('@opentelemetry/exporter-jaeger')
    .JaegerExporter)({host: '127.0.0.1', port: Number(process.env.PORT),
    maxPacketSize: 60000}),
  'jaeger-http': () => new (require('@opentelemetry/exporter-jaeger')
    .JaegerExporter)({endpoint: url('/api/traces'), flushTimeout: 10000}),
  'zipkin': () => new (require('@opentelemetry/exporter-zipkin')
    .ZipkinExporter)({url: url('/api/v2/spans')}),
  'otlp-http': () => new (require('@opentelemetry/exporter-trace-otlp-http')
    .OTLPTraceExporter)({url: url('/v1/traces'), ...options}),
  'otlp-proto': () => new (require('@opentelemetry/exporter-trace-otlp-proto')
    .OTLPTraceExporter)({url: url('/v1/traces'), ...options}),
  'otlp-grpc': () => new (require('@opentelemetry/exporter-trace-otlp-grpc')
    .OTLPTraceExporter)({url: url(''), ...options}),
};
const wire = which.split('-')[0];

// An exporter that fails, or warns, has not sent what it was told.
let failed = 0;
const fail = (...what) => {
  failed++;
  console.error(...what);
};
const quiet = () => {};
diag.setLogger({error: fail, warn: fail, info: quiet, debug: quiet,
  verbose: quiet});
const exporter = make[which]();
const send = exporter.export.bind(exporter);
exporter.export = (spans, done) => send(spans, result => {
  if (result.code) fail('export:', result.error);
  done(result);
});

const resource = resourceFromAttributes({'service.name': 'checkout',
  'host.cores': 4, 'zone': 'b'});
const provider = new BasicTracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor(exporter,
    {maxQueueSize: 10000, maxExportBatchSize: 2000})],
});
const tracer = provider.getTracer('shop', '0.9');
const told = [];

// A number as JSON can say it.
const text = v => Number.isFinite(v) ? v : String(v);

// Jaeger has doubles only, and texts of arrays; Zipkin has only texts.
function typed(v) {
  if (wire === 'zipkin') return ['string', String(v)];
  if (wire === 'jaeger') {
    return {number: ['double', text(v)], boolean: ['bool', v]}[typeof v] ||
      ['string', String(v)];
  }
  if (v === null) return ['null', null];
  if (Array.isArray(v)) return ['array', v.map(typed)];
  if (typeof v === 'string') return ['string', v];
  if (typeof v === 'boolean') return ['bool', v];
  // JSON has the digits that JavaScript prints, which are others.
  if (Number.isInteger(v)) {
    return ['int', which === 'otlp-http' ? String(v) : String(BigInt(v))];
  }
  // JSON has no word for them, and the exporter writes null.
  if (which === 'otlp-http' && !Number.isFinite(v)) return ['null', null];
  return ['double', text(v)];
}
const pairs = o => Object.entries(o).map(([k, v]) => [k, ...typed(v)]);
const ns = ([s, n]) => String(BigInt(s) * 1000000000n + BigInt(n));

const second = Math.floor(Date.now() / 1000);
const other = {traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.SAMPLED};

function span(name, parent, {kind = SpanKind.INTERNAL, attributes = {},
  events = [], links = [], status = {}, start = [second, 123456789],
  end = [second + 2, 456], dropped = 0}) {
  const parentContext = parent && (parent.spanContext ? parent.spanContext() :
    parent);
  // An annotation without a text says nothing.
  if (wire === 'zipkin') events = events.filter(([n]) => n);
  const s = tracer.startSpan(name, {kind, attributes, links, startTime: start},
    parent ? trace.setSpanContext(context.active(), parentContext) :
      context.active());
  for (const [n, a, t] of events) s.addEvent(n, a, t);
  if (status.code !== undefined) s.setStatus(status);
  s.end(end);
  const c = s.spanContext();
  const want = {
    trace_id: c.traceId, span_id: c.spanId,
    parent_id: parent ? parentContext.spanId : null,
    service: 'checkout', name, kind: SpanKind[kind].toLowerCase(),
    status: ['unset', 'ok', 'error'][status.code || 0],
    status_message: status.message || '',
    start_ns: ns(start),
    duration_ns: String(BigInt(ns(end)) - BigInt(ns(start))),
    tags: pairs(attributes).slice(0, 128), process: pairs(resource.attributes)
      .filter(([k]) => k !== 'service.name'),
    events: events.map(([n, a, t]) => [ns(t), n, pairs(a)]),
    refs: links.map(l => ({type: 'link', trace_id: l.context.traceId,
      span_id: l.context.spanId, tags: pairs(l.attributes || {}),
      trace_state: l.context.traceState ? l.context.traceState.serialize() :
        ''})),
  };
  if (wire === 'otlp') {
    Object.assign(want, {
      scope: ['shop', '0.9'], exact: ['tags', 'process', 'events', 'refs'],
      trace_state: c.traceState ? c.traceState.serialize() : '',
      flags: 0x101 | (parentContext && parentContext.isRemote ? 0x200 : 0),
      dropped_tags: dropped,
    });
  } else if (wire === 'jaeger') {
    // The resource goes to the span's tags, links lose their attributes,
    // events are in milliseconds.
    want.tags.push(...want.process);
    delete want.process;
    want.refs = want.refs.map(r => ({type: 'follows_from',
      trace_id: r.trace_id, span_id: r.span_id}));
    want.precision_ns = 1000;
    want.event_precision_ns = 1000000;
    want.flags = 1;
    if (kind === SpanKind.INTERNAL) want.kind = null;
    if (dropped) {
      want.tags.push(['otel.dropped_attributes_count', 'double', dropped]);
    }
  } else {
    if (dropped) {
      want.tags.push(['otel.dropped_attributes_count', 'string',
        String(dropped)]);
    }
    want.tags.push(...want.process);
    delete want.process;
    want.refs = [];
    want.events = want.events.map(([t, n]) => [t, n, []]);
    want.precision_ns = 1000;
    if (kind === SpanKind.INTERNAL) want.kind = null;
  }
  told.push(want);
  return s;
}

function trip(i) {
  const root = span('GET /cart', null, {
    kind: SpanKind.SERVER,
    attributes: {'http.status_code': 500, 'cached': false, 'hot': true,
      'path': '/cart?x=ü', 'name': 'grün 日本 😀', 'empty': '',
      'odd': 'a\tb\nc\0d"\\', 'share': 0.1, 'n': i, 'below': -1,
      'safe': Number.MAX_SAFE_INTEGER, 'beyond': 2 ** 60, 'zero': 0,
      'tiny': 5e-324, 'list': ['a', 'ü', ''], 'ints': [1, -2, 3],
      'flags': [true, false], 'none': []},
    events: [['retry', {n: i, why: 'timeout', late: true, after: 0.25},
      [second, 500000000]], ['', {}, [second, 600000001]],
    ['end', {}, [second + 1, 0]]],
    status: {code: SpanStatusCode.ERROR, message: 'upstream gone: ü'},
  });
  span('SELECT', root, {kind: SpanKind.CLIENT, attributes: {rows: 0.25},
    links: [{context: other, attributes: {why: 'batch', n: 7}},
      {context: {...other, spanId: '00000000000000ff',
        traceState: createTraceState('k=v')}}],
    status: {code: SpanStatusCode.OK}});
  span('publish', root, {kind: SpanKind.PRODUCER});
  span('take', root, {kind: SpanKind.CONSUMER, end: [second, 123456789]});
  span('inside', root, {});
}

// FEW: one of each, for a fixture.
const few = 'FEW' in process.env;
for (let i = 0; i < (few ? 1 : 20); i++) trip(i);
// A parent in another program, with a trace state.
span('POST /cart', {traceId: 'ffffffffffffffffffffffffffffffff',
  spanId: 'fffffffffffffffe', traceFlags: TraceFlags.SAMPLED, isRemote: true,
  traceState: createTraceState('vendor=a,other=b')}, {kind: SpanKind.SERVER});
// More attributes than the SDK keeps, a long text, numbers that JSON has not.
const many = few ? {} : Object.fromEntries(
  Array.from({length: 130}, (_, i) => [`key.${i}`, i]));
if (!few) {
  span('many', null, {attributes: many, dropped: 2});
  span('long', null, {attributes: {text: 'é'.repeat(10000)}});
}
span('odd numbers', null, {attributes: {nan: NaN, inf: Infinity,
  less: -Infinity, minus: -0.5}});
const root = span('large', null, {});
const steps = few ? 1 : wire === 'jaeger' ? 200 : 3000;
for (let i = 0; i < steps; i++) {
  span(`step ${i % 10}`, root, {attributes: {n: i, text: 'x'.repeat(i % 200)}});
}

provider.forceFlush().then(() => provider.shutdown()).catch(fail).then(() => {
  for (const t of told) console.log(JSON.stringify(t));
  // A socket is closed before its last datagram is out.
  setTimeout(() => process.exit(failed ? 1 : 0), 200);
});
