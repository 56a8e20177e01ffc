"""Opens reports in headless Chromium and fails on defects that a reader would notice.

    report.py SCREENSHOTS PAGE...

A page named report.html is the report of a whole run, in its run directory; any other page is a comparison. Each page is
opened at the width of a phone and of a desktop screen, in the light and the dark theme. There must be no message on the
console, no request over the network, and nothing wider than the window; every section and every named plot must be
there, every picture must be decoded, and every drawing must have a size. The screenshots are kept. Only the standard
library is used: Chromium is controlled over the pipe of its DevTools protocol.
"""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

CHECK = """(() => {
  const empty = [...document.querySelectorAll('svg')].filter(
    (s) => s.checkVisibility() && (s.getBoundingClientRect().width < 10 || s.children.length == 0));
  return JSON.stringify({
    sections: [...document.querySelectorAll('section')].map((s) => s.id),
    plots: [...document.querySelectorAll('svg.plot')].map((s) => s.getAttribute('aria-label')),
    pictures: [...document.querySelectorAll('img')].map((i) => i.alt),
    rows: document.querySelectorAll('#runs tbody tr').length,
    matrices: document.querySelectorAll('table.matrix').length,
    broken: [...document.querySelectorAll('img')].filter((i) => i.complete && i.naturalWidth == 0).length,
    empty: empty.map((s) => s.getAttribute('aria-label')),
    nan: [...document.querySelectorAll('svg *')].filter((e) => /NaN|inf/.test(e.outerHTML)).length,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    height: document.documentElement.scrollHeight,
  });
})()"""


SECTIONS = {"result", "what", "data", "architecture", "curves", "trials", "test", "plain", "times", "environment"}
PLOTS = {
    "Receptive field of each layer on the input's scale",
    "Retraining: training loss",
    "Training metric",
    "Tuning: training loss of the trials",
    "Tuning: score of the trials",
    "Learning rate of retraining",
    "Learning rate of the plain network",
}
# What the strategies of the search have of their own: a section, and drawings.
RACE = "race", {"Validation loss by round", "Estimated quality of each contestant"}
PAPER = "alpha", {"Entropy of the layers' weights over the epochs", "Search: training loss"}


# The runs on a page of a comparison.
COMPARED = 3


def lacking(page, found):
    """The missing parts of a page."""
    if page.name != "report.html":
        yield from ({"runs", "figures"} - set(found["sections"]))
        yield from ({"Error against time"} - set(found["plots"]))
        # The runs are on the same data, and on one task a profile shows nothing.
        if "Performance profiles" in found["plots"]:
            yield "no performance profiles of a single task"
        if found["rows"] != COMPARED:
            yield f"a row for each of {COMPARED} runs: there are {found['rows']}"
        return
    race = (page.parent / "race.json").exists()
    (section, plots), (other, _) = (RACE, PAPER) if race else (PAPER, RACE)
    yield from ((SECTIONS | {section}) - set(found["sections"]))
    yield from ((PLOTS | plots) - set(found["plots"]))
    if other in found["sections"]:
        yield f"no section {other}"
    read = lambda name: json.loads((page.parent / name).read_text())
    layers, seen = len(read("architecture.json")["kernels"]), read("evaluation.json")
    for start in ("Kernel of size ", "Weights of layer "):
        count = sum(label.startswith(start) for label in found["plots"])
        if count != (0 if race and start.startswith("Weights") else layers):
            yield f"{start}…: {count} drawings of {layers} layers"
    # One of each for the searched and the plain network.
    kind = seen["searched"]["details"]["kind"]
    if kind == "classes" and found["matrices"] != 2:
        yield "two confusion matrices"
    if kind == "values" and found["plots"].count("Predicted against true values") != 2:
        yield "two plots of predicted against true values"
    for network in (seen["searched"], seen["baseline"]):
        for example in network["examples"]:
            field = example["truth"].get("picture")
            wanted = {"True field", "Predicted field", "Difference"} if field and field["shape"][1] > 1 else set()
            yield from (wanted - set(found["pictures"]))
    if not {"Input"} & set(found["plots"] + found["pictures"]):
        yield "an input"


