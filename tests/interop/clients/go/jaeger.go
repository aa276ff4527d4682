// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"
	jaegerhttp "github.com/uber/jaeger-client-go/transport"
)

func plain(k string, v any) []any {
	switch v := v.(type) {
	case string:
		return []any{k, "string", v}
	case bool:
		return []any{k, "bool", v}
	case float64:
		return []any{k, "double", v}
	case []byte:
		return []any{k, "bytes", base64.StdEncoding.EncodeToString(v)}
	}
	return []any{k, "int", v}
}

type tag struct {
	k string
	v any
}

// jaegerSpan starts a span and notes what it was told.
func jaegerSpan(t opentracing.Tracer, name string, tags []tag,
	refs ...opentracing.StartSpanOption) opentracing.Span {
	start := time.Now().Truncate(time.Microsecond)
	s := t.StartSpan(name, append(refs, opentracing.StartTime(start))...)
	c := s.Context().(jaeger.SpanContext)
	id := c.TraceID()
	flags := uint32(1)
	want := &told{TraceID: fmt.Sprintf("%016x%016x", id.High, id.Low),
		SpanID: fmt.Sprintf("%016x", uint64(c.SpanID())), Service: "stock",
		Name: name, Status: "unset", Flags: &flags, StartNS: start.UnixNano(),
		DurationNS: 2000000, Process: [][]any{plain("zone", "b")},
		Events: [][]any{{start.UnixNano(), "seen", [][]any{
			plain("event", "seen"), plain("n", 7)}}}}
	if c.ParentID() != 0 {
		want.ParentID = text("%016x", uint64(c.ParentID()))
	}
	for _, t := range tags {
		s.SetTag(t.k, t.v)
		want.Tags = append(want.Tags, plain(t.k, t.v))
		if t.k == "span.kind" {
			want.Kind = text("%s", t.v)
		} else if t.k == "error" {
			want.Status = "error"
		}
	}
	all = append(all, want)
	s.FinishWithOptions(opentracing.FinishOptions{
		FinishTime: start.Add(2 * time.Millisecond),
		LogRecords: []opentracing.LogRecord{{Timestamp: start,
			Fields: []log.Field{log.String("event", "seen"), log.Int("n", 7)}}},
	})
	return s
}

func jaegerClient(to string) {
	var transport jaeger.Transport
	if to == "http" {
		transport = jaegerhttp.NewHTTPTransport(
			"http://127.0.0.1:" + os.Getenv("PORT") + "/api/traces")
	} else {
		udp, err := jaeger.NewUDPTransport("127.0.0.1:"+os.Getenv("PORT"), 0)
		check(err)
		transport = udp
	}
	tracer, closer := jaeger.NewTracer("stock", jaeger.NewConstSampler(true),
		jaeger.NewRemoteReporter(transport,
			jaeger.ReporterOptions.Logger(failing{})),
		jaeger.TracerOptions.Gen128Bit(true),
		jaeger.TracerOptions.Tag("zone", "b"))
	for i := 0; i < 100; i++ {
		root := jaegerSpan(tracer, "reserve", []tag{{"n", i}, {"price", 12.5},
			{"ok", true}, {"name", "grün 日本 😀"}, {"raw", []byte{0, 255, 10}},
			{"low", int64(-1 << 63)}, {"big", int64(1<<53 + 1)}, {"empty", ""},
			{"span.kind", "server"}})
		jaegerSpan(tracer, "lock", []tag{{"error", true}},
			opentracing.ChildOf(root.Context()))
		jaegerSpan(tracer, "audit", nil, opentracing.FollowsFrom(root.Context()))
		all[len(all)-1].Refs = []ref{{Type: "follows_from",
			TraceID: all[len(all)-3].TraceID, SpanID: all[len(all)-3].SpanID}}
		// A client that is told too much at once drops spans.
		time.Sleep(5 * time.Millisecond)
	}
	check(closer.Close())
}

// failing ends the program when a client logs an error.
type failing struct{}

func (failing) Error(msg string)      { check(fmt.Errorf("%s", msg)) }
func (failing) Infof(string, ...any)  {}
func (failing) Debugf(string, ...any) {}
