// SPDX-License-Identifier: Apache-2.0

// Print those of the trace ids on standard input that a client keeps.
//
// usage: client otel-go|jaeger-go SHARE <ids
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"strconv"

	"github.com/uber/jaeger-client-go"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func keeper(who string, share float64) func(id string) bool {
	if who == "otel-go" {
		sampler := sdk.TraceIDRatioBased(share)
		return func(id string) bool {
			traceID, err := trace.TraceIDFromHex(id)
			if err != nil {
				log.Fatal(err)
			}
			p := sdk.SamplingParameters{TraceID: traceID}
			return sampler.ShouldSample(p).Decision == sdk.RecordAndSample
		}
	}
	sampler, err := jaeger.NewProbabilisticSampler(share)
	if err != nil {
		log.Fatal(err)
	}
	return func(id string) bool {
		traceID, err := jaeger.TraceIDFromString(id)
		if err != nil {
			log.Fatal(err)
		}
		kept, _ := sampler.IsSampled(traceID, "x")
		return kept
	}
}

func main() {
	share, err := strconv.ParseFloat(os.Args[2], 64)
	if err != nil {
		log.Fatal(err)
	}
	keeps := keeper(os.Args[1], share)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if keeps(lines.Text()) {
			fmt.Println(lines.Text())
		}
	}
}
