#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""page-drive.py - press keys in a page of trace-view, and say what came of it

page-drive.py DIR FILE WIDTHxHEIGHT STEP...: opens FILE in Chromium, which keeps
its own files in DIR, and takes the steps: =EXPRESSION prints what it is as
JSON, "TEXT types, and all else is the name of a key. Exit 1 when the page
threw an exception.
"""
import json
import os
import subprocess
import sys

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
        self.call('Page.enable')
        self.seen.clear()
        self.call('Page.navigate', url='file://' + os.path.abspath(name))
        while 'Page.loadEventFired' not in self.seen:
            self.message()

    def say(self, expression):
        result = self.call('Runtime.evaluate', expression=expression,
                           returnByValue=True)
        if 'exceptionDetails' in result:
            sys.exit('page-drive: %s' % result)
        print(json.dumps(result['result'].get('value')))

    def press(self, key):
        event = {'key': key, 'windowsVirtualKeyCode':
                 CODES.get(key, ord(key[0].upper()))}
        if len(key) == 1:
            event['text'] = key
        self.call('Input.dispatchKeyEvent', type='keyDown', **event)
        event.pop('text', None)
        self.call('Input.dispatchKeyEvent', type='keyUp', **event)


def main():
    home, name, size, *steps = sys.argv[1:]
    browser = Browser(home, size.replace('x', ','))
    try:
        browser.open(name)
        for step in steps:
            if step[0] == '=':
                browser.say(step[1:])
            elif step[0] == '"':
                for key in step[1:]:
                    browser.press(key)
            else:
                browser.press(step)
        if browser.thrown:
            sys.exit('page-drive: %s' % browser.thrown)
    finally:
        browser.process.kill()
        browser.process.wait()


main()
