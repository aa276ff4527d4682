/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of tracing clients to spans. */
#include "decode-report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

static struct {
	int from; /* index into from_names */
	struct cmd_list tags;
	bool strict, skip_bad;
} opt = {.from = -1};

/* What span_format_name() says; NULL ends it. */
#define MAX_FORMATS 31
static const char *from_names[MAX_FORMATS + 1];

static const struct cmd_option options[] = {
	{CMD_CHOICE, 0, "from", &opt.from, "FORMAT",
	 "the format of each FILE, of whatever size", from_names},
	{CMD_LIST, 0, "add-process-tag", &opt.tags, "KEY=VALUE",
	 "add a tag to every process; VALUE may be ${ENV:default}", NULL},
	{CMD_FLAG, 0, "strict", &opt.strict, NULL,
	 "exit 65 when a message or a span was bad", NULL},
	{CMD_FLAG, 0, "skip-bad", &opt.skip_bad, NULL,
	 "after damage go on at the next payload", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_output_options, NULL, "Output", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_metrics_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

/* A span that the stream cannot hold costs nothing but itself. */
static int put(void *arg, const struct span *s, struct span_error *err)
{
	struct span_error why = {0};
	int rc = span_writer_put(arg, s, &why);

	if (rc == SPAN_E_LIMIT || rc == SPAN_E_INVALID) {
		decode_report.refused++;
		decode_report_span(&why);
		return 0;
	}
	if (rc < 0)
		*err = why;
	else
		decode_report.spans++;
	return rc;
}

static int decode(struct span_decoder *d, int format, struct span_str data,
		  struct span_writer *w, struct span_error *err)
{
	uint64_t bad = span_decoder_stats(d)->bad_messages;
	struct span_error why = {0};
	int rc =
		span_decoder_message(d, format, data.p, data.len, put, w, &why);

	decode_report.bytes += data.len;
	decode_report_stats(span_decoder_stats(d));
	cmd_metrics_write(decode_metrics, false);
	cmd_progress(decode_report.spans, "spans");
	if (rc >= 0) {
		decode_report_skipped(span_decoder_bad_span(d));
		return 0;
	}
	if (decode_report.stats.bad_messages == bad) {
		*err = why;
		return rc;
	}
	decode_report_message(&why);
	return 0;
}

/* An error of the input gets the file's name; one of the output is its own. */
static int fail(int rc, const struct span_error *why, struct span_writer *w,
		struct span_error *err)
{
	int written = span_writer_flush(w, err);

	if (written < 0)
		return written;
	errno = why->sys;
	return span_error_at(err, rc, why->pos, "%s: %s%s", decode_report.name,
			     why->msg,
			     strstr(why->msg, "not a payload stream")
				     ? ", and no format that is known"
				     : "");
}

static int decode_stream(struct span_decoder *d, int fd, struct span_str head,
			 struct span_writer *w, struct span_error *err)
{
	struct span_payload_reader_opts o = {
		.tie = w, .skip_bad = opt.skip_bad, .head = head};
	struct span_payload_reader *in = NULL;
	struct span_error why = {0};
	struct span_payload p;
	uint64_t places;
	int rc = span_payload_reader_open(&in, fd, &o, err);

	if (rc < 0)
		return rc;
	decode_report.payload = &p;
	while ((rc = span_payload_reader_next(in, &p, &why)) > 0) {
		decode_report.pos = span_payload_reader_pos(in);
		rc = decode(d, span_format_of_payload(&p), p.data, w, err);
		if (rc < 0)
			goto done;
	}
	if (rc < 0)
		rc = fail(rc, &why, w, err);
	decode_report.skipped += span_payload_reader_skipped(in, &places);
	decode_report.places += places;
done:
	decode_report.payload = NULL;
	span_payload_reader_close(&in);
	return rc;
}

/* What a splitter passes over is a bad message. */
static bool is_passed_over(int rc)
{
	return rc == SPAN_E_LIMIT || rc == SPAN_E_CORRUPT ||
	       rc == SPAN_E_TRUNCATED;
}

static int decode_file(struct span_decoder *d, int fd, struct span_str head,
		       struct span_writer *w, struct span_error *err)
{
	struct span_splitter_opts o = {
		.format = opt.from > 0 ? opt.from : 0, .head = head, .tie = w};
	struct span_splitter *in = NULL;
	struct span_piece piece;
	struct span_error why = {0};
	bool some = false, known = false;
	int rc = span_splitter_open(&in, fd, &o, err);

	if (rc < 0)
		return rc;
	while ((rc = span_splitter_next(in, &piece, &why)) != 0) {
		if (is_passed_over(rc)) {
			decode_report.pos = 0;
			decode_report.passed_over++;
			known = true;
			decode_report_stats(span_decoder_stats(d));
			decode_report_message(&why);
		} else if (rc > 0) {
			decode_report.pos = piece.pos;
			rc = decode(d, piece.format, piece.data, w, err);
			if (rc < 0)
				break;
			some = true;
			known |= span_decoder_format(d) != SPAN_FORMAT_AUTO;
		} else {
			rc = fail(rc, &why, w, err);
			break;
		}
	}
	decode_report.pos = 0;
	span_splitter_close(&in);
	if (rc == 0 && some && !known && opt.from < 0)
		rc = span_error_set(err, SPAN_E_CORRUPT,
				    "%s: no format that is known",
				    decode_report.name);
	return rc;
}

static bool is_stream(struct span_str head)
{
	return span_payload_detect(head.p, head.len) ||
	       span_stream_detect(head.p, head.len);
}

/*
 * As much of the beginning as it takes to know whether it is a FILE or a
 * stream of payloads, damaged or not. What it is does not depend on how much
 * a read gives.
 */
static int read_head(int fd, char *room, size_t size, struct span_str *head,
		     bool *file, struct span_error *err)
{
	enum span_head what = SPAN_HEAD_MORE;
	bool stream = false;
	ssize_t n = 1;

	while (n && !stream && !what && head->len < size) {
		n = read(fd, room + head->len, size - head->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return span_error_set(err, SPAN_E_IO, "cannot read %s",
					      decode_report.name);
		head->len += (size_t)n;
		stream = head->len > 8 && is_stream(*head);
		if (!stream && (head->len > 8 || !n))
			what = span_split_head(head->p, head->len, !n);
	}
	*file = !stream && what != SPAN_HEAD_UNKNOWN;
	return 0;
}

static int decode_name(struct span_decoder *d, const char *name,
		       struct span_writer *w, struct span_error *err)
{
	static char room[1u << 20];
	struct span_str head = {room, 0};
	bool file = true;
	int fd = -1, rc = cmd_input_open(&fd, name, err);

	if (rc < 0)
		return rc;
	decode_report.name = strcmp(name, "-") ? name : "standard input";
	cmd_signals_drain(fd);
	if (opt.from < 0)
		rc = read_head(fd, room, sizeof(room), &head, &file, err);
	if (rc == 0)
		rc = file ? decode_file(d, fd, head, w, err)
			  : decode_stream(d, fd, head, w, err);
	cmd_input_close(&fd);
	return rc;
}

/* The value of ${NAME:TEXT}; false when there is no tag. */
static bool expand(struct span_str *value)
{
	char *name, *otherwise;
	const char *set;

	if (value->len < 3 || memcmp(value->p, "${", 2) ||
	    value->p[value->len - 1] != '}')
		return true;
	name = strndup(value->p + 2, value->len - 3);
	if (!name)
		return false;
	otherwise = strchr(name, ':');
	if (otherwise)
		*otherwise++ = '\0';
	set = getenv(name);
	if (set && *set)
		*value = span_str(set);
	else if (otherwise)
		*value = (struct span_str){value->p + 2 + (otherwise - name),
					   strlen(otherwise)};
	free(name);
	return (set && *set) || otherwise;
}

/* The tags of --add-process-tag, on the heap. */
static struct span_attr *make_tags(size_t *n)
{
	struct span_attr *v = calloc(opt.tags.n + 1, sizeof(*v));

	*n = 0;
	for (size_t i = 0; v && i < opt.tags.n; i++) {
		const char *text = opt.tags.v[i], *equals = strchr(text, '=');
		struct span_attr *a = &v[*n];

		if (!equals || equals == text)
			cmd_usage("--add-process-tag needs KEY=VALUE: '%s'",
				  text);
		a->key = (struct span_str){text, (size_t)(equals - text)};
		a->value.type = SPAN_STRING;
		a->value.str = span_str(equals + 1);
		*n += expand(&a->value.str);
	}
	return v;
}

static int run(int argc, char **argv, struct span_error *err)
{
	static char *standard_input[] = {(char *)"-"};
	uint64_t start_ns = cmd_monotonic_ns();
	struct span_decoder_opts o = {0};
	struct span_decoder *d = NULL;
	struct span_writer *w = NULL;
	struct span_attr *tags = make_tags(&o.n_process_tags);
	int fd, rc;

	o.process_tags = tags;
	if ((rc = cmd_output_open(&fd, true, err)) < 0 ||
	    (rc = span_writer_open(&w, fd, err)) < 0 ||
	    (rc = span_decoder_open(&d, &o, err)) < 0)
		goto done;
	if (!argc) {
		argc = 1;
		argv = standard_input;
	}
	for (int i = 0; rc >= 0 && i < argc; i++)
		rc = decode_name(d, argv[i], w, err);
	/* What was read before the damage is good: it goes out. */
	if (rc != SPAN_E_PIPE && span_writer_flush(w, rc < 0 ? NULL : err) < 0)
		rc = rc < 0 ? rc : err->code;
	if (rc >= 0)
		rc = cmd_output_close(fd, err);
	decode_report_totals();
	cmd_metrics_write(decode_metrics, true);
	decode_report_counts(start_ns);
	if (rc >= 0 && opt.strict &&
	    (decode_report.bad_messages || decode_report.stats.bad_spans ||
	     decode_report.refused))
		rc = CMD_DATA;
done:
	span_decoder_close(&d);
	span_writer_close(&w);
	free(tags);
	return rc;
}

static const struct cmd span_decode = {
	.name = "span-decode",
	.operands = "[FILE...]",
	.summary = "turn messages of tracing clients into spans",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	for (int i = 0; i < MAX_FORMATS; i++)
		from_names[i] = span_format_name(i);
	return cmd_main(&span_decode, argc, argv);
}
