# test/browser/webdriver.py - a headless Chromium, driven over WebDriver with nothing but the standard library
import base64, ctypes, http.client, json, os, shutil, signal, subprocess, tempfile, time

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver 11.1


class Browser:
    """Starts chromedriver and a Chromium with a profile of its own; close() ends both and whatever they started."""

    def __init__(self, patience=15.0, dark=False):
        self.patience = patience
        # Chromium's helpers outlive their parent for a moment: they become our children and are waited for.
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
        self.profile = tempfile.mkdtemp(prefix="sipyard_browser_")
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd=self.profile)
        try:
            self.port = self._port()
            binary = next(p for p in ("/usr/lib/chromium/chromium", "/usr/bin/chromium") if os.path.exists(p))
            args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                    "--disable-background-networking", "--disable-component-update", "--disable-sync",
                    "--disable-dev-shm-usage", "--disable-crash-reporter", "--disable-breakpad", "--no-proxy-server",
                    "--window-size=1180,860", "--user-data-dir=" + self.profile + "/profile"]
            if dark:
                args.append("--blink-settings=preferredColorScheme=0")
            answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "goog:chromeOptions": {"binary": binary, "args": args}}}})
            self.session = "/session/" + answer["sessionId"]
            self._ask("POST", self.session + "/timeouts", {"pageLoad": int(patience * 1000), "script": int(patience * 1000)})
        except BaseException:
            self.close()
            raise

    def _port(self):
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            line = self.driver.stdout.readline().decode()
            if "on port " in line and "started" in line:
                return int(line.split("on port ")[1].split(".")[0])
            if not line:
                break
        raise RuntimeError("chromedriver did not start")

    def _ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=4 * self.patience)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            raise RuntimeError(value["error"] + ": " + value.get("message", "").split("\n")[0])
        return value

    def _do(self, what, body=None):
        return self._ask("POST", self.session + what, body or {})

    # --- what a person does and sees ---

    def go(self, url):
        self._do("/url", {"url": url})

    def script(self, text, *args):
        return self._do("/execute/sync", {"script": text, "args": list(args)})

    def wait(self, what, story):
        """Until what() is true; gives it back. What went wrong meanwhile counts as not yet."""
        deadline, last = time.monotonic() + self.patience, ""
        while time.monotonic() < deadline:
            try:
                found = what()
                if found:
                    return found
            except RuntimeError as problem:
                last = str(problem)
            time.sleep(0.03)
        raise AssertionError(f"never seen: {story} {last}\n" + self.text("body"))

    def element(self, css):
        return self._ask("POST", self.session + "/element", {"using": "css selector", "value": css})[ELEMENT]

    def button(self, text, within="body"):
        """The visible button of that text or label below `within`, the topmost window only."""
        found = self.script("""
            const windows = [...document.querySelectorAll('dialog[open]')];
            const place = windows.length ? windows.at(-1) : document.querySelector(arguments[1]);
            return place && [...place.querySelectorAll('button')].find((one) => one.checkVisibility() &&
                [one.textContent.trim(), one.getAttribute('aria-label')].includes(arguments[0]))""", text, within)
        return found and found[ELEMENT]

    def click(self, text, within="body"):
        def attempt():
            element = self.button(text, within)
            if element:
                self._do(f"/element/{element}/click")
            return element
        self.wait(attempt, f"a button '{text}' in {within}")

    def click_at(self, css):
        self.wait(lambda: self._do(f"/element/{self.element(css)}/click") is None, "something to click at " + css)

    def fill(self, css, text):
        def attempt():
            element = self.element(css)
            self._do(f"/element/{element}/clear")
            if text:
                self._do(f"/element/{element}/value", {"text": text})
            return True
        self.wait(attempt, "a field " + css)

    def choose(self, css, value):
        self.wait(lambda: self.script("""
            const list = document.querySelector(arguments[0]);
            if (!list) return false;
            list.value = arguments[1];
            list.dispatchEvent(new Event('change', {bubbles: true}));
            return true""", css, value), "a list " + css)

    def text(self, css):
        return self.script("return document.querySelector(arguments[0])?.innerText ?? ''", css)

    def sees(self, text, css="body"):
        self.wait(lambda: text in self.text(css), f"'{text}' in {css}")

    def picture(self, path):
        self.script("document.activeElement?.blur()")
        with open(path, "wb") as file:
            file.write(base64.b64decode(self._ask("GET", self.session + "/screenshot")))

    def close(self):
        try:
            if hasattr(self, "session"):
                self._ask("DELETE", self.session)
        except Exception:
            pass  # it is killed below
        self.driver.kill()
        self.driver.wait()
        self.driver.stdout.close()
        self._end_all()
        shutil.rmtree(self.profile, ignore_errors=True)

    def _end_all(self):
        """Chromium's helpers: whoever has our profile's folder in its command line, and what is left of them."""
        mark = self.profile.encode()
        for _ in range(100):
            left = []
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                pass
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{pid}/cmdline", "rb") as file:
                        if mark in file.read():
                            left.append(int(pid))
                except OSError:
                    pass
            if not left:
                return
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
            time.sleep(0.05)
