// SPDX-License-Identifier: Apache-2.0

// Clients for Go. Prints what the one that is named was told:
//
//	client jaeger-client udp|http     jaeger-client-go
//	client EXPORTER [gzip]            OpenTelemetry's SDK
//	client sampler jaeger|otel        remote samplers, with the questions of
//	                                  sampling.tsv on standard input
package main

import (
	"fmt"
	"os"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	args := append(os.Args[1:], "", "")
	switch args[0] {
	case "jaeger-client":
		jaegerClient(args[1])
	case "sampler":
		sampler(args[1])
	default:
		otelClient(args[0], args[1] == "gzip")
	}
	check(printTold())
}
