#!/usr/bin/env python3
"""Opens the pages of --report in a headless Chromium without a network, and touches them as a reader would.

    browse_reports.py PROGRAMS [--pages FOLDER] [--pictures FOLDER] [--only NAME,...]

PROGRAMS is the folder of the example programs. Each of some studies is run on the embedded model with --report; then, for every page:
no error on the console, no request but of the file itself, what the script asks of a network refused; hover shows values, picking a
pair changes the curve, the steps of training change it too, walking over a slice shows distances and tokens. --pictures keeps
screenshots: light, dark, narrow and as printed. Prints "skipped: ..." where there is no Chromium.
"""

import argparse
import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STUDIES = {
    'stable_regions': ['--steps', '21', '--kl', '--top-k', '3'],
    'slice_2d': ['--grid', '21', '--labels'],
    'emergence': ['--steps', '11', '--resamples', '50'],
    'derivatives': ['--steps', '11', '--frozen', 'attn_out,mlp_out'],
    'depth': ['--steps', '11', '--resamples', '50'],
    'activation_patching': [],
    'evaluate': ['--text', '{prompts}'],
}


class Browser:
    """Chromium over --remote-debugging-pipe: JSON messages with a zero byte after each."""

    def __init__(self, program, scratch):
        here_reads, its_writes = os.pipe()
        it_reads, here_writes = os.pipe()
        pair = [fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (it_reads, its_writes)]
        wire = 'import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execvp(sys.argv[3], sys.argv[3:])'
        alone = ['unshare', '--net', '--']
        cut = subprocess.run([*alone, 'true'], capture_output=True).returncode == 0
        self.network = 'no network at all' if cut else 'a network, of which the browser is told that it is offline'
        self.process = subprocess.Popen(
            [sys.executable, '-c', wire, *map(str, pair), *(alone if cut else []), program, '--headless=new', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe',
             '--no-first-run', '--hide-scrollbars', '--force-device-scale-factor=1', '--disable-dev-shm-usage',
             f'--user-data-dir={scratch}/profile', 'about:blank'],
            pass_fds=pair, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for one in (it_reads, its_writes, *pair):
            os.close(one)
        self.reads, self.writes, self.rest, self.number, self.events = here_reads, here_writes, b'', 0, []

    def message(self):
        while b'\0' not in self.rest:
            more = os.read(self.reads, 1 << 20)
            if not more:
                sys.exit('the browser has gone away')
            self.rest += more
        one, self.rest = self.rest.split(b'\0', 1)
        return json.loads(one)

    def ask(self, method, session=None, **parameters):
        self.number += 1
        text = {'id': self.number, 'method': method, 'params': parameters}
        if session:
            text['sessionId'] = session
        os.write(self.writes, json.dumps(text).encode() + b'\0')
        while True:
            answer = self.message()
            if answer.get('id') == self.number:
                if 'error' in answer:
                    sys.exit(f'{method}: {answer["error"]}')
                return answer['result']
            self.events.append(answer)

    def close(self):
        self.ask('Browser.close')
        self.process.wait(30)


class Page:
    def __init__(self, browser, file, width=1100, height=900, dark=False, media=''):
        self.browser = browser
        target = browser.ask('Target.createTarget', url='about:blank')['targetId']
        self.target = target
        self.session = browser.ask('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        browser.events.clear()
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.ask(f'{domain}.enable')
        self.ask('Network.emulateNetworkConditions', offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1)
        self.ask('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        self.ask('Emulation.setEmulatedMedia', media=media,
                 features=[{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}])
        self.ask('Page.navigate', url=Path(file).resolve().as_uri())
        while not any(e.get('method') == 'Page.loadEventFired' for e in browser.events):
            browser.events.append(browser.message())

    def ask(self, method, **parameters):
        return self.browser.ask(method, self.session, **parameters)

    def value(self, expression):
        answer = self.ask('Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in answer:
            sys.exit(f'{expression}: {answer["exceptionDetails"]}')
        return answer['result'].get('value')

    def settle(self):
        """Until the page has painted twice, and so has seen what was sent."""
        self.value('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))')

    def move(self, selector, across, along, click=False):
        x, y = self.value(f'''(() => {{ const e = document.querySelector({json.dumps(selector)});
            e.scrollIntoView({{block: "center"}});
            const b = e.getBoundingClientRect(); return [b.left + {across} * b.width, b.top + {along} * b.height]; }})()''')
        self.ask('Input.dispatchMouseEvent', type='mouseMoved', x=x, y=y)
        if click:
            for kind in ('mousePressed', 'mouseReleased'):
                self.ask('Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left', clickCount=1)
        self.settle()

    def picture(self, path):
        size = self.ask('Page.getLayoutMetrics')['cssContentSize']
        data = self.ask('Page.captureScreenshot', captureBeyondViewport=True,
                        clip={'x': 0, 'y': 0, 'width': size['width'], 'height': min(size['height'], 8000), 'scale': 1})['data']
        Path(path).write_bytes(base64.b64decode(data))

    def complaints(self):
        """What the console and the network have to say, network requests of the file itself and of data aside."""
        found = []
        for event in self.browser.events:
            method, said = event.get('method'), event.get('params', {})
            if method == 'Runtime.exceptionThrown':
                found.append(json.dumps(said['exceptionDetails'])[:600])
            elif method == 'Runtime.consoleAPICalled' and said['type'] in ('error', 'warning', 'assert'):
                found.append(json.dumps(said['args'])[:600])
            elif method == 'Log.entryAdded' and said['entry']['level'] in ('error', 'warning'):
                found.append(said['entry']['text'])
            elif method == 'Network.requestWillBeSent' and not said['request']['url'].startswith(('file:', 'data:')):
                found.append('a request of ' + said['request']['url'])
        return found

    def close(self):
        self.browser.ask('Target.closeTarget', targetId=self.target)


failures = []


def check(holds, what):
    if not holds:
        failures.append(what)
        print(f'  FAILED: {what}')


def words_of(page, selector):
    return page.value(f'document.querySelector({json.dumps(selector)}).innerText')


def ink_of(page, selector):
    """What is painted on a canvas."""
    return page.value(f'document.querySelector({json.dumps(selector)}).toDataURL()')


def touch_charts(page, name):
    canvas = '[data-kind=charts] .chart'
    before = words_of(page, '[data-kind=charts] .readout')
    page.move(canvas, 0.5, 0.5)
    after = words_of(page, '[data-kind=charts] .readout')
    check(before != after and ' = ' in after and any(c.isdigit() for c in after), f'{name}: hover over a chart shows values, not {after!r}')


def set_value(page, selector, value, event):
    page.value(f'''(() => {{ const e = document.querySelector({json.dumps(selector)}); e.value = {json.dumps(value)};
        e.dispatchEvent(new Event("{event}")); return 1; }})()''')
    page.settle()


def touch_pairs(page, name):
    part = '[data-kind=pairs]'
    page.move(f'{part} .chart', 0.6, 0.5)
    words = words_of(page, f'{part} .readout')
    check('\u03b1 = ' in words and 'median' in words and 'pair 0: ' in words, f'{name}: hover over pairs shows values, not {words!r}')
    if name == 'stable_regions':
        check('likeliest next tokens of pair 0' in words and '%' in words, f'{name}: hover tells likeliest tokens, not {words!r}')
    curve = f'{part} .chart canvas'
    first, who = ink_of(page, curve), words_of(page, f'{part} .prompts')
    set_value(page, f'{part} input[type=number]', '2', 'change')
    check(ink_of(page, curve) != first, f'{name}: another pair is another curve')
    now = words_of(page, f'{part} .prompts')
    check(now != who and 'pair 2' in now and 'context: ' in now, f'{name}: a pair says its prompts, not {now!r}')
    page.value(f'document.querySelector("{part} button[aria-label=\'next pair\']").click()')
    page.settle()
    check('pair 3' in words_of(page, f'{part} .prompts'), f'{name}: a button picks the next pair')
    page.move(f'{part} .chart', 0.5, 0.2)
    words = words_of(page, f'{part} .readout')
    if 'nearest, pair' in words:
        page.move(f'{part} .chart', 0.5, 0.2, click=True)
        check('pair 3 ' not in words_of(page, f'{part} .prompts'), f'{name}: a click picks the nearest pair')
    if name == 'emergence':
        first = ink_of(page, curve)
        set_value(page, f'{part} input[type=range]', '0', 'input')
        early = ink_of(page, curve), words_of(page, f'{part} output')
        set_value(page, f'{part} input[type=range]', '3', 'input')
        late = ink_of(page, curve), words_of(page, f'{part} output')
        check(early[0] != late[0] and early[1] != late[1] and 'step' in late[1], f'{name}: steps of training, {early[1]!r} and {late[1]!r}')
    if page.value(f'document.querySelectorAll("{part} select option").length') > 1:
        first = ink_of(page, curve)
        other = page.value(f'Number(document.querySelector("{part} select").value) === 0 ? "1" : "0"')
        set_value(page, f'{part} select', other, 'change')
        check(ink_of(page, curve) != first, f'{name}: another array is another curve')


def touch_slices(page, name):
    part = '[data-kind=slices]'
    seen = set()
    for across, along in ((0.3, 0.3), (0.5, 0.6), (0.8, 0.4)):
        page.move(f'{part} canvas', across, along)
        words = words_of(page, f'{part} .readout')
        check('\u03b1 = ' in words and 'likeliest next token' in words, f'{name}: walking tells place and tokens, not {words!r}')
        tokens = page.value(f'Array.from(document.querySelectorAll("{part} .token")).map(x => x.innerText)')
        check(len(tokens) == 3 and all(tokens), f'{name}: a token in each context, not {tokens}')
        seen.add(words)
    check(len(seen) == 3, f'{name}: other places say other things')
    before = words_of(page, f'{part} .readout')
    page.value(f'document.querySelector("{part} canvas").focus()')
    for kind in ('keyDown', 'keyUp'):
        page.ask('Input.dispatchKeyEvent', type=kind, key='ArrowLeft', code='ArrowLeft')
    page.settle()
    check(words_of(page, f'{part} .readout') != before, f'{name}: the arrow keys walk')
    for view in ('d0', 'l1'):
        ink = ink_of(page, f'{part} canvas')
        set_value(page, f'{part} select', view, 'change')
        check(ink_of(page, f'{part} canvas') != ink, f'{name}: the view {view} is another picture')


def browse(browser, name, file, pictures):
    page = Page(browser, file)
    for kind, touch in (('charts', touch_charts), ('pairs', touch_pairs), ('slices', touch_slices)):
        if page.value(f'document.querySelector("[data-kind={kind}]") !== null'):
            touch(page, name)
    for complaint in page.complaints():
        check(False, f'{name}: {complaint}')
    unread = page.value('Array.from(document.images).filter(x => !(x.complete && x.naturalWidth > 0 && x.alt.length > 10)).length')
    check(unread == 0, f'{name}: every picture is there, with a text')
    check(name == 'evaluate' or page.value('document.images.length') > 0, f'{name}: there are pictures')
    wide = page.value('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    check(wide <= 0, f'{name}: the page is {wide} px too wide')
    # the page itself forbids what it does not need
    refused = page.value('''fetch("http://127.0.0.1:9/").then(() => "answered", e => new Promise(done => setTimeout(() => done("refused"), 50)))''')
    told = any('Content Security Policy' in x for x in page.complaints())
    check(refused == 'refused' and told, f'{name}: the policy of the page refuses the network')
    page.close()
    narrow = Page(browser, file, width=390, height=800)
    wide = narrow.value('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    check(wide <= 0, f'{name}: a narrow page is {wide} px too wide')
    if pictures:
        narrow.picture(pictures / f'{name}_narrow.png')
    narrow.close()
    if not pictures:
        return
    for kind, how in (('light', {}), ('dark', {'dark': True}), ('print', {'media': 'print', 'width': 720})):
        page = Page(browser, file, **how)
        if kind in ('light', 'dark') and page.value('document.querySelector("[data-kind=slices]") !== null'):
            page.move('[data-kind=slices] canvas', 0.45, 0.5)
        elif kind in ('light', 'dark') and page.value('document.querySelector("[data-kind=pairs]") !== null'):
            page.move('[data-kind=pairs] .chart', 0.6, 0.4)
        page.picture(pictures / f'{name}_{kind}.png')
        if kind == 'print':
            page.ask('Emulation.setEmulatedMedia', media='', features=[{'name': 'prefers-color-scheme', 'value': 'dark'}])
            (pictures / f'{name}.pdf').write_bytes(base64.b64decode(page.ask('Page.printToPDF', preferCSSPageSize=True)['data']))
        page.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('programs', type=Path)
    parser.add_argument('--pages', type=Path, help='where they are, or are made; kept')
    parser.add_argument('--pictures', type=Path)
    parser.add_argument('--only', default=','.join(STUDIES))
    o = parser.parse_args()
    chromium = next((found for name in ('chromium', 'chromium-browser', 'google-chrome') if (found := shutil.which(name))), None)
    if not chromium:
        print('skipped: there is no chromium (Debian: apt-get install --no-install-recommends chromium)')
        return
    if o.pictures:
        o.pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        pages = o.pages or Path(scratch)
        data = Path(__file__).resolve().parents[2] / 'examples' / 'data' / 'embedded'
        for name in o.only.split(','):
            if (pages / name / 'report.html').exists():
                continue
            options = [x.replace('{prompts}', str(data / 'prompts.txt')) for x in STUDIES[name]]
            ran = subprocess.run([o.programs / name, '--model', data, '--report', '--out', pages / name, *options], capture_output=True,
                                 text=True)
            if ran.returncode and 'libjs-dygraphs' in ran.stderr:
                print('skipped: ' + ran.stderr.strip())
                return
            if ran.returncode:
                sys.exit(f'{name}: {ran.stderr}')
        start = time.time()
        browser = Browser(chromium, scratch)
        print(f'{chromium}, {browser.network}')
        for name in o.only.split(','):
            file = pages / name / 'report.html'
            print(f'{name}: {file.stat().st_size} bytes')
            browse(browser, name, file, o.pictures)
        browser.close()
        print(f'{time.time() - start:.1f} s in the browser')
    if failures:
        sys.exit(f'{len(failures)} failed')


if __name__ == '__main__':
    main()
