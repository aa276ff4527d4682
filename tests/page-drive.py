#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""page-drive.py - press keys in a page, and say what came of it

page-drive.py DIR PAGE WIDTHxHEIGHT STEP...: opens PAGE, a file or a URL, in
Chromium, which keeps its own files in DIR, and takes the steps:

=EXPRESSION   print what it is, as JSON
?EXPRESSION   wait until it is true, 10 s at most
!EXPRESSION   evaluate it
"TEXT         type
@URL          go there; a path is of the same server
<SELECTOR     click on that
^FILE         choose that file in the page's first input for files
+FILE         write a picture of the page
~dark         look as for people who want it dark
all else      is the name of a key

Exit 1 when the page threw an exception, or wrote an error to the console.
"""
import base64
import json
import os
import subprocess
import sys
import time
import urllib.parse

CODES = {'Enter': 13, 'Escape': 27, 'End': 35, 'Home': 36, 'ArrowLeft': 37,
         'ArrowUp': 38, 'ArrowRight': 39, 'ArrowDown': 40}


class Browser:
    """Chromium, which is told what to do through a pipe."""

    def __init__(self, home, size):
        (read_us, self.write_fd), (self.read_fd, write_us) = os.pipe(), os.pipe()
        # It reads from 3 and writes to 4.
        line = 'exec 3<&%d 4>&%d; exec "$@"' % (read_us, write_us)
        self.process = subprocess.Popen(
            ['bash', '-c', line, '-', 'chromium', '--headless=new',
             '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe',
             '--user-data-dir=' + home, '--window-size=' + size],
            pass_fds=(read_us, write_us), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(read_us)
        os.close(write_us)
        self.n, self.rest, self.session, self.thrown = 0, b'', None, []
        self.seen = set()

    def message(self):
        while b'\0' not in self.rest:
            more = os.read(self.read_fd, 1 << 16)
            if not more:
                sys.exit('page-drive: Chromium ended')
            self.rest += more
        first, self.rest = self.rest.split(b'\0', 1)
        message = json.loads(first)
        self.seen.add(message.get('method'))
        if message.get('method') == 'Runtime.exceptionThrown':
            self.thrown.append(message['params'])
        if message.get('method') == 'Runtime.consoleAPICalled' and \
                message['params']['type'] in ('error', 'assert'):
            self.thrown.append(message['params'])
        if message.get('method') == 'Log.entryAdded':
            entry = message['params']['entry']
            # An answer that says no is no fault of the page.
            if entry['level'] == 'error' and entry['source'] != 'network':
                self.thrown.append(entry)
        return message

    def call(self, method, **params):
        self.n += 1
        request = {'id': self.n, 'method': method, 'params': params}
        if self.session:
            request['sessionId'] = self.session
        os.write(self.write_fd, json.dumps(request).encode() + b'\0')
        while True:
            answer = self.message()
            if answer.get('id') == self.n:
                return answer['result']

    def open(self, name):
        target = self.call('Target.createTarget', url='about:blank')
        self.session = self.call('Target.attachToTarget', flatten=True,
                                 targetId=target['targetId'])['sessionId']
        self.call('Runtime.enable')
        self.call('Log.enable')
        self.call('Page.enable')
        self.go(name if '://' in name else 'file://' + os.path.abspath(name))

    def go(self, url):
        self.url = url
        self.seen.clear()
        self.call('Page.navigate', url=url)
        while 'Page.loadEventFired' not in self.seen:
            self.message()

    def value(self, expression):
        result = self.call('Runtime.evaluate', expression=expression,
                           returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in result:
            sys.exit('page-drive: %s' % result)
        return result['result'].get('value')

    def wait(self, expression):
        end = time.monotonic() + 10
        while not self.value('!!(%s)' % expression):
            if time.monotonic() > end:
                sys.exit('page-drive: never true: %s; the page says: %s %s' % (
                    expression, self.value('document.body.innerText')[:2000],
                    self.thrown))
            time.sleep(0.02)

    def click(self, selector):
        place = 'document.querySelector(%s)' % json.dumps(selector)
        self.wait('!!' + place)
        at = self.value('(e => { e.scrollIntoView({block: "nearest"}); '
                        'const r = e.getBoundingClientRect(); return [r.x + '
                        'r.width / 2, r.y + r.height / 2]; })(%s)' % place)
        for kind in ('mousePressed', 'mouseReleased'):
            self.call('Input.dispatchMouseEvent', type=kind, x=at[0], y=at[1],
                      button='left', clickCount=1)

    def choose(self, name):
        root = self.call('DOM.getDocument')['root']['nodeId']
        node = self.call('DOM.querySelector', nodeId=root,
                         selector='input[type=file]')['nodeId']
        self.call('DOM.setFileInputFiles', nodeId=node,
                  files=[os.path.abspath(name)])

    def picture(self, name):
        shot = self.call('Page.captureScreenshot', format='png')['data']
        with open(name, 'wb') as out:
            out.write(base64.b64decode(shot))

    def look(self, scheme):
        self.call('Emulation.setEmulatedMedia', features=[
            {'name': 'prefers-color-scheme', 'value': scheme}])

    def press(self, key):
        event = {'key': key, 'windowsVirtualKeyCode':
                 CODES.get(key, ord(key[0].upper()))}
        if len(key) == 1:
            event['text'] = key
        elif key == 'Enter':
            event['text'] = '\r'
        self.call('Input.dispatchKeyEvent', type='keyDown', **event)
        event.pop('text', None)
        self.call('Input.dispatchKeyEvent', type='keyUp', **event)


def take(browser, step):
    what, rest = step[0], step[1:]
    if len(step) == 1 or what.isalnum():
        browser.press(step)
    elif what == '=':
        print(json.dumps(browser.value(rest)), flush=True)
    elif what == '"':
        for key in rest:
            browser.press(key)
    elif what == '@':
        browser.go(urllib.parse.urljoin(browser.url, rest))
    else:
        {'?': browser.wait, '!': browser.value, '<': browser.click,
         '^': browser.choose, '+': browser.picture,
         '~': browser.look}[what](rest)


def main():
    home, name, size, *steps = sys.argv[1:]
    browser = Browser(home, size.replace('x', ','))
    try:
        browser.open(name)
        for step in steps:
            take(browser, step)
        if browser.thrown:
            sys.exit('page-drive: %s' % browser.thrown)
    finally:
        browser.process.kill()
        browser.process.wait()


main()
