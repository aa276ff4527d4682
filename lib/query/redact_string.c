/* SPDX-License-Identifier: Apache-2.0 */
/* Texts under all rules that look at them. */
#include "query/redact_walk.h"

#include <string.h>

#include "base/banned.h"

#define KNOWN_MAX (8u << 20) /* bytes of what is remembered of a frame */
#define SHORT 48u	     /* bytes of a text that is read, not hashed */
#define ROUNDS 4u	     /* that one text goes through */

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

/* Rules of a text that is being done. */
struct work {
	struct span_str text;
	bool has_hints;
	unsigned hints;	 /* bits of kinds that it may have */
	unsigned spared; /* of kinds that stay here */
	unsigned turn;	 /* of r->work */
	unsigned round;
	bool changed; /* in this round */
	bool settled;
};

static void note_rule(struct span__redact_done *done, uint16_t rule)
{
	for (unsigned i = 0; i < done->n_applied; i++)
		if (done->applied[i] == rule)
			return;
	if (done->n_applied < REDACT_APPLIED)
		done->applied[done->n_applied++] = rule;
}

static unsigned hints_of(struct work *w)
{
	if (!w->has_hints)
		w->hints = span__secret_hints(w->text);
	w->has_hints = true;
	return w->hints;
}

/* Has RULE nothing to do here? */
static bool is_spared(struct work *w, const struct span__redact_rule *rule)
{
	if (rule->secret < 0)
		return false;
	if (rule->action == REDACT_KEEP)
		w->spared |= 1u << rule->secret;
	return !(hints_of(w) & ~w->spared & 1u << rule->secret);
}

/*
 * Rounds after the first are for what detectors mask: other actions would do
 * again what they did.
 */
static bool is_of_round(const struct work *w,
			const struct span__redact_rule *rule)
{
	return !w->round ||
	       (rule->secret >= 0 &&
		(rule->action == REDACT_KEEP || rule->action == REDACT_MASK));
}

/* One rule after another, until one settles it. */
static int apply_rules(struct span_redact *r,
		       const struct span__redact_list *list, struct work *w,
		       struct span__redact_done *done, struct span_error *err)
{
	w->changed = false;
	for (size_t i = 0; i < list->n && !w->settled; i++) {
		struct span__redact_rule *rule = &r->rules[list->rules[i]];
		struct span_buf *out = &r->work[w->turn];
		int rc;

		if (!is_of_round(w, rule) || is_spared(w, rule))
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
		w->has_hints = false;
		w->changed = true;
		w->turn ^= 1;
	}
	return 0;
}

/* Is it known, or told by the characters, that the text stays as it is? */
static bool is_clean(struct span_redact *r,
		     const struct span__redact_list *list, struct work *w,
		     struct span__redact_clean *hash)
{
	if (!list->n || !w->text.len)
		return true;
	/* Of a short text the hash takes longer. */
	if (w->text.len <= SHORT && !list->has_other &&
	    !(hints_of(w) & list->kinds))
		return true;
	*hash = span__redact_cache_hash(r->cache, list, w->text);
	return span__redact_cache_is_clean(r->cache, *hash);
}

/* What is masked may have hidden what stands beside it. */
static int do_rounds(struct span_redact *r,
		     const struct span__redact_list *list, struct work *w,
		     struct span__redact_done *done, struct span_error *err)
{
	struct span__redact_clean hash;
	int rc;

	do
		rc = apply_rules(r, list, w, done, err);
	while (rc >= 0 && w->changed && !w->settled &&
	       done->verdict == REDACT_CHANGED && ++w->round < ROUNDS &&
	       (list->has_other || !is_clean(r, list, w, &hash)));
	if (rc >= 0 && w->round && !w->changed && !w->spared &&
	    !list->has_other)
		span__redact_cache_put_clean(r->cache, hash);
	return rc;
}

/*
 * Fill DONE in for the text of W; its own text is borrowed until the next call.
 * Returns its verdict or a negative code.
 */
static int do_text(struct span_redact *r, const struct span__redact_list *list,
		   struct work *w, struct span__redact_done *done,
		   struct span_error *err)
{
	int rc;

	*done = (struct span__redact_done){0};
	if (!list->has_other && !(list->kinds & hints_of(w)))
		return REDACT_SAME;
	rc = do_rounds(r, list, w, done, err);
	done->text = w->text;
	if (done->text.len > SPAN_MAX_STRING)
		done->text.len = SPAN_MAX_STRING;
	return rc < 0 ? rc : done->verdict;
}

/* KEY as it comes out: there may be a secret in it, too. */
static struct span_str shown_key(struct span_redact *r, uint32_t place,
				 struct span_str key)
{
	const struct span__redact_done *done = NULL;
	const struct span__redact_list *list;
	struct span_error why;

	if (place == REDACT_FIELD)
		return key;
	list = span__redact_cache_list(r->cache, r->rules, r->n_rules,
				       REDACT_FIELD, SPAN_STR("key"));
	if (!list || span__redact_judge(r, list, key, &done, &why) < 0 ||
	    (done && done->verdict == REDACT_DROPPED))
		return SPAN_STR("");
	return done ? done->text : key;
}

