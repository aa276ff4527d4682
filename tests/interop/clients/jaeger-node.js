// SPDX-License-Identifier: Apache-2.0
// npm jaeger-client: binary Thrift, over UDP or HTTP.
//
//   jaeger-node.js udp|http
//
// Prints what it was told.
'use strict';
const {initTracer} = require('jaeger-client');
const opentracing = require('opentracing');

let failed = 0;
const fail = text => {
  failed++;
  console.error(text);
};
const to = process.argv[2] === 'http' ?
  {collectorEndpoint: `http://127.0.0.1:${process.env.PORT}/api/traces`} :
  {agentHost: '127.0.0.1', agentPort: Number(process.env.PORT)};
const tracer = initTracer(
  {
    serviceName: 'order-service',
    sampler: {type: 'const', param: 1},
    reporter: {flushIntervalMs: 50, ...to},
    traceId128bit: true,
  },
  {tags: {zone: 'b', cores: 4}, logger: {info: () => {}, error: fail}}
);
const told = [];
const typed = v => [
  {number: 'double', boolean: 'bool', string: 'string'}[typeof v] || 'bytes',
  Buffer.isBuffer(v) ? v.toString('base64') : v];
const hex = b => Buffer.from(b).toString('hex').padStart(16, '0');

function span(name, options, tags, logs) {
  const startTime = Date.now() - 5000.25;
  const s = tracer.startSpan(name, {...options, startTime});
  const c = s.context();
  for (const [k, v] of tags) s.setTag(k, v);
  for (const [time, fields] of logs) s.log(fields, time);
  const kind = tags.find(([k]) => k === 'span.kind');
  told.push({
    trace_id: hex(c.traceId), span_id: hex(c.spanId),
    parent_id: c.parentId && c.parentId.some(x => x) ? hex(c.parentId) : null,
    service: 'order-service', name, kind: kind ? kind[1] : null,
    status: tags.some(([k, v]) => k === 'error' && v) ? 'error' : 'unset',
    flags: 1, precision_ns: 1000, start_ns: Math.round(startTime * 1000) * 1000,
    tags: tags.map(([k, v]) => [k, ...typed(v)]),
    process: [['zone', 'string', 'b'], ['cores', 'double', 4]],
    events: logs.map(([time, f]) => [Math.round(time * 1000) * 1000, null,
      Object.entries(f).map(([k, v]) => [k, ...typed(v)])]),
    refs: (options.references || []).map(r => ({
      type: r.type() === 'child_of' ? 'child_of' : 'follows_from',
      trace_id: hex(r.referencedContext().traceId),
      span_id: hex(r.referencedContext().spanId)})),
  });
  return s;
}

function order(i) {
  const now = Date.now();
  const root = span('create_order', {}, [
    ['n', i], ['price', 12.5], ['ok', i % 2 === 0], ['span.kind', 'server'],
    ['beyond', 2 ** 60], ['name', 'grün 日本 😀'], ['empty', ''],
    ['tab', 'a\tb\nc'], ['raw', Buffer.from([0, 255, 10])],
  ], [[now, {event: 'error', message: 'out of stock'}], [now + 0.5, {n: -1}]]);
  const child = span('send_mail', {childOf: root.context()},
    [['span.kind', 'client'], ['error', true]], []);
  const after = span('audit', {references: [
    opentracing.followsFrom(root.context()),
    opentracing.childOf(child.context())]}, [], []);
  for (const s of [after, child, root]) s.finish();
}

const wait = ms => new Promise(resolve => setTimeout(resolve, ms));

// A client that is told too much at once drops spans.
async function run() {
  for (let i = 0; i < 100; i++) {
    order(i);
    await wait(5);
  }
  await wait(500);  // closing hangs up on what is being sent
  tracer.close(() => {
    for (const t of told) console.log(JSON.stringify(t));
    // The socket is closed before its last datagram is out.
    setTimeout(() => process.exit(failed ? 1 : 0), 200);
  });
}
run();
