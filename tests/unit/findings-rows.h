/* SPDX-License-Identifier: Apache-2.0 */
/* findings-rows.h - traces as tables, for the tests of findings */
#ifndef FINDINGS_ROWS_H
#define FINDINGS_ROWS_H

#include <span/findings.h>

#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)

/* Times in ms; id and parent are letters, 0: no parent. */
struct row {
	char id, parent, service;
	const char *name;
	uint64_t start, end;
	/*
	 * c: client, s: server, p: producer, C: consumer, e: failed, o: ok, f:
	 * follows from its parent
	 */
	const char *how;
	/* Or, with a '=' first, a status message, '#' a number of HTTP. */
	const char *statement;
};

static struct span_trace_builder builder;

static const struct span_process *process(char service)
{
	static struct span_attr hosts[128];
	static struct span_process processes[128];
	static char names[128];
	unsigned i = (unsigned char)service;

	names[i] = service;
	hosts[i] = (struct span_attr){
		SPAN_STR("host.name"),
		{.type = SPAN_STRING, .str = {&names[i], 1}}};
	processes[i].service = (struct span_str){&names[i], 1};
	processes[i].attrs.v = &hosts[i];
	processes[i].attrs.n = service < 'a'; /* capitals have a host */
	return &processes[i];
}

static int kind_of(const char *how)
{
	static const char letters[] = "csCp";
	static const int kinds[] = {SPAN_KIND_CLIENT, SPAN_KIND_SERVER,
				    SPAN_KIND_CONSUMER, SPAN_KIND_PRODUCER};

	for (int i = 0; i < 4; i++)
		if (strchr(how, letters[i]))
			return kinds[i];
	return SPAN_KIND_INTERNAL;
}

static void put(const struct row *r)
{
	struct span_attr statement = {SPAN_STR("db.statement"),
				      {.type = SPAN_STRING}};
	struct span_attr code = {SPAN_STR("http.status_code"),
				 {.type = SPAN_INT}};
	struct span_ref follows = {.type = SPAN_REF_FOLLOWS_FROM,
				   .trace_id = {1},
				   .span_id = {(uint8_t)r->parent}};
	struct span s = {.trace_id = {1},
			 .span_id = {(uint8_t)r->id},
			 .parent_id = {(uint8_t)r->parent},
			 .refs = &follows,
			 .n_refs = strchr(r->how, 'f') != NULL,
			 .start_ns = r->start * MS,
			 .duration_ns = (r->end - r->start) * MS,
			 .name = span_str(r->name),
			 .process = process(r->service)};

	s.kind = (uint8_t)kind_of(r->how);
	if (strchr(r->how, 'e'))
		s.status = SPAN_STATUS_ERROR;
	else if (strchr(r->how, 'o'))
		s.status = SPAN_STATUS_OK;
	if (r->statement && *r->statement == '#') {
		code.value.i = strtol(r->statement + 1, NULL, 10);
		s.attrs.v = &code;
		s.attrs.n = 1;
	} else if (r->statement && *r->statement == '=') {
		s.status_message = span_str(r->statement + 1);
	} else if (r->statement) {
		statement.value.str = span_str(r->statement);
		s.attrs.v = &statement;
		s.attrs.n = 1;
	}
	if (span_trace_builder_put(&builder, &s, NULL) < 0)
		abort();
}

static void build(struct span_trace *t)
{
	if (span_trace_builder_build(&builder, t, NULL) < 0)
		abort();
}

#endif
