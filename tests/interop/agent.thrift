// SPDX-License-Identifier: Apache-2.0
include "jaeger.thrift"
include "zipkincore.thrift"

service Agent {
  oneway void emitZipkinBatch(1: list<zipkincore.Span> spans)
  oneway void emitBatch(1: jaeger.Batch batch)
}
