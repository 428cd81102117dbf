"""A headless Chromium, driven by its own DevTools protocol over a pipe: no driver and no package is needed.

Debian and Ubuntu: `apt install chromium`. $CHROMIUM names another one.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
]
PHONE = {"width": 375, "height": 667, "deviceScaleFactor": 2, "mobile": True}
DESKTOP = {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}
KEYS = {  # DevTools' names of keys: code, Windows key code, text
    "ArrowLeft": ("ArrowLeft", 37, ""),
    "ArrowRight": ("ArrowRight", 39, ""),
    "ArrowDown": ("ArrowDown", 40, ""),
    "Tab": ("Tab", 9, ""),
    "Enter": ("Enter", 13, "\r"),
    " ": ("Space", 32, " "),
    **{digit: (f"Digit{digit}", 48 + int(digit), digit) for digit in "123456789"},
}


def find_chromium() -> str | None:
    """The path of a Chromium, or None where there is none."""
    names = [os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]
    return next((path for name in names if name and (path := shutil.which(name))), None)


class Browser:
    """A browser's process, and what is said to it and by it."""

    def __init__(self, profile: Path) -> None:
        program = find_chromium()
        assert program is not None, "find_chromium() comes first"
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()

        def place_pipes() -> None:  # the browser reads from descriptor 3 and writes to 4
            os.setsid()
            kept = os.dup(to_browser), os.dup(from_browser)
            for source, target in zip(kept, (3, 4), strict=True):
                os.dup2(source, target)

        self._process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=place_pipes,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._buffer, self._number = b"", 0
        self._tabs: dict[str, Tab] = {}

    def tab(self, downloads: Path, private: bool = False) -> Tab:
        """A new tab; a private one shares nothing with the others, and nothing of it is kept."""
        context = {"browserContextId": self.send("Target.createBrowserContext")["browserContextId"]} if private else {}
        target = self.send("Target.createTarget", url="about:blank", **context)["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads), **context)
        self._tabs[session] = Tab(self, session, downloads)
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable", session)
        return self._tabs[session]

    def send(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Call a method, of a tab's session or of the browser itself; returns its result."""
        self._number += 1
        call = {
            "id": self._number,
            "method": method,
            "params": parameters,
            **({"sessionId": session} if session else {}),
        }
        os.write(self._write, json.dumps(call).encode() + b"\0")
        while True:
            message = self._receive()
            if message.get("id") == self._number:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']}")
                return dict(message.get("result", {}))
            if message.get("sessionId") in self._tabs:
                self._tabs[message["sessionId"]].note(message)

    def kill(self) -> None:
        """End it at once, without any chance to tidy up (SIGKILL to all of its processes)."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for descriptor in (self._read, self._write):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            part = os.read(self._read, 2**16)
            assert part, "the browser has ended"
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))


class Tab:
    """One tab. `requests` are the addresses that it asked for, `messages` those of its console, and errors."""

    def __init__(self, browser: Browser, session: str, downloads: Path) -> None:
        self._browser, self._session, self.downloads = browser, session, downloads
        self.requests: list[str] = []
        self.messages: list[str] = []

    def open(self, address: str) -> None:
        """Go to an address and wait until the page has loaded."""
        self._send("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression in the page; a promise is awaited."""
        reply = self._send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in reply:
            raise AssertionError(f"{script}: {reply['exceptionDetails']}")
        return reply["result"].get("value")

    def wait(self, script: str, seconds: float = 20) -> None:
        """Until a JavaScript expression is true."""
        end = time.monotonic() + seconds
        while not self.evaluate(f"!!({script})"):
            assert time.monotonic() < end, f"not within {seconds} s: {script}\n{self.text()}\n{self.messages}"
            time.sleep(0.02)

    def text(self) -> str:
        """What can be read on the page."""
        return str(self.evaluate("document.body.innerText"))

    def click(self, selector: str) -> None:
        """A press of the mouse in the middle of an element that can be seen."""
        script = f"(() => {{ const e = document.querySelector({selector!r}); e.scrollIntoView({{block: 'center'}}); "
        script += "const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2, r.width] })()"
        x, y, width = self.evaluate(script)
        assert width > 0, f"{selector} is not to be seen"
        for kind in ("mousePressed", "mouseReleased"):
            self._send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str) -> None:
        """A press of a key."""
        code, number, text = KEYS[key]
        for kind in ("keyDown" if text else "rawKeyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self._send("Input.dispatchKeyEvent", type=kind, key=key, code=code, windowsVirtualKeyCode=number, **more)

    def screen(self, size: dict[str, Any]) -> None:
        """The size of the window; that of a phone brings touch with it."""
        self._send("Emulation.setDeviceMetricsOverride", **size)
        self._send("Emulation.setTouchEmulationEnabled", enabled=size["mobile"])

    def screenshot(self, path: Path) -> None:
        """The whole page as a PNG."""
        reply = self._send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(reply["data"]))

    def accessible(self) -> list[tuple[str, str]]:
        """Role and name of everything that a screen reader meets, in order."""
        nodes = self._send("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node.get("ignored")
        ]

    def note(self, message: dict[str, Any]) -> None:
        """Keep an event."""
        method, told = message.get("method", ""), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Log.entryAdded":
            self.messages.append(f"{told['entry']['level']}: {told['entry']['text']} {told['entry'].get('url', '')}")
        elif method == "Runtime.exceptionThrown":
            self.messages.append(f"exception: {told['exceptionDetails']}")
        elif method == "Runtime.consoleAPICalled":
            self.messages.append(f"console: {told['args']}")

    def _send(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.send(method, self._session, **parameters)