class Browser:
    def __init__(self, program):
        self.profile = tempfile.mkdtemp()
        to_child, self.write = os.pipe()
        self.read, from_child = os.pipe()

        def pipes():
            # Chromium reads commands from descriptor 3 and answers on 4.
            os.dup2(to_child, 103)
            os.dup2(from_child, 104)
            os.dup2(103, 3)
            os.dup2(104, 4)

        command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "about:blank"]
        self.process = subprocess.Popen(command, close_fds=False, preexec_fn=pipes, stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        self.count, self.rest, self.events = 0, b"", []

    def message(self):
        while b"\0" not in self.rest:
            data = os.read(self.read, 1 << 20)
            if not data:
                sys.exit("Chromium ended")
            self.rest += data
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, session=None, **params):
        self.count += 1
        request = {"id": self.count, "method": method, "params": params}
        if session:
            request["sessionId"] = session
        os.write(self.write, json.dumps(request).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.count:
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait(self, method):
        while True:
            for event in self.events:
                if event.get("method") == method:
                    return
            self.events.append(self.message())

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


def look(browser, page, width, scheme, picture):
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Runtime", "Log", "Network"):
        browser.call(f"{domain}.enable", session)
    phone = width < 600
    browser.call("Emulation.setDeviceMetricsOverride", session, width=width, height=900,
                 deviceScaleFactor=2 if phone else 1, mobile=phone)
    browser.call("Emulation.setEmulatedMedia", session, features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.events.clear()
    browser.call("Page.navigate", session, url=page.resolve().as_uri())
    browser.wait("Page.loadEventFired")
    result = browser.call("Runtime.evaluate", session, expression=CHECK, returnByValue=True)
    found = json.loads(result["result"]["value"])
    said = []
    for event in browser.events:
        method, params = event.get("method"), event.get("params", {})
        if method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            said.append(json.dumps(params)[:300])
        if method == "Network.requestWillBeSent" and not params["request"]["url"].startswith(("file:", "data:")):
            said.append("requests " + params["request"]["url"])
    height = min(found["height"], 16000 if not phone else 8000)
    shot = browser.call("Page.captureScreenshot", session, format="png", captureBeyondViewport=True,
                        clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1})
    picture.write_bytes(base64.b64decode(shot["data"]))
    browser.call("Target.closeTarget", targetId=target)
    wrong = [f"{key}: {found[key]}" for key in ("broken", "empty", "nan") if found[key]]
    if found["wide"] > 0:
        wrong.append(f"{found['wide']} points wider than the window")
    return found, said + wrong


def main():
    folder, pages = pathlib.Path(sys.argv[1]), [pathlib.Path(p) for p in sys.argv[2:]]
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not program or not pages:
        sys.exit("Chromium is missing" if not program else __doc__)
    folder.mkdir(parents=True, exist_ok=True)
    browser, failed = Browser(program), False
    for page in pages:
        name = page.parent.name if page.name == "report.html" else page.stem
        for width in (390, 1280):
            for scheme in ("light", "dark"):
                picture = folder / f"{name}-{width}-{scheme}.png"
                found, wrong = look(browser, page, width, scheme, picture)
                for line in wrong:
                    failed = True
                    print(f"{page} at {width} {scheme}: {line}", file=sys.stderr)
        for what in lacking(page, found):
            failed = True
            print(f"{page} lacks {what}", file=sys.stderr)
        plots, pictures = len(found["plots"]), len(found["pictures"])
        print(f"{page}: {plots} plots, {pictures} pictures, {page.stat().st_size // 1024} KiB")
    browser.close()
    sys.exit(failed)


main()
