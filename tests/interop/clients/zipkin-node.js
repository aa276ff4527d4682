// SPDX-License-Identifier: Apache-2.0
// npm zipkin with zipkin-transport-http: JSON of version 1 or 2.
//
//   zipkin-node.js v1|v2
//
// Prints what it was told.
'use strict';
const {Annotation, BatchRecorder, ExplicitContext, InetAddress, Tracer,
  jsonEncoder} = require('zipkin');
const {HttpLogger} = require('zipkin-transport-http');

const version = process.argv[2];
let failed = 0;
const logger = new HttpLogger({
  endpoint: `http://127.0.0.1:${process.env.PORT}/api/${version}/spans`,
  jsonEncoder: version === 'v1' ? jsonEncoder.JSON_V1 : jsonEncoder.JSON_V2,
  httpInterval: 50,
});
let waiting = 0;
const send = logger.processQueue.bind(logger);
logger.processQueue = (...a) => {
  if (logger.queue.length) waiting++;
  send(...a);
};
logger.on('success', () => waiting--);
logger.on('error', e => {
  console.error(e.message.slice(0, 500));
  failed++;
  waiting--;
});
const recorder = new BatchRecorder({logger});
const tracer = new Tracer({ctxImpl: new ExplicitContext(), recorder,
  localServiceName: 'basket', traceId128Bit: true, supportsJoin: true});
const told = [];

const far = {serviceName: 'stock', host: new InetAddress('10.0.0.9'),
  port: 65535};
const ip = (...bytes) => Buffer.from(bytes).readInt32BE();

// What comes of a span. Version 1 has no place for the service of a span
// without annotations, and words of its own for messages, which are no kind.
function tell(id, name, kind, {tags = {}, messages = [], remote}) {
  const want = {
    trace_id: id.traceId, span_id: id.spanId,
    parent_id: id.parentSpanId.getOrElse(null) || null,
    service: 'basket', name, kind, process: [['ip', 'int', ip(10, 1, 2, 3)]],
    tags: Object.entries(tags).map(([k, v]) => [k, 'string', String(v)]),
    events: messages.map(m => [null, m, []]),
    status: 'error' in tags ? 'error' : 'unset',
    status_message: tags.error || '',
  };
  if (remote instanceof Annotation.ServerAddr) {
    want.tags.push(['peer.service', 'string', 'stock']);
  }
  if (remote) {
    want.tags.push(['peer.ipv4', 'int', ip(10, 0, 0, 9)],
      ['peer.port', 'int', 65535]);
  }
  if (version === 'v1' && ['producer', 'consumer'].includes(kind)) {
    delete want.kind;
    delete want.events;
  }
  if (version === 'v1' && !kind && !want.tags.length) {
    Object.assign(want, {service: 'unknown-service-name', process: [],
      marks: ['renamed']});
  }
  told.push(want);
}

function span(id, name, kind, [begin, end], how = {}) {
  const {tags = {}, messages = [], remote} = how;
  tracer.scoped(() => {
    tracer.setId(id);
    tracer.recordServiceName('basket');
    tracer.recordRpc(name);
    tracer.recordAnnotation(new Annotation.LocalAddr(
      {host: new InetAddress('10.1.2.3'), port: 8080}));
    tracer.recordAnnotation(begin);
    for (const [k, v] of Object.entries(tags)) tracer.recordBinary(k, v);
    for (const m of messages) tracer.recordMessage(m);
    if (remote) tracer.recordAnnotation(remote);
    tracer.recordAnnotation(end);
  });
  tell(id, name, kind, how);
}

const serving = () => [new Annotation.ServerRecv(),
  new Annotation.ServerSend()];
const calling = () => [new Annotation.ClientSend(),
  new Annotation.ClientRecv()];

function trip(i) {
  const root = tracer.createRootId();
  const child = tracer.createChildId(root);
  span(root, 'get /cart', 'server', serving(),
    {tags: {'n': i, 'ok': true, 'name': 'grün 日本 😀', 'empty': '',
      'odd': 'a\tb\nc"\\', 'error': 'out of stock'},
    messages: ['cache miss', 'ü', '{"not": 1}'],
    remote: new Annotation.ClientAddr(far)});
  span(child, 'get', 'client', calling(),
    {tags: {'http.path': '/stock'}, remote: new Annotation.ServerAddr(far)});
  // Both sides of this call have the same id.
  const shared = tracer.createChildId(root);
  span(shared, 'post', 'client', calling());
  tracer.scoped(() => span(tracer.join(shared), 'post', 'server', serving()));
  span(tracer.createChildId(child), 'read', null,
    [new Annotation.LocalOperationStart('read'),
      new Annotation.LocalOperationStop()]);
  span(tracer.createChildId(root), 'publish', 'producer',
    [new Annotation.ProducerStart(), new Annotation.ProducerStop()]);
  span(tracer.createChildId(root), 'take', 'consumer',
    [new Annotation.ConsumerStart(), new Annotation.ConsumerStop()]);
}

// FEW: one of each, for a fixture.
for (let i = 0; i < ('FEW' in process.env ? 1 : 200); i++) trip(i);

const end = Date.now() + 20000;
const timer = setInterval(() => {
  if ((waiting || logger.queue.length) && Date.now() < end) return;
  clearInterval(timer);
  for (const t of told) console.log(JSON.stringify(t));
  process.exit(failed || waiting ? 1 : 0);
}, 100);
