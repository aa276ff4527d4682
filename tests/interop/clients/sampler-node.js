// SPDX-License-Identifier: Apache-2.0
// Remote samplers of npm.
//
//   sampler-node.js jaeger|otel <sampling.tsv
//
// Prints how many of 100 traces of each service and operation are sampled.
'use strict';
const which = process.argv[2];
const questions = require('fs').readFileSync(0, 'utf8').trim().split('\n')
  .map(line => line.split('\t'));
const endpoint = `http://127.0.0.1:${process.env.PORT}`;
const fail = (...what) => {
  console.error(...what);
  process.exit(1);
};

// Resolves with a function that says whether a trace is sampled.
const make = {
  jaeger: service => new Promise(resolve => {
    const {ConstSampler, NoopReporter, RemoteSampler, Tracer} =
      require('jaeger-client');
    const sampler = new RemoteSampler(service, {
      sampler: new ConstSampler(false), refreshInterval: 50,
      hostPort: endpoint, logger: {info: () => {}, error: fail},
      onSamplerUpdate: () => {
        sampler.close();
        resolve(name => tracer.startSpan(name).context().isSampled());
      },
    });
    const tracer = new Tracer(service, new NoopReporter(), sampler);
  }),
  otel: service => new Promise(resolve => {
    const {JaegerRemoteSampler} =
      require('@opentelemetry/sampler-jaeger-remote');
    const {AlwaysOffSampler, BasicTracerProvider} =
      require('@opentelemetry/sdk-trace-base');
    const sampler = new JaegerRemoteSampler({endpoint, serviceName: service,
      poolingInterval: 50, initialSampler: new AlwaysOffSampler()});
    const tracer = new BasicTracerProvider({sampler}).getTracer('x');
    const before = sampler.toString();
    const timer = setInterval(() => {
      if (sampler.toString() === before) return;
      clearInterval(timer);
      resolve(name => tracer.startSpan(name).isRecording());
    }, 20);
  }),
};

const quiet = () => {};
require('@opentelemetry/api').diag.setLogger(
  {error: fail, warn: fail, info: quiet, debug: quiet, verbose: quiet});

async function run() {
  const services = {};
  for (const [service, operation] of questions) {
    // This one knows no rate limits.
    if (which === 'otel' && service === 'limited') continue;
    const sampled = services[service] ||= await make[which](service);
    let n = 0;
    for (let i = 0; i < 100; i++) n += sampled(operation);
    console.log(`${service}\t${operation}\t${n}`);
  }
  process.exit(0);
}
run().catch(fail);
