// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/jaeger"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/exporters/zipkin"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"
)

func makeExporter(name string, gzip bool) (trace.SpanExporter, error) {
	host, port := "127.0.0.1", os.Getenv("PORT")
	address := host + ":" + port
	ctx := context.Background()
	switch name {
	case "otlp-http":
		options := []otlptracehttp.Option{otlptracehttp.WithInsecure(),
			otlptracehttp.WithEndpoint(address)}
		if gzip {
			options = append(options, otlptracehttp.WithCompression(
				otlptracehttp.GzipCompression))
		}
		return otlptracehttp.New(ctx, options...)
	case "otlp-grpc":
		options := []otlptracegrpc.Option{otlptracegrpc.WithInsecure(),
			otlptracegrpc.WithEndpoint(address)}
		if gzip {
			options = append(options, otlptracegrpc.WithCompressor("gzip"))
		}
		return otlptracegrpc.New(ctx, options...)
	case "jaeger-udp":
		return jaeger.New(jaeger.WithAgentEndpoint(
			jaeger.WithAgentHost(host), jaeger.WithAgentPort(port)))
	case "jaeger-http":
		return jaeger.New(jaeger.WithCollectorEndpoint(
			jaeger.WithEndpoint("http://" + address + "/api/traces")))
	case "zipkin":
		return zipkin.New("http://" + address + "/api/v2/spans")
	}
	return nil, fmt.Errorf("%s: no such exporter", name)
}

// The wire is what the exporter's types are made of.
var wire string

func typed(v attribute.Value) []any {
	if wire == "zipkin" {
		return []any{"string", zipkinText(v)}
	}
	switch v.Type() {
	case attribute.STRING:
		return []any{"string", v.AsString()}
	case attribute.BOOL:
		return []any{"bool", v.AsBool()}
	case attribute.INT64:
		return []any{"int", v.AsInt64()}
	case attribute.FLOAT64:
		return []any{"double", fmt.Sprint(v.AsFloat64())}
	case attribute.BYTESLICE:
		return []any{"bytes",
			base64.StdEncoding.EncodeToString(v.AsByteSlice())}
	case attribute.EMPTY:
		return []any{"null", nil}
	case attribute.MAP:
		return []any{"map", pairs(v.AsMap())}
	}
	if wire == "jaeger" {
		b, err := json.Marshal(v.AsInterface())
		check(err)
		return []any{"string", string(b)}
	}
	list := []any{}
	for _, x := range elements(v) {
		list = append(list, typed(x))
	}
	return []any{"array", list}
}

func zipkinText(v attribute.Value) string {
	switch v.Type() {
	case attribute.BOOLSLICE, attribute.INT64SLICE, attribute.FLOAT64SLICE,
		attribute.STRINGSLICE:
		b, err := json.Marshal(v.AsInterface())
		check(err)
		return string(b)
	}
	return v.Emit()
}

func elements(v attribute.Value) (out []attribute.Value) {
	switch v.Type() {
	case attribute.BOOLSLICE:
		for _, x := range v.AsBoolSlice() {
			out = append(out, attribute.BoolValue(x))
		}
	case attribute.INT64SLICE:
		for _, x := range v.AsInt64Slice() {
			out = append(out, attribute.Int64Value(x))
		}
	case attribute.FLOAT64SLICE:
		for _, x := range v.AsFloat64Slice() {
			out = append(out, attribute.Float64Value(x))
		}
	case attribute.STRINGSLICE:
		for _, x := range v.AsStringSlice() {
			out = append(out, attribute.StringValue(x))
		}
	default:
		out = v.AsSlice()
	}
	return out
}

func pairs(list []attribute.KeyValue) [][]any {
	out := [][]any{}
	for _, kv := range list {
		out = append(out, append([]any{string(kv.Key)}, typed(kv.Value)...))
	}
	return out
}

type event struct {
	name string
	at   time.Duration
	tags []attribute.KeyValue
}

type options struct {
	kind    api.SpanKind
	tags    []attribute.KeyValue
	events  []event
	links   []api.Link
	status  codes.Code
	message string
	length  time.Duration
	dropped int
}

var (
	tracer   api.Tracer
	second   = time.Now().Truncate(time.Second)
	start    = second.Add(123456789)
	resTags  []attribute.KeyValue
	kinds    = []string{"", "internal", "server", "client", "producer", "consumer"}
	statuses = map[codes.Code]string{codes.Unset: "unset",
		codes.Ok: "ok", codes.Error: "error"}
)

