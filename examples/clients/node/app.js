// SPDX-License-Identifier: Apache-2.0
// A shop in Express, with the exporter of Jaeger's tutorials: Thrift over HTTP.
//
//   npm install
//   OTEL_SERVICE_NAME=shop npm start
//
// PORT is where it listens (8080), OTEL_EXPORTER_JAEGER_ENDPOINT is where spans
// go (http://localhost:14268/api/traces).
'use strict';
const tracer = require('./tracing');
const express = require('express');

const app = express();

app.get('/order/:item', (req, res) => {
  const {item} = req.params;
  const found = tracer.startActiveSpan('find_stock', span => {
    span.setAttribute('item', item);
    const found = item !== 'unicorn';
    if (!found) span.addEvent('sold out', {item});
    span.end();
    return found;
  });
  if (!found) return res.status(404).json({error: 'sold out'});
  tracer.startActiveSpan('charge', span => {
    const amount = 1 + Math.floor(Math.random() * 100);
    span.setAttribute('amount', amount);
    setTimeout(() => {
      span.end();
      res.json({item, amount});
    }, amount / 10);
  });
});

const server = app.listen(Number(process.env.PORT || 8080), '127.0.0.1', () =>
  console.error(`listening on 127.0.0.1:${server.address().port}`));
