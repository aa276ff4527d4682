/* SPDX-License-Identifier: Apache-2.0 */
/*
 * count-spans - how many spans, and how many errors, each service has
 *
 * The smallest useful program on libspan. Build and run it with
 *
 *	cc -o count-spans count-spans.c $(pkg-config --cflags --libs libspan)
 *	span-gen --traces 100 | ./count-spans
 */
#include <span/span.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct service {
	char *name;
	uint64_t n_spans, n_errors;
};

static struct service *services;
static size_t n_services;

static struct service *find(struct span_str name)
{
	struct service *s;

	for (size_t i = 0; i < n_services; i++)
		if (span_str_equal(span_str(services[i].name), name))
			return &services[i];
	s = realloc(services, (n_services + 1) * sizeof(*s));
	if (!s)
		return NULL;
	services = s;
	s += n_services;
	/* The name belongs to the reader: keep a copy. */
	*s = (struct service){.name = strndup(name.p, name.len)};
	if (!s->name)
		return NULL;
	n_services++;
	return s;
}

/* 0, or a negative code with ERR. */
static int count(struct span_reader *r, struct span_error *err)
{
	struct span span;
	int rc;

	while ((rc = span_reader_next(r, &span, err)) > 0) {
		struct service *s = find(span.process->service);

		if (!s)
			return span_error_set(err, SPAN_E_NOMEM, "no memory");
		s->n_spans++;
		s->n_errors += span_is_error(&span);
	}
	return rc;
}

int main(void)
{
	struct span_reader *r = NULL;
	struct span_error err = {0};
	int rc;

	rc = span_reader_open(&r, 0, NULL, &err);
	if (!rc)
		rc = count(r, &err);
	for (size_t i = 0; i < n_services; i++) {
		struct span_buf line = {0};

		/* What came from the network is shown escaped. */
		span_text_terminal(&line, span_str(services[i].name));
		printf("%8" PRIu64 " spans %6" PRIu64 " errors  %.*s\n",
		       services[i].n_spans, services[i].n_errors, (int)line.len,
		       line.p);
		span_buf_release(&line);
		free(services[i].name);
	}
	free(services);
	span_reader_close(&r);
	if (rc < 0)
		fprintf(stderr, "count-spans: %s\n", err.msg);
	return rc < 0;
}