func tell(want *told, o options) {
	if wire == "otlp" {
		want.Exact = []string{"tags", "process", "events", "refs"}
		want.Scope = []string{"shop", "0.9"}
		want.DroppedTags = o.dropped
		return
	}
	// Neither has a place for these.
	want.TraceState, want.PrecisionNS = "", 1000
	for i := range want.Refs {
		want.Refs[i] = ref{Type: "follows_from", TraceID: want.Refs[i].TraceID,
			SpanID: want.Refs[i].SpanID}
	}
	if o.kind == api.SpanKindInternal {
		want.Kind = nil
	}
	if wire == "zipkin" {
		want.Name, want.Unordered = strings.ToLower(want.Name), true
		want.Refs, want.Process = nil, nil
		for _, e := range want.Events {
			e[1], e[2] = nil, nil
		}
	}
}

func span(ctx context.Context, name string, o options) context.Context {
	if o.length == 0 {
		o.length = 2*time.Second + 456
	}
	parent := api.SpanContextFromContext(ctx)
	ctx, s := tracer.Start(ctx, name, api.WithTimestamp(start),
		api.WithSpanKind(o.kind), api.WithAttributes(o.tags...),
		api.WithLinks(o.links...))
	c := s.SpanContext()
	want := &told{TraceID: c.TraceID().String(), SpanID: c.SpanID().String(),
		Service: "gateway", Name: name, Kind: &kinds[o.kind],
		Status: statuses[o.status], StatusMessage: o.message,
		TraceState: c.TraceState().String(), StartNS: start.UnixNano(),
		DurationNS: int64(o.length), Tags: pairs(o.tags),
		Process: pairs(resTags)}
	if len(want.Tags) > 128 {
		want.Tags = want.Tags[:128]
	}
	if parent.IsValid() {
		want.ParentID = text("%s", parent.SpanID())
	}
	for _, e := range o.events {
		if wire == "zipkin" && e.name == "" {
			continue // an annotation that says nothing
		}
		at := second.Add(e.at)
		s.AddEvent(e.name, api.WithTimestamp(at), api.WithAttributes(e.tags...))
		want.Events = append(want.Events,
			[]any{at.UnixNano(), e.name, pairs(e.tags)})
	}
	for _, l := range o.links {
		// The SDK sends no trace state of a link.
		want.Refs = append(want.Refs, ref{Type: "link",
			TraceID: l.SpanContext.TraceID().String(),
			SpanID:  l.SpanContext.SpanID().String(), Tags: pairs(l.Attributes)})
	}
	tell(want, o)
	if o.status != codes.Unset {
		s.SetStatus(o.status, o.message)
	}
	s.End(api.WithTimestamp(start.Add(o.length)))
	all = append(all, want)
	return ctx
}

func server(i int) []attribute.KeyValue {
	return []attribute.KeyValue{attribute.Int("http.status_code", 500),
		attribute.Bool("cached", false), attribute.Bool("hot", true),
		attribute.String("path", "/cart?x=ü"),
		attribute.String("name", "grün 日本 😀"), attribute.String("empty", ""),
		attribute.String("odd", "a\tb\nc\x00d\"\\"),
		attribute.Float64("share", 0.1), attribute.Float64("whole", 3),
		attribute.Int("n", i), attribute.Int("below", -1),
		attribute.Int64("big", 1<<53+1), attribute.Int64("most", math.MaxInt64),
		attribute.Int64("least", math.MinInt64), attribute.Int("zero", 0),
		attribute.StringSlice("list", []string{"a", "ü", ""}),
		attribute.Int64Slice("ints", []int64{1, -2, 1 << 62}),
		attribute.Float64Slice("doubles", []float64{0.5, 2}),
		attribute.BoolSlice("flags", []bool{true, false}),
		attribute.StringSlice("none", nil)}
}

func link(id byte, state string, tags ...attribute.KeyValue) api.Link {
	s, err := api.ParseTraceState(state)
	check(err)
	return api.Link{Attributes: tags,
		SpanContext: api.NewSpanContext(api.SpanContextConfig{
			TraceID: api.TraceID{0x0a, 0xf7, 15: 0x9c}, SpanID: api.SpanID{7: id},
			TraceFlags: api.FlagsSampled, TraceState: s, Remote: true})}
}

