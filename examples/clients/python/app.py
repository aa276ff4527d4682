# SPDX-License-Identifier: Apache-2.0
"""A shop in Flask, with the exporter of Jaeger's tutorials: Thrift to UDP.

    pip install -r requirements.txt
    OTEL_SERVICE_NAME=shop python app.py

PORT is where it listens (8080), OTEL_EXPORTER_JAEGER_AGENT_HOST and
OTEL_EXPORTER_JAEGER_AGENT_PORT are where spans go (localhost, 6831).
"""

import os
import random
import time

from flask import Flask, abort
from opentelemetry import trace
from opentelemetry.exporter.jaeger.thrift import JaegerExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(
    BatchSpanProcessor(JaegerExporter(), schedule_delay_millis=500))
tracer = trace.get_tracer("shop")

app = Flask(__name__)
FlaskInstrumentor().instrument_app(app)


@app.route("/order/<item>")
def order(item):
    with tracer.start_as_current_span("find_stock") as span:
        span.set_attribute("item", item)
        if item == "unicorn":
            span.add_event("sold out", {"item": item})
    if item == "unicorn":
        abort(404)
    with tracer.start_as_current_span("charge") as span:
        amount = random.randint(1, 100)
        span.set_attribute("amount", amount)
        time.sleep(amount / 10000)
    return {"item": item, "amount": amount}


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", "8080")))
