/* SPDX-License-Identifier: Apache-2.0 */
/* Texts under all rules that look at them. */
#include "query/redact_walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

/* Rules of a text that is being done. */
struct work {
	struct span_str text;
	unsigned spared; /* bits of kinds that stay here */
	unsigned turn;	 /* of r->work */
	bool settled;
};

static void note_rule(struct span__redact_done *done, uint16_t rule)
{
	if (done->n_applied < REDACT_APPLIED)
		done->applied[done->n_applied] = rule;
	if (done->n_applied <= REDACT_APPLIED)
		done->n_applied++;
}

static bool is_spared(struct work *w, const struct span__redact_rule *rule)
{
	if (rule->secret < 0)
		return false;
	if (rule->action == REDACT_KEEP)
		w->spared |= 1u << rule->secret;
	return w->spared & 1u << rule->secret;
}

/* One rule after another, until one settles it. */
static int apply_rules(struct span_redact *r,
		       const struct span__redact_list *list, struct work *w,
		       struct span__redact_done *done, struct span_error *err)
{
	for (size_t i = 0; i < list->n && !w->settled; i++) {
		struct span__redact_rule *rule = &r->rules[list->rules[i]];
		struct span_buf *out = &r->work[w->turn];
		int rc;

		if (is_spared(w, rule))
			continue;
		out->len = 0;
		rc = span__redact_text(rule, r->key, w->text, out, &w->settled,
				       err);
		if (rc < 0)
			return rc;
		if (rc == REDACT_SAME)
			continue;
		note_rule(done, list->rules[i]);
		done->verdict = (uint8_t)rc;
		if (rc == REDACT_DROPPED)
			break;
		w->text = (struct span_str){out->p, out->len};
		w->turn ^= 1;
	}
	return 0;
}

/* Fill DONE in for TEXT; its text is its own. */
static int do_text(struct span_redact *r, const struct span__redact_list *list,
		   struct span_str text, struct span__redact_done *done,
		   struct span_error *err)
{
	struct work w = {.text = text};
	int rc = apply_rules(r, list, &w, done, err);

	if (rc < 0 || done->verdict != REDACT_CHANGED)
		return rc;
	if (w.text.len > SPAN_MAX_STRING)
		w.text.len = SPAN_MAX_STRING;
	done->text = malloc(w.text.len + 1);
	if (!done->text)
		return out_of_memory(err);
	if (w.text.len)
		memcpy(done->text, w.text.p, w.text.len);
	done->len = (uint32_t)w.text.len;
	return 0;
}

static void tell(struct span_redact *r, enum span__redact_place place,
		 struct span_str key, const struct span__redact_done *done)
{
	static const char *const actions[] = {"keep", "drop", "mask",
					      "truncate", "hash"};

	for (unsigned i = 0; i < done->n_applied && i < REDACT_APPLIED; i++) {
		struct span__redact_rule *rule = &r->rules[done->applied[i]];
		const struct span_redact_found found = {
			r->at, span__redact_place_name(place), key, rule->text,
			actions[rule->action]};

		rule->applied++;
		if (r->found)
			r->found(r->arg, &found);
	}
}

static int put_result(struct span_redact *r, enum span__redact_place place,
		      struct span_str key, const struct span__redact_done *done,
		      struct span_str *out, struct span_error *err)
{
	if (done->verdict == REDACT_SAME)
		return REDACT_SAME;
	tell(r, place, key, done);
	if (done->verdict == REDACT_DROPPED)
		return REDACT_DROPPED;
	if (!span_arena_str(r->into, (struct span_str){done->text, done->len},
			    out))
		return out_of_memory(err);
	return REDACT_CHANGED;
}

/* A text that is not remembered. */
static int do_once(struct span_redact *r, const struct span__redact_list *list,
		   enum span__redact_place place, struct span_str key,
		   struct span_str text, struct span_str *out,
		   struct span_error *err)
{
	struct span__redact_done done = {0};
	int rc = do_text(r, list, text, &done, err);

	if (rc >= 0)
		rc = put_result(r, place, key, &done, out, err);
	free(done.text);
	return rc;
}

struct span__redact_memo *span__redact_memo(struct span_redact *r,
					    enum span__redact_place place,
					    struct span_str key,
					    struct span_str text, bool *known)
{
	uint64_t h = (uintptr_t)key.p * UINT64_C(0x9e3779b97f4a7c15) +
		     (uintptr_t)text.p;
	struct span__redact_memo *m;

	*known = false;
	if (!r->frame)
		return NULL;
	h = (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	m = &r->memo[h >> (64 - REDACT_MEMO_BITS)];
	*known = m->frame == r->frame && m->key == key.p && m->text == text.p &&
		 m->len == text.len && m->place == (uint32_t)place;
	return m;
}

int span__redact_fresh(struct span_redact *r, enum span__redact_place place,
		       struct span_str key, struct span_str text,
		       struct span_str *out, struct span_error *err)
{
	const struct span__redact_list *list = span__redact_cache_list(
		r->cache, r->rules, r->n_rules, place, key);
	struct span__redact_done *done;
	bool known;
	int rc;

	if (!list)
		return out_of_memory(err);
	if (!list->n || !text.len)
		return REDACT_SAME;
	done = span__redact_cache_text(r->cache, list, text, &known);
	if (!done)
		return do_once(r, list, place, key, text, out, err);
	if (!known) {
		rc = do_text(r, list, text, done, err);
		if (rc < 0) {
			done->lo = done->hi = 0;
			return rc;
		}
	}
	return put_result(r, place, key, done, out, err);
}

int span__redact_string(struct span_redact *r, enum span__redact_place place,
			struct span_str key, struct span_str text,
			struct span_str *out, struct span_error *err)
{
	bool known;
	struct span__redact_memo *m =
		span__redact_memo(r, place, key, text, &known);
	int rc;

	if (known)
		return REDACT_SAME;
	rc = span__redact_fresh(r, place, key, text, out, err);
	if (m && rc == REDACT_SAME)
		*m = (struct span__redact_memo){key.p, text.p,
						(uint32_t)text.len,
						(uint32_t)place, r->frame};
	return rc;
}
