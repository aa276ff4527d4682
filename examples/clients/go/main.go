// SPDX-License-Identifier: Apache-2.0

// A shop with net/http, which sends OTLP.
//
//	OTEL_SERVICE_NAME=shop go run -mod=mod .
//
// PORT is where it listens (8080), OTEL_EXPORTER_OTLP_ENDPOINT is where spans
// go (http://localhost:4318).
package main

import (
	"context"
	"encoding/json"
	"log"
	"math/rand"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"
)

// setUp makes spans go to the collector; what it returns sends the last ones.
func setUp(ctx context.Context) (func(context.Context) error, error) {
	options := []otlptracehttp.Option{}
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" {
		options = append(options, otlptracehttp.WithInsecure())
	}
	exporter, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, err
	}
	provider := trace.NewTracerProvider(
		trace.WithBatcher(exporter, trace.WithBatchTimeout(500*time.Millisecond)))
	otel.SetTracerProvider(provider)
	return provider.Shutdown, nil
}

func order(w http.ResponseWriter, r *http.Request) {
	tracer := otel.Tracer("shop")
	item := r.PathValue("item")
	_, span := tracer.Start(r.Context(), "find_stock",
		api.WithAttributes(attribute.String("item", item)))
	found := item != "unicorn"
	if !found {
		span.AddEvent("sold out", api.WithAttributes(attribute.String("item", item)))
	}
	span.End()
	if !found {
		http.Error(w, "sold out", http.StatusNotFound)
		return
	}
	_, span = tracer.Start(r.Context(), "charge")
	amount := 1 + rand.Intn(100)
	span.SetAttributes(attribute.Int("amount", amount))
	time.Sleep(time.Duration(amount) * 100 * time.Microsecond)
	span.End()
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"item": item, "amount": amount})
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt,
		syscall.SIGTERM)
	defer stop()
	shutdown, err := setUp(ctx)
	if err != nil {
		log.Fatal(err)
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /order/{item}", order)
	server := &http.Server{Handler: otelhttp.NewHandler(mux, "shop")}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on %s", listener.Addr())
	go func() {
		<-ctx.Done()
		server.Shutdown(context.Background())
	}()
	if err := server.Serve(listener); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	if err := shutdown(context.Background()); err != nil {
		log.Print(err)
	}
}
