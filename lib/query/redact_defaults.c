/* SPDX-License-Identifier: Apache-2.0 */
#include <span/redact.h>

#include "base/banned.h"

/*
 * The safe side: what could be a secret goes, and what is structure by its
 * name, and only looks like one, stays. Names are those of OpenTelemetry's
 * semantic conventions and of Jaeger's clients.
 */
const char *span_redact_default_rules(void)
{
	return "# Secrets by their names.\n"
	       "mask *authorization\n"
	       "mask *cookie\n"
	       "mask *cookie2\n"
	       "mask *password*\n"
	       "mask *passwd*\n"
	       "mask *passphrase*\n"
	       "mask *secret*\n"
	       "mask *credential*\n"
	       "mask *api_key\n"
	       "mask *api-key\n"
	       "mask *apikey\n"
	       "mask *access_key*\n"
	       "mask *private_key*\n"
	       "mask *token\n"
	       "mask *session_id\n"
	       "mask *session.id\n"
	       "mask *csrf*\n"
	       "# People; without a key for hashes these mask.\n"
	       "hash enduser.id\n"
	       "hash enduser.pseudo.id\n"
	       "hash user.id\n"
	       "hash user.name\n"
	       "hash user.full_name\n"
	       "hash user.email\n"
	       "hash user.hash\n"
	       "hash process.owner\n"
	       "# Numbers that are structure.\n"
	       "keep *version @ip\n"
	       "keep field:version @ip\n"
	       "keep field:state @digits\n"
	       "keep sampler.param @digits\n"
	       "keep thread.id @digits\n"
	       "# Secrets by what they look like, wherever they are.\n"
	       "mask * @token\n"
	       "mask * @secret\n"
	       "mask * @query\n"
	       "mask * @sql\n"
	       "mask * @email\n"
	       "mask * @card\n"
	       "mask * @ip\n"
	       "mask * @digits\n";
}
