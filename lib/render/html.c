/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame of a page. What spans say is data that the script puts in as text,
 * so that 50,000 spans are no 50,000 elements. The policy allows the style and
 * the script by their hashes, and nothing else; data is not run.
 */
#include <span/render.h>

#include "render/page.inc"

#include "base/banned.h"

void span_render_html_head(struct span_buf *b)
{
	span_buf_puts(b,
		      "<!doctype html>\n<html lang=\"en\">\n<head>\n"
		      "<meta charset=\"utf-8\">\n"
		      "<meta http-equiv=\"Content-Security-Policy\" "
		      "content=\"default-src 'none'; style-src '" PAGE_HASH_css
		      "'; script-src '" PAGE_HASH_js
		      "'; base-uri 'none'; form-action 'none'\">\n"
		      "<meta name=\"viewport\" "
		      "content=\"width=device-width, initial-scale=1\">\n"
		      "<title>Traces</title>\n<style>");
	span_buf_put(b, page_css, sizeof(page_css));
	span_buf_puts(b,
		      "</style>\n</head>\n<body>\n<header>\n"
		      "<h1 class=\"one-line\"><span id=\"root\">No trace</span>"
		      "<small id=\"id\"></small></h1>\n"
		      "<p id=\"facts\"></p>\n<p id=\"path\"></p>\n"
		      "<div id=\"tools\"><input id=\"search\" type=\"search\" "
		      "placeholder=\"Find in names, tags and events\" "
		      "aria-label=\"Find in names, tags and events\">\n"
		      "<span id=\"found\" aria-live=\"polite\"></span>\n"
		      "<button id=\"all\">Expand all</button>\n"
		      "<button id=\"none\">Collapse all</button>\n"
		      "<span id=\"keys\">\xe2\x86\x91 \xe2\x86\x93 move "
		      "\xc2\xb7 \xe2\x86\x90 \xe2\x86\x92 fold \xc2\xb7 Enter "
		      "detail \xc2\xb7 / find \xc2\xb7 n N next</span></div>\n"
		      "<noscript><p>This page needs its own script to show the "
		      "trace.</p></noscript>\n</header>\n"
		      "<main><div id=\"list\" tabindex=\"0\" role=\"treegrid\" "
		      "aria-label=\"Spans\"><div id=\"axis\" "
		      "role=\"presentation\"><span></span><span></span>"
		      "<div id=\"ticks\"></div></div><div id=\"space\" "
		      "role=\"rowgroup\"></div></div>\n"
		      "<aside id=\"detail\" aria-label=\"Span\" hidden></aside>"
		      "</main>\n");
}

void span_render_html_end(struct span_buf *b)
{
	span_buf_puts(b, "<script>");
	span_buf_put(b, page_js, sizeof(page_js));
	span_buf_puts(b, "</script>\n</body>\n</html>\n");
}
