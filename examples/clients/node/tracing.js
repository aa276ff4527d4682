// SPDX-License-Identifier: Apache-2.0
// Loaded first, so that Express is instrumented.
'use strict';
const {trace} = require('@opentelemetry/api');
const {JaegerExporter} = require('@opentelemetry/exporter-jaeger');
const {registerInstrumentations} = require('@opentelemetry/instrumentation');
const {ExpressInstrumentation} =
  require('@opentelemetry/instrumentation-express');
const {HttpInstrumentation} = require('@opentelemetry/instrumentation-http');
const {BatchSpanProcessor, NodeTracerProvider} =
  require('@opentelemetry/sdk-trace-node');
const {defaultResource, detectResources, envDetector} =
  require('@opentelemetry/resources');

// Without an endpoint the exporter sends to an agent by UDP.
const endpoint = process.env.OTEL_EXPORTER_JAEGER_ENDPOINT ||
  'http://localhost:14268/api/traces';
const provider = new NodeTracerProvider({
  // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES
  resource: defaultResource().merge(
    detectResources({detectors: [envDetector]})),
  spanProcessors: [new BatchSpanProcessor(new JaegerExporter({endpoint}),
    {scheduledDelayMillis: 500})],
});
provider.register();
registerInstrumentations({instrumentations: [new HttpInstrumentation(),
  new ExpressInstrumentation()]});
module.exports = trace.getTracer('shop');
