// SPDX-License-Identifier: Apache-2.0
// npm jaeger-client: binary Thrift over UDP. Prints what it was told.
'use strict';
const {initTracer} = require('jaeger-client');

const tracer = initTracer(
  {
    serviceName: 'order-service',
    sampler: {type: 'const', param: 1},
    reporter: {
      agentHost: '127.0.0.1',
      agentPort: Number(process.env.PORT),
      flushIntervalMs: 50,
    },
  },
  {tags: {zone: 'b'}}
);
const told = [];

function span(name, options, tags, logs) {
  const s = tracer.startSpan(name, options);
  const c = s.context();
  const hex = b => Buffer.from(b).toString('hex').padStart(16, '0');
  for (const [k, v] of tags) s.setTag(k, v);
  for (const fields of logs) s.log(fields);
  const typed = v => [
    {number: 'double', boolean: 'bool', string: 'string'}[typeof v], v];
  told.push({
    trace_id: hex(c.traceId), span_id: hex(c.spanId),
    parent_id: c.parentId && c.parentId.some(x => x) ? hex(c.parentId) : null,
    service: 'order-service', name,
    tags: tags.map(([k, v]) => [k, ...typed(v)]),
    process: [['zone', 'string', 'b']],
    logs: logs.map(f => Object.entries(f).map(([k, v]) => [k, ...typed(v)])),
    refs: (options.references || []).map(r => [
      r.type() === 'child_of' ? 'child_of' : 'follows_from',
      hex(r.referencedContext().spanId)]),
  });
  return s;
}

const opentracing = require('opentracing');

function order(i) {
  const root = span('create_order', {}, [
    ['n', i], ['price', 12.5], ['ok', i % 2 === 0], ['span.kind', 'server'],
    ['name', 'grün 日本 😀'], ['empty', ''], ['tab', 'a\tb\nc'],
  ], [{event: 'error', message: 'out of stock'}, {n: -1}]);
  const child = span('send_mail', {childOf: root.context()},
    [['span.kind', 'client'], ['error', true]], []);
  const after = span('audit', {references: [
    opentracing.followsFrom(root.context()),
    opentracing.childOf(child.context())]}, [], []);
  for (const s of [after, child, root]) s.finish();
}

// A client that is told too much at once drops spans.
async function run() {
  for (let i = 0; i < 100; i++) {
    order(i);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  tracer.close(() => {
    for (const t of told) console.log(JSON.stringify(t));
    // The socket is closed before its last datagram is out.
    setTimeout(() => process.exit(0), 200);
  });
}
run();
