/* SPDX-License-Identifier: Apache-2.0 */
/* The topologies of the profiles: cmd/gen-*.json, put here by the build. */
#include "gen.h"

#include <string.h>

#include "cmd/gen-profiles.inc"

#include "base/banned.h"

static const struct {
	const char *name;
	struct span_str json;
} profiles[] = {
	{"shop", {shop, sizeof(shop)}},
	{"deep", {deep, sizeof(deep)}},
	{"wide", {wide, sizeof(wide)}},
};

struct span_str gen_profile(const char *name)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (!strcmp(profiles[i].name, name))
			return profiles[i].json;
	return (struct span_str){NULL, 0};
}
