/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd_source.h"

#include "base/banned.h"

int cmd_news_missed(const struct span_news *news, const char *path,
		    struct span_error *err)
{
	struct span_buf time = {0};
	uint64_t frames, arrival_ns;
	int rc = span_news_missed(news, &frames, &arrival_ns, err);

	if (rc < 0 || !frames)
		return rc;
	span_text_time(&time, arrival_ns, 0);
	cmd_warn("%s: spans that arrived after %.*s expired before this run "
		 "saw them: %llu frame%s of them %s left out",
		 path, (int)time.len, time.p, (unsigned long long)frames,
		 frames == 1 ? "" : "s", frames == 1 ? "is" : "are");
	span_buf_release(&time);
	return 0;
}