func trip(i int) {
	root := span(context.Background(), "GET /", options{
		kind: api.SpanKindServer, tags: server(i),
		events: []event{{"retry", 500 * time.Millisecond, []attribute.KeyValue{
			attribute.Int("n", i), attribute.String("why", "timeout"),
			attribute.Bool("late", true), attribute.Float64("after", 0.25)}},
			{"", 600000001, nil}, {"end", time.Second, nil}},
		status: codes.Error, message: "upstream gone: ü"})
	span(root, "call", options{kind: api.SpanKindClient, status: codes.Ok,
		tags: []attribute.KeyValue{attribute.Float64("rows", 0.25)},
		links: []api.Link{link(0xb7, "", attribute.String("why", "batch"),
			attribute.Int("n", 7)), link(255, "k=v")}})
	span(root, "publish", options{kind: api.SpanKindProducer})
	span(root, "take", options{kind: api.SpanKindConsumer, length: 1})
	span(root, "inside", options{kind: api.SpanKindInternal})
}

func special(few bool) {
	state, err := api.ParseTraceState("vendor=a,other=b")
	check(err)
	ff := api.SpanContextConfig{TraceFlags: api.FlagsSampled, Remote: true,
		TraceState: state}
	for i := range ff.TraceID {
		ff.TraceID[i], ff.SpanID[i/2] = 255, 254
	}
	internal := options{kind: api.SpanKindInternal}
	span(api.ContextWithRemoteSpanContext(context.Background(),
		api.NewSpanContext(ff)), "POST /", internal)
	many := internal
	for i := 0; i < 130; i++ {
		many.tags = append(many.tags, attribute.Int(fmt.Sprint("key.", i), i))
	}
	many.dropped = 2
	internal.tags = []attribute.KeyValue{
		attribute.String("text", strings.Repeat("é", 10000))}
	if !few {
		span(context.Background(), "many", many)
		span(context.Background(), "long", internal)
	}
	internal.tags = []attribute.KeyValue{attribute.Float64("nan", math.NaN()),
		attribute.Float64("inf", math.Inf(1)),
		attribute.Float64("less", math.Inf(-1)),
		attribute.Float64("minus", math.Copysign(0, -1))}
	if wire != "zipkin" {
		span(context.Background(), "odd numbers", internal)
	}
	internal.tags = []attribute.KeyValue{
		attribute.ByteSlice("raw", []byte{0, 255, 10}),
		{Key: "unset", Value: attribute.Value{}},
		attribute.Map("map", attribute.Int("a", 1), attribute.Map("b",
			attribute.Slice("c", attribute.StringValue("d"),
				attribute.Int64Value(2), attribute.ByteSliceValue([]byte{254}))))}
	if wire == "otlp" {
		span(context.Background(), "nested", internal)
	}
}

func otelClient(name string, gzip bool) {
	wire, _, _ = strings.Cut(name, "-")
	otel.SetErrorHandler(otel.ErrorHandlerFunc(check))
	exporter, err := makeExporter(name, gzip)
	check(err)
	res := resource.NewWithAttributes("https://opentelemetry.io/schemas/1.26.0",
		attribute.String("service.name", "gateway"), attribute.Int("cores", 4),
		attribute.String("zone", "b"))
	for _, kv := range res.Attributes() {
		if kv.Key != "service.name" {
			resTags = append(resTags, kv)
		}
	}
	provider := trace.NewTracerProvider(trace.WithResource(res),
		trace.WithBatcher(exporter, trace.WithMaxQueueSize(10000),
			trace.WithMaxExportBatchSize(2000)))
	tracer = provider.Tracer("shop", api.WithInstrumentationVersion("0.9"))
	_, few := os.LookupEnv("FEW") // one of each, for a fixture
	trip(0)
	for i := 1; i < 20 && !few; i++ {
		trip(i)
	}
	special(few)
	root := span(context.Background(), "large",
		options{kind: api.SpanKindInternal})
	many := 3000
	if few {
		many = 1
	} else if name == "jaeger-udp" {
		many = 200
	}
	for i := 0; i < many; i++ {
		span(root, fmt.Sprint("step ", i%10), options{
			kind: api.SpanKindInternal, tags: []attribute.KeyValue{
				attribute.Int("n", i),
				attribute.String("text", strings.Repeat("x", i%200))}})
	}
	check(provider.ForceFlush(context.Background()))
	check(provider.Shutdown(context.Background()))
}