/* Nothing that is borrowed of R but DONE is there after that. */
static void tell(struct span_redact *r, uint32_t place, struct span_str key,
		 const struct span__redact_done *done)
{
	if (r->found)
		key = shown_key(r, place, key);
	for (unsigned i = 0; i < done->n_applied; i++) {
		struct span__redact_rule *rule = &r->rules[done->applied[i]];
		const struct span_redact_found found = {
			r->at,
			span__redact_place_name((enum span__redact_place)place),
			key, rule->text};

		if (r->is_noting)
			span_buf_put(&r->noted, &done->applied[i],
				     sizeof(done->applied[i]));
		else
			span__redact_count(r, done->applied[i], 1);
		if (r->found)
			r->found(r->arg, &found);
	}
}

int span__redact_fresh(struct span_redact *r, const struct span__redact_key *k,
		       struct span_str key, struct span_str text,
		       struct span_str *out, struct span_error *err)
{
	struct work w = {.text = text};
	struct span__redact_done done;
	int rc;

	if (!k->list->n || !text.len)
		return REDACT_SAME;
	rc = do_text(r, k->list, &w, &done, err);
	if (rc == REDACT_CHANGED && !span_arena_str(r->into, done.text, out))
		return out_of_memory(err);
	if (rc > 0)
		tell(r, k->place, key, &done);
	return rc;
}

int span__redact_judge(struct span_redact *r,
		       const struct span__redact_list *list,
		       struct span_str text,
		       const struct span__redact_done **out,
		       struct span_error *err)
{
	struct work w = {.text = text};
	struct span__redact_clean hash;
	struct span__redact_done done, *kept;
	int rc;

	*out = NULL;
	if (is_clean(r, list, &w, &hash))
		return REDACT_SAME;
	rc = do_text(r, list, &w, &done, err);
	if (rc == REDACT_SAME)
		span__redact_cache_put_clean(r->cache, hash);
	if (rc <= 0)
		return rc;
	kept = span_arena_alloc(&r->frame, sizeof(*kept));
	if (!kept)
		return out_of_memory(err);
	*kept = done;
	if (rc == REDACT_CHANGED &&
	    !span_arena_str(&r->frame, done.text, &kept->text))
		return out_of_memory(err);
	*out = kept;
	return rc;
}

int span__redact_known(struct span_redact *r,
		       const struct span__redact_list *list,
		       struct span_str text,
		       const struct span__redact_done **out,
		       struct span_error *err)
{
	struct span__redact_text *m = span__redact_text_slot(r, list, text.p);
	int rc;

	if (!span__redact_is_known(r, m, list, text)) {
		rc = span__redact_judge(r, list, text, out, err);
		if (rc < 0)
			return rc;
		*m = (struct span__redact_text){list->id, text.p, *out,
						(uint32_t)text.len,
						r->generation};
	}
	*out = m->done;
	return m->done ? m->done->verdict : REDACT_SAME;
}

int span__redact_string(struct span_redact *r, const struct span__redact_key *k,
			struct span_str key, struct span_str text,
			struct span_str *out, struct span_error *err)
{
	const struct span__redact_text *m =
		span__redact_text_slot(r, k->list, text.p);
	const struct span__redact_done *done;
	int rc;

	if (!k->list->n || !text.len)
		return REDACT_SAME;
	if (!span__redact_has_room(r) &&
	    !span__redact_is_known(r, m, k->list, text))
		return span__redact_fresh(r, k, key, text, out, err);
	rc = span__redact_known(r, k->list, text, &done, err);
	if (rc <= 0)
		return rc;
	tell(r, k->place, key, done);
	*out = done->text;
	if (rc == REDACT_CHANGED && r->into == &r->kept &&
	    !span_arena_str(r->into, done->text, out))
		return out_of_memory(err);
	return rc;
}

bool span__redact_has_room(const struct span_redact *r)
{
	return span_arena_size(&r->frame) <= KNOWN_MAX;
}

void span__redact_next_generation(struct span_redact *r)
{
	r->evicted = r->cache->evicted;
	if (++r->generation)
		return;
	memset(r->keys, 0, sizeof(r->keys));
	memset(r->known, 0, sizeof(r->known));
	memset(r->processes, 0, sizeof(r->processes));
	r->generation = 1;
}

struct span__redact_key *span__redact_new_key(struct span_redact *r,
					      struct span__redact_key *slot,
					      enum span__redact_place place,
					      struct span_str key)
{
	const struct span__redact_list *list = span__redact_cache_list(
		r->cache, r->rules, r->n_rules, place, key);

	/* What is known may be of a list that is no more. */
	if (r->evicted != r->cache->evicted)
		span__redact_next_generation(r);
	*slot = (struct span__redact_key){
		key.p, (uint32_t)key.len,	 (uint32_t)place,
		list,  list ? r->generation : 0, false};
	return list ? slot : NULL;
}
