module kept

go 1.25

require (
	github.com/uber/jaeger-client-go v2.30.0+incompatible
	go.opentelemetry.io/otel/sdk v1.47.0
	go.opentelemetry.io/otel/trace v1.47.0
)
