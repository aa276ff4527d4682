// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-lib/metrics/metricstest"
	"go.opentelemetry.io/contrib/samplers/jaegerremote"
	"go.opentelemetry.io/otel/sdk/trace"
)

// A sampler says whether a new trace of an operation is sampled.
type sampled func(operation string) bool

func jaegerSampler(url, service string) sampled {
	factory := metricstest.NewFactory(0)
	s := jaeger.NewRemotelyControlledSampler(service,
		jaeger.SamplerOptions.SamplingServerURL(url),
		jaeger.SamplerOptions.SamplingRefreshInterval(20*time.Millisecond),
		jaeger.SamplerOptions.Logger(failing{}),
		jaeger.SamplerOptions.Metrics(jaeger.NewMetrics(factory, nil)),
		jaeger.SamplerOptions.InitialSampler(jaeger.NewConstSampler(false)))
	tracer, _ := jaeger.NewTracer(service, s, jaeger.NewNullReporter())
	wait(service, func() bool {
		n, _ := factory.Snapshot()
		return n["jaeger.tracer.sampler_updates|result=ok"] > 0
	})
	s.Close()
	return func(operation string) bool {
		span := tracer.StartSpan(operation)
		return span.Context().(jaeger.SpanContext).IsSampled()
	}
}

func otelSampler(url, service string) sampled {
	s := jaegerremote.New(service, jaegerremote.WithSamplingServerURL(url),
		jaegerremote.WithSamplingRefreshInterval(20*time.Millisecond),
		jaegerremote.WithInitialSampler(trace.NeverSample()))
	tracer := trace.NewTracerProvider(trace.WithSampler(s)).Tracer("x")
	time.Sleep(500 * time.Millisecond) // it has nothing that tells
	s.Close()
	return func(operation string) bool {
		_, span := tracer.Start(context.Background(), operation)
		return span.SpanContext().IsSampled()
	}
}

func wait(service string, done func() bool) {
	for i := 0; i < 500; i++ {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	check(fmt.Errorf("no strategy of %s has come", service))
}

func sampler(which string) {
	make := map[string]func(string, string) sampled{
		"jaeger": jaegerSampler, "otel": otelSampler}[which]
	url := "http://127.0.0.1:" + os.Getenv("PORT") + "/sampling"
	samplers := map[string]sampled{}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		f := strings.Split(in.Text(), "\t")
		if samplers[f[0]] == nil {
			samplers[f[0]] = make(url, f[0])
		}
		n := 0
		for i := 0; i < 100; i++ {
			if samplers[f[0]](f[1]) {
				n++
			}
		}
		fmt.Printf("%s\t%s\t%d\n", f[0], f[1], n)
	}
}
