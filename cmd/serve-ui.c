/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <string.h>

#include "serve-cmd.h"
#include "serve/ui.h"

#include "base/banned.h"

static struct {
	const char *dir, *config;
} opt;

const struct cmd_option serve_ui_options[] = {
	{CMD_STRING, 0, "ui-dir", &opt.dir, "DIR",
	 "serve the build of Jaeger UI in DIR, not the page of our own", NULL},
	{CMD_STRING, 0, "ui-config", &opt.config, "FILE",
	 "its configuration: JSON, or JavaScript when FILE ends in .js", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

void serve_ui_check(void)
{
	if (opt.config && !opt.dir)
		cmd_usage("--ui-config goes with --ui-dir");
}

static bool is_script(const char *path)
{
	size_t len = strlen(path);

	return len > 3 && !strcmp(path + len - 3, ".js");
}

static int check_json(const struct span_buf *b, struct span_error *err)
{
	cJSON *json = cJSON_ParseWithLength(b->p, b->len);
	bool good = cJSON_IsObject(json);

	cJSON_Delete(json);
	return good ? 0
		    : span_error_set(err, SPAN_E_CORRUPT,
				     "%s is not an object of JSON", opt.config);
}

int serve_ui_open(struct span__serve_ui **out, struct span_error *err)
{
	struct span__serve_ui_opts o = {0};
	struct span_buf config = {0};
	int rc = 0;

	*out = NULL;
	if (!opt.dir)
		return 0;
	if (opt.config) {
		o.is_script = is_script(opt.config);
		rc = cmd_file_read(opt.config, &config, err);
		if (rc >= 0 && !o.is_script)
			rc = check_json(&config, err);
	}
	o.config = (struct span_str){config.p, config.len};
	if (rc >= 0)
		rc = span__serve_ui_open(out, opt.dir, &o, err);
	span_buf_release(&config);
	return rc;
}
