"""A real browser without a window, told what to do through the pipes of Chromium's DevTools protocol."""

import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
KEYS = {"ArrowRight": 39, "ArrowLeft": 37, "Tab": 9}


class Browser:
    """One page of a browser, which keeps its profile and its downloads in a folder."""

    def __init__(self, send, receive, folder):
        self.folder = folder
        self._send, self._receive, self._number, self._session = send, receive, 0, None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def call(self, method, **parameters):
        """Call a method of the protocol and return its answer; what the browser tells unasked is skipped."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._send.write(json.dumps(message).encode() + b"\0")
        self._send.flush()
        while True:
            answer = json.loads(self._read())
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _read(self):
        letters = bytearray()
        while (letter := self._receive.read(1)) != b"\0":
            assert letter, "the browser has ended"
            letters += letter
        return bytes(letters)

    def open(self, path):
        """Open a file and wait until its scripts have run."""
        self.read("window.left = true")
        self.call("Page.navigate", url=path.absolute().as_uri())
        self.wait("!window.left && document.readyState === 'complete' && location.protocol === 'file:'")

    def read(self, expression):
        """Return the value of an expression of JavaScript, as plain data."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression, seconds=20):
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.read(expression):
            assert time.monotonic() < end, f"still false: {expression}"
            time.sleep(0.02)

    def press(self, *keys):
        """Press keys one after the other, as a person does."""
        for key in keys:
            text = {"text": key} if len(key) == 1 else {}
            code = {"windowsVirtualKeyCode": KEYS.get(key, ord(key[0].upper()))}
            self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text, **code)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key, **code)

    def click(self, selector):
        """Click the middle of an element with the mouse, once it lies still: what scrolls into view may grow."""
        x, y = self.read(f"""(async () => {{
            const it = document.querySelector({json.dumps(selector)});
            for (let before = "", still = 0; still < 3;) {{
                it.scrollIntoView({{block: "center"}});
                await new Promise(requestAnimationFrame);
                const at = it.getBoundingClientRect(), now = `${{at.x}} ${{at.y}}`;
                still = now === before ? still + 1 : 0;
                before = now;
            }}
            const at = it.getBoundingClientRect();
            return [at.x + at.width / 2, at.y + at.height / 2];
        }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


@contextmanager
def browser(folder):
    """Start a browser whose profile and downloads lie in a folder; without one the test is skipped."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    (to_browser, send), (receive, from_browser) = os.pipe(), os.pipe()
    options = ["--headless", "--disable-gpu", "--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}"]
    options += ["--no-first-run", "--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    redirected = ["bash", "-c", f'exec "$@" 3<&{to_browser} 4>&{from_browser}', "bash", program, *options]
    with os.fdopen(send, "wb") as writes, os.fdopen(receive, "rb") as reads:
        started = subprocess.Popen(redirected, pass_fds=(to_browser, from_browser), stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        try:
            page = Browser(writes, reads, folder)
            page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder / "downloads"))
            yield page
        finally:
            started.kill()
            started.wait()
