// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
)

type ref struct {
	Type       string  `json:"type"`
	TraceID    string  `json:"trace_id"`
	SpanID     string  `json:"span_id"`
	TraceState string  `json:"trace_state"`
	Tags       [][]any `json:"tags"`
}

// A line for check.py.
type told struct {
	TraceID       string   `json:"trace_id"`
	SpanID        string   `json:"span_id"`
	ParentID      *string  `json:"parent_id"`
	Service       string   `json:"service"`
	Name          string   `json:"name"`
	Kind          *string  `json:"kind"`
	Status        string   `json:"status"`
	StatusMessage string   `json:"status_message"`
	TraceState    string   `json:"trace_state"`
	DroppedTags   int      `json:"dropped_tags"`
	Flags         *uint32  `json:"flags,omitempty"`
	StartNS       int64    `json:"start_ns"`
	DurationNS    int64    `json:"duration_ns"`
	PrecisionNS   int64    `json:"precision_ns"`
	Tags          [][]any  `json:"tags"`
	Process       [][]any  `json:"process"`
	Events        [][]any  `json:"events"`
	Refs          []ref    `json:"refs"`
	Scope         []string `json:"scope,omitempty"`
	Exact         []string `json:"exact,omitempty"`
	Unordered     bool     `json:"unordered,omitempty"`
}

var all []*told

func text(format string, v any) *string {
	s := fmt.Sprintf(format, v)
	return &s
}

func printTold() error {
	out := json.NewEncoder(os.Stdout)
	for _, t := range all {
		if err := out.Encode(t); err != nil {
			return err
		}
	}
	return nil
}
