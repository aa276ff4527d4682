// SPDX-License-Identifier: Apache-2.0

// jaeger-client-go: compact Thrift over UDP. Prints what it was told.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"
)

type told struct {
	TraceID  string            `json:"trace_id"`
	SpanID   string            `json:"span_id"`
	ParentID *string           `json:"parent_id"`
	Service  string            `json:"service"`
	Name     string            `json:"name"`
	Tags     [][]interface{}   `json:"tags"`
	Process  [][]interface{}   `json:"process"`
	Logs     [][][]interface{} `json:"logs"`
}

func typed(k string, v interface{}) []interface{} {
	switch v.(type) {
	case string:
		return []interface{}{k, "string", v}
	case bool:
		return []interface{}{k, "bool", v}
	case float64:
		return []interface{}{k, "double", v}
	case []byte:
		return []interface{}{k, "bytes", v}
	}
	return []interface{}{k, "int", v}
}

func main() {
	transport, err := jaeger.NewUDPTransport("127.0.0.1:"+os.Getenv("PORT"), 0)
	if err != nil {
		panic(err)
	}
	tracer, closer := jaeger.NewTracer("stock", jaeger.NewConstSampler(true),
		jaeger.NewRemoteReporter(transport), jaeger.TracerOptions.Tag("zone", "b"))
	var all []told
	span := func(name string, tags [][]interface{}, refs ...opentracing.StartSpanOption) opentracing.Span {
		s := tracer.StartSpan(name, refs...)
		c := s.Context().(jaeger.SpanContext)
		t := told{TraceID: fmt.Sprintf("%016x", c.TraceID().Low),
			SpanID: fmt.Sprintf("%016x", uint64(c.SpanID())), Service: "stock", Name: name,
			Process: [][]interface{}{typed("zone", "b")}}
		if c.ParentID() != 0 {
			p := fmt.Sprintf("%016x", uint64(c.ParentID()))
			t.ParentID = &p
		}
		for _, tag := range tags {
			s.SetTag(tag[0].(string), tag[1])
			t.Tags = append(t.Tags, typed(tag[0].(string), tag[1]))
		}
		s.LogFields(log.String("event", "seen"), log.Int("n", 7))
		t.Logs = [][][]interface{}{{typed("event", "seen"), typed("n", 7)}}
		all = append(all, t)
		return s
	}
	for i := 0; i < 100; i++ {
		root := span("reserve", [][]interface{}{{"n", i}, {"price", 12.5}, {"ok", true},
			{"name", "grün 日本 😀"}, {"raw", []byte{0, 255, 10}}, {"low", int64(-1 << 63)}})
		child := span("lock", nil, opentracing.ChildOf(root.Context()))
		child.Finish()
		root.Finish()
		// A client that is told too much at once drops spans.
		time.Sleep(5 * time.Millisecond)
	}
	closer.Close()
	out := json.NewEncoder(os.Stdout)
	for _, t := range all {
		if err := out.Encode(t); err != nil {
			panic(err)
		}
	}
}
