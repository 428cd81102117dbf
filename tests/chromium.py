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
    """One browser with one tab. `requests` are the addresses that the tab asked for."""

    def __init__(self, profile: Path, downloads: Path) -> None:
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
        self._buffer, self._number, self._session = b"", 0, ""
        self.requests: list[str] = []
        self.messages: list[str] = []  # of the console, and errors
        self.downloads = downloads
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._send(f"{domain}.enable")
        self._send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))

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

    def kill(self) -> None:
        """End it at once, without any chance to tidy up (SIGKILL to all of its processes)."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for descriptor in (self._read, self._write):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _send(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        call: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session and not method.startswith("Browser."):
            call["sessionId"] = self._session
        os.write(self._write, json.dumps(call).encode() + b"\0")
        while True:
            message = self._receive()
            if message.get("id") == self._number:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']}")
                return dict(message.get("result", {}))
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        method, told = message.get("method", ""), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Log.entryAdded":
            self.messages.append(f"{told['entry']['level']}: {told['entry']['text']} {told['entry'].get('url', '')}")
        elif method == "Runtime.exceptionThrown":
            self.messages.append(f"exception: {told['exceptionDetails']}")
        elif method == "Runtime.consoleAPICalled":
            self.messages.append(f"console: {told['args']}")

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            part = os.read(self._read, 2**16)
            assert part, "the browser has ended"
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))
