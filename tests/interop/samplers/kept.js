// SPDX-License-Identifier: Apache-2.0
//
// Print those of the trace ids on standard input that OpenTelemetry's SDK for
// JavaScript keeps.
//
// usage: node kept.js SHARE <ids
'use strict';

const fs = require('fs');
const { context } = require('@opentelemetry/api');
const {
	SamplingDecision,
	TraceIdRatioBasedSampler,
} = require('@opentelemetry/sdk-trace-base');

const sampler = new TraceIdRatioBasedSampler(Number(process.argv[2]));
const ids = fs.readFileSync(0, 'utf8').trim().split('\n');

process.stdout.write(
	ids
		.filter(
			(id) =>
				sampler.shouldSample(context.active(), id).decision ===
				SamplingDecision.RECORD_AND_SAMPLED,
		)
		.map((id) => id + '\n')
		.join(''),
);
