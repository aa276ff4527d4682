/* SPDX-License-Identifier: Apache-2.0 */
/* jaeger_proto.h - Jaeger's formats beside Thrift, read and written */
#ifndef SPAN__JAEGER_PROTO_H
#define SPAN__JAEGER_PROTO_H

#include "codec/decoder.h"
#include "codec/proto.h"

/* ValueType of model.proto: not the numbers of Thrift's TagType. */
enum jaeger_value_type {
	JAEGER_STRING = 0,
	JAEGER_BOOL = 1,
	JAEGER_INT64 = 2,
	JAEGER_FLOAT64 = 3,
	JAEGER_BINARY = 4,
};

span__read_fn span__jaeger_proto_read;
span__encode_fn span__jaeger_proto_encode;

span__read_fn span__jaeger_json_read;
/* {"data":[trace...]}; the spans come trace by trace, or are sorted so. */
span__encode_fn span__jaeger_json_encode;

#endif
