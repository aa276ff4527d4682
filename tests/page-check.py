#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""page-check.py - read a page or a picture of trace-view with other parsers

page-check.py html|svg FILE: exit 1 with a sentence when an element or an
attribute is not one that trace-view writes itself, when the policy of a page
does not fit its style and script, or when something points outside. Prints
the services and names of all spans, one a line, as JSON.
"""
import base64
import hashlib
import json
import sys
import xml.etree.ElementTree
from html.parser import HTMLParser

HTML = {
    'html': {'lang'}, 'head': set(), 'title': set(), 'style': set(),
    'meta': {'charset', 'http-equiv', 'content', 'name'}, 'body': set(),
    'header': set(), 'h1': {'class'}, 'span': {'id', 'aria-live'},
    'small': {'id'}, 'p': {'id'}, 'div': {'id', 'tabindex', 'role', 'aria-label'},
    'input': {'id', 'type', 'placeholder', 'aria-label'}, 'button': {'id'},
    'noscript': set(), 'main': set(), 'script': {'type', 'class'},
    'aside': {'id', 'aria-label', 'hidden'},
}
SVG = {
    'svg': {'width', 'height', 'viewBox'}, 'style': set(),
    'rect': {'class', 'x', 'y', 'width', 'height', 'rx'},
    'g': {'class', 'transform'}, 'title': set(), 'path': {'class', 'd'},
    'text': {'class', 'x', 'y', 'clip-path'}, 'tspan': {'class'},
    'clipPath': {'id'},
}


def must(true, what):
    if not true:
        sys.exit('page-check: ' + what)


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.policy, self.inside, self.text = '', '', ''
        self.allowed, self.data, self.n_scripts = {}, [], 0

    def handle_starttag(self, tag, attrs):
        must(tag in HTML, f'an element {tag}')
        must({k for k, _ in attrs} <= HTML[tag], f'attributes {attrs} of {tag}')
        attrs = dict(attrs)
        if attrs.get('http-equiv') == 'Content-Security-Policy':
            self.policy = attrs['content']
        self.inside, self.text = tag, ''
        if attrs.get('type') == 'application/json':
            self.inside = 'data'

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        must(False, f'a comment {data}')

    def handle_endtag(self, tag):
        if self.inside in ('style', 'script'):
            self.n_scripts += self.inside == 'script'
            digest = hashlib.sha256(self.text.encode()).digest()
            word = f"{self.inside}-src 'sha256-{base64.b64encode(digest).decode()}'"
            must(word in self.policy, f'the policy does not allow its {self.inside}')
            must('http' not in self.text, f'an address in the {self.inside}')
        elif self.inside == 'data':
            must('<' not in self.text, 'a < in the data')
            self.data.append(json.loads(self.text))
        self.inside = ''


def html(text):
    page = Page()
    page.feed(text)
    page.close()
    must(page.n_scripts == 1, 'not one script')
    must(page.policy.startswith("default-src 'none'; "), 'no policy')
    must('unsafe' not in page.policy, 'an unsafe policy')
    for trace in page.data:
        for row in trace['rows']:
            process = trace['processes'][row[1]]
            yield trace['strings'][process[0]], trace['strings'][row[2]]


def svg(text):
    space = '{http://www.w3.org/2000/svg}'
    for e in xml.etree.ElementTree.fromstring(text).iter():
        tag = e.tag.replace(space, '')
        must(tag in SVG, f'an element {tag}')
        must(set(e.attrib) <= SVG[tag], f'attributes {e.attrib} of {tag}')
        must(e.get('clip-path') in (None, 'url(#n)'), 'an address that clips')
        must(tag != 'style' or 'url' not in e.text, 'an address in the style')
        if tag == 'title':
            yield tuple(e.text.split('\n')[:2])


with open(sys.argv[2], encoding='utf-8', newline='') as f:
    for names in (html if sys.argv[1] == 'html' else svg)(f.read()):
        print(json.dumps(list(names)))
