/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal-model.h - store-model.h for stores with segments, whose spans come in
 * another order
 */
#ifndef SEAL_MODEL_H
#define SEAL_MODEL_H

#include "store-model.h"

/* How often each span of each frame was found. */
struct tally {
	uint8_t seen[MODEL_MAX][4];
	uint64_t n;
	bool strange; /* a span that no frame has */
};

static inline void tally_add(struct tally *t, const struct span *s)
{
	struct span want;
	uint64_t id;

	memcpy(&id, s->span_id, 8);
	id = be64toh(id);
	t->n++;
	if (id / 4 >= MODEL_MAX || id % 4 >= model_spans(id / 4)) {
		t->strange = true;
		return;
	}
	model_span(id / 4, (uint32_t)(id % 4), &want);
	t->strange |= !span_equal(s, &want);
	if (t->seen[id / 4][id % 4] < 100)
		t->seen[id / 4][id % 4]++;
}

static inline int tally_scan(struct tally *t, struct span_store *st,
			     struct span_error *err)
{
	struct span_cursor *c = NULL;
	struct span s;
	int rc = span_store_scan(st, NULL, &c, err);

	memset(t, 0, sizeof(*t));
	while (!rc && (rc = span_cursor_next(c, &s, err)) > 0) {
		rc = 0;
		tally_add(t, &s);
	}
	span_cursor_close(&c);
	return rc;
}

/* All that a reader of the directory NAME finds. M (or NULL): its damage. */
static inline int tally_read(struct tally *t, struct simdisk *disk,
			     const char *name, struct model *m,
			     struct span_error *err)
{
	const struct span_store_opts o = {
		.damage = m ? model_damage : NULL,
		.arg = m,
	};
	struct span_store *st = NULL;
	int rc = span__store_open(&st, name, &o, simdisk_io(disk), err);

	memset(t, 0, sizeof(*t));
	if (!rc)
		rc = tally_scan(t, st, err);
	(void)span_store_close(&st, NULL);
	return rc;
}

/* Every acknowledged span once, any other once at most, frames whole. */
static inline const char *tally_judge(const struct tally *t,
				      const struct model *m)
{
	if (t->strange)
		return "a span is strange";
	for (uint64_t n = 1; n < MODEL_MAX; n++) {
		for (uint32_t i = 0; i < model_spans(n); i++) {
			if (t->seen[n][i] > 1)
				return "a span is there twice";
			if (m->acked[n] && !t->seen[n][i])
				return "an acknowledged span is lost";
			if (t->seen[n][i] != t->seen[n][0])
				return "a frame is torn";
		}
	}
	return NULL;
}

/* A store of LOGS closed logs of 10 frames each, a minute apart. */
static inline struct simdisk *seal_logs(struct model *m, unsigned logs)
{
	struct span_store_opts o = model_opts(m, SPAN_SYNC_EACH);
	struct simdisk *disk = simdisk_open();
	struct span_error err;

	memset(m, 0, sizeof(*m));
	for (unsigned i = 0; i < logs; i++) {
		if (model_run(m, disk, &o, i * 10 + 1, i * 10 + 10, &err) < 0)
			abort();
		simdisk_pass(disk, 60000000000);
	}
	return disk;
}

static inline int seal_with(struct simdisk *disk, struct model *m,
			    const struct span_seal_opts *o,
			    struct span_sealed *out, struct span_error *err)
{
	const struct span_store_opts so = {
		.mode = SPAN_STORE_MAINTAIN,
		.damage = model_damage,
		.arg = m,
	};
	struct span_store *st = NULL;
	int rc = span__store_open(&st, "store", &so, simdisk_io(disk), err);

	memset(out, 0, sizeof(*out));
	if (!rc)
		rc = span_store_seal(st, o, out, NULL, NULL, err);
	(void)span_store_close(&st, NULL);
	return rc;
}

/* Seal whatever there is. */
static inline int seal_all(struct simdisk *disk, struct model *m,
			   struct span_sealed *out, struct span_error *err)
{
	const struct span_seal_opts o = {.all = true};

	return seal_with(disk, m, &o, out, err);
}

static inline int seal_verify(struct simdisk *disk, const char *name,
			      struct span_error *err)
{
	struct span_store *st = NULL;
	int rc = span__store_open(&st, name, NULL, simdisk_io(disk), err);

	if (!rc)
		rc = span_store_verify(st, NULL, NULL, err);
	(void)span_store_close(&st, NULL);
	return rc;
}

#endif
