#!/usr/bin/env python3
"""test/browser/xcap_admin.py PORT [PICTURES] - etc/xcap_admin.cfg as a person sees it, in a headless Chromium.

The server has alice (password wonderland). Exit status 0 when all went as told; else the story that failed is said.
With PICTURES, a folder, the pictures of doc/xcap_admin.md are taken on the way."""
import os, signal, sys, urllib.error, urllib.parse, urllib.request

sys.dont_write_bytecode = True  # the tree stays as it is
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from webdriver import Browser

port = int(sys.argv[1])
pictures = sys.argv[2] if len(sys.argv) > 2 else None
site = f"127.0.0.1:{port}"
lists = "/xcap-root/resource-lists/users/sip:alice@127.0.0.1/index"
rules = "/xcap-root/pres-rules/users/sip:alice@127.0.0.1/index"


class Phone:
    """Alice's other client."""

    def __init__(self, password="wonderland"):
        known = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        known.add_password(None, f"http://{site}/", "alice", password)
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                                  urllib.request.HTTPDigestAuthHandler(known))

    def ask(self, method, path, body=None, kind=None):
        request = urllib.request.Request(f"http://{site}" + path, body.encode() if body is not None else None,
                                         {"Content-Type": kind} if kind else {}, method=method)
        try:
            with self.opener.open(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""

    def get(self, path):
        return self.ask("GET", path)[1]


def check(truth, story):
    if not truth:
        raise AssertionError(story)


def picture(browser, name):
    if pictures:
        browser.picture(f"{pictures}/xcap_admin_{name}.png")


def sign_in(browser):
    # The browser's own window for name and password cannot be driven: it learns both from an address.
    browser.go(f"http://alice:wonderland@{site}/xcap-admin/whoami")
    browser.sees("sip:alice@127.0.0.1")
    browser.go(f"http://{site}/")
    check(browser.script("return location.pathname") == "/xcap-admin/", "the root leads to the page")
    picture(browser, "sign_in")
    browser.click("Sign in", "#sign-in")
    browser.sees("sip:alice@127.0.0.1", "#user")


def add_list(browser, name):
    browser.click("Add a list", "#document")
    browser.fill("dialog #field-name", name)
    browser.click("Add")
    browser.sees("Saved", "#message")


def add_entry(browser, label, uri, name):
    browser.click("Add an entry", f'section[aria-label="List {label}"]')
    browser.fill("dialog #field-uri", uri)
    browser.fill("dialog #field-display", name)
    browser.click("Add")
    browser.sees(f"Saved: Add {name or uri}", "#message")


def contact_lists(browser, phone):
    browser.sees("You have no documents yet")
    browser.click("+ Create", "#documents")
    browser.sees("There is no list yet", "#document")
    add_list(browser, "family")
    add_entry(browser, "family", "sip:ann@example.com", "Ann")
    add_entry(browser, "family", "ben@example.com", "Ben <script>alert(1)</script>")
    check('<entry uri="sip:ben@example.com"><display-name>Ben &lt;script&gt;alert(1)&lt;/script&gt;</display-name></entry>'
          in phone.get(lists), "the entry is stored, escaped, with sip: in front")
    check(browser.script("return document.querySelectorAll('#document script').length") == 0, "data is no markup")
    browser.click("Edit Ben <script>alert(1)</script>")
    browser.fill("dialog #field-display", "Ben")
    browser.click("Save")
    browser.sees("Saved: Change Ben", "#message")
    check('"sip:ben@example.com"><display-name>Ben</display-name></entry>' in phone.get(lists), "the name is changed")
    # A name that means something to every language on the way, in the selector of the next change too.
    hostile = """<img src=x onerror=alert(1)>'"&%2F/~~?]"""
    add_list(browser, hostile)
    add_entry(browser, hostile.replace('"', '\\"'), "sip:eve@example.com", "Eve")
    check(browser.script("return document.querySelectorAll('#document img').length") == 0, "a name is no markup")
    check('list name="&lt;img src=x onerror=alert(1)&gt;\'&quot;&amp;%2F/~~?]"><entry uri="sip:eve@example.com">'
          in phone.get(lists), "the hostile list has its entry")
    browser.click("Rename", f'section[aria-label="List {hostile.replace(chr(34), chr(92) + chr(34))}"]')
    browser.fill("dialog #field-name", "office")
    browser.fill("dialog #field-display", "The office")
    browser.click("Save")
    browser.sees("The office", "#document")
    browser.click("Edit Eve")
    browser.fill("dialog #field-display", "Eve Moneypenny")
    browser.click("Save")
    browser.sees("Eve Moneypenny", "#document")
    # What the server refuses is said in its words, and changes nothing.
    before = phone.get(lists)
    browser.click("Rename", 'section[aria-label="List The office"]')
    browser.fill("dialog #field-name", "family")
    browser.click("Save")
    browser.sees("The server refused the change", "#message")
    browser.sees("uniqueness-failure", "#message")
    check(phone.get(lists) == before, "a refused change is none")
    # What the page knows itself needs no server.
    browser.click("Add an entry", 'section[aria-label="List family"]')
    browser.fill("dialog #field-uri", "sip:ann@example.com")
    browser.click("Add")
    browser.sees("is in this list already", "#message")


def conflict(browser, phone):
    # Another client adds Carl and removes Ben while the page is open.
    text = phone.get(lists)
    ben = text.index('<entry uri="sip:ben@example.com">')
    end = text.index("</entry>", ben) + len("</entry>")
    theirs = text[:ben] + '<entry uri="sip:carl@example.com"><display-name>Carl</display-name></entry>' + text[end:]
    check(phone.ask("PUT", lists, theirs, "application/resource-lists+xml")[0] == 200, "the phone is faster")

    def dora():
        browser.click("Add an entry", 'section[aria-label="List family"]')
        browser.fill("dialog #field-uri", "sip:dora@example.com")
        browser.fill("dialog #field-display", "Dora")
        browser.click("Add")

    dora()
    browser.sees("Somebody else was faster", "#conflict")
    browser.sees("Carl", "#conflict .theirs")
    browser.sees("Dora", "#conflict .mine")
    check(phone.get(lists) == theirs, "nothing is overwritten before the user has chosen")
    picture(browser, "conflict")
    browser.click("Take theirs")
    browser.sees("You have their version", "#message")
    browser.sees("Carl", "#document")
    check(phone.get(lists) == theirs, "theirs has been taken")

    changed = theirs.replace(">Carl<", ">Carl the second<")
    check(phone.ask("PUT", lists, changed, "application/resource-lists+xml")[0] == 200, "the phone is faster again")
    dora()
    browser.sees("Carl the second", "#conflict .theirs")
    browser.click("Apply mine on top")
    browser.sees("Saved: Add Dora", "#message")
    now = phone.get(lists)
    check("Carl the second" in now and "sip:dora@example.com" in now and "ben@example.com" not in now, "both changes are there")
    picture(browser, "lists")


def presence_rules(browser, phone):
    browser.click("+ Create", "#documents")
    browser.sees("Everybody else", "#document")
    for uri, handling in (("sip:ann@example.com", "allow"), ("sip:boss@example.com", "polite-block")):
        browser.click("Add a person", "#document")
        browser.fill("dialog #field-id", uri)
        browser.choose("dialog #field-handling", handling)
        browser.click("Add")
        browser.sees(f"Saved: {uri}", "#message")
    browser.choose('select[aria-label="What happens when anybody else asks"]', "confirm")
    browser.sees("Saved: Everybody else", "#message")
    text = phone.get(rules)
    check('<many><except id="sip:ann@example.com"/><except id="sip:boss@example.com"/></many>' in text,
          "who has a rule is excepted from everybody's")
    check(text.count("<pr:all-services/>") == 1, "who is allowed sees something")
    browser.choose('select[aria-label="What happens when sip:boss@example.com asks"]', "block")
    browser.sees("Saved: sip:boss@example.com", "#message")
    check(">block</pr:sub-handling>" in phone.get(rules), "the rule is changed")
    picture(browser, "rules")
    browser.click("Remove sip:boss@example.com")
    browser.sees("Saved: Remove the rule", "#message")
    check("boss" not in phone.get(rules), "the rule is gone, its exception too")


def tree_and_text(browser, phone):
    browser.click_at('#documents a[href*="resource-lists"]')
    browser.sees("Contact lists", "#document")
    browser.click("Elements", "#document")
    browser.sees("sip:dora@example.com", "#panel .elements")
    picture(browser, "tree")
    other = "/xcap-root/resource-lists/users/sip:alice@127.0.0.1/" + urllib.parse.quote("<b>bold<b>")
    check(phone.ask("PUT", other, phone.get(lists), "application/resource-lists+xml")[0] == 201, "a hostile name is a name")
    browser.click("Reload")
    browser.sees("<b>bold<b>", "#documents")
    check(browser.script("return document.querySelectorAll('#documents b').length") == 0, "a document's name is no markup")
    browser.click_at('#documents a[href*="index"]')
    browser.click("Text", "#document")
    browser.sees(phone.get(lists).splitlines()[0], "#panel pre")
    browser.click_at('#documents a[href*="bold"]')
    browser.click("Delete document", "#document")
    browser.sees("gone for all your phones", "dialog")
    browser.click("Delete")
    browser.sees("Deleted: ", "#message")
    check(phone.ask("GET", other)[0] == 404, "the document is gone")


# What a list holds before and after, and whether one element or attribute ("node") is enough to say so. `e` is an entry.
changes = [
    ("nothing", "<e uri='sip:a'/>", "<e uri='sip:a'/>\n", "none"),
    ("one behind the others", "<e uri='sip:a'/><e uri='sip:b'/>", "<e uri='sip:a'/><e uri='sip:b'/><e uri='sip:c'/>", "node"),
    ("one in front", "<e uri='sip:a'/><e uri='sip:b'/>", "<e uri='sip:c'/><e uri='sip:a'/><e uri='sip:b'/>", "node"),
    ("one in the middle", "<e uri='sip:a'/><e uri='sip:b'/>", "<e uri='sip:a'/><e uri='sip:c'/><e uri='sip:b'/>", "node"),
    ("one of another kind between", "<e uri='sip:a'/><e uri='sip:b'/>", "<e uri='sip:a'/><l name='x'/><e uri='sip:b'/>", "node"),
    ("one behind a comment", "<e uri='sip:a'/><!--here-->", "<e uri='sip:a'/><!--here--><e uri='sip:b'/>", "node"),
    ("the first into nothing", "", "<e uri='sip:a'><display-name>A &amp; B &lt;</display-name></e>", "node"),
    ("the first of two gone", "<e uri='sip:a'/><e uri='sip:b'/>", "<e uri='sip:b'/>", "node"),
    ("a list without a name gone", "<l/><l/><l name='x'/>", "<l/><l name='x'/>", "node"),
    ("two changes at once", "<e uri='sip:a'/><e uri='sip:b'/>", "<e uri='sip:c'/><e uri='sip:d'/>", "node"),
    ("its address", "<e uri='sip:a'/><e uri='sip:b'/>", "<e uri='sip:a'/><e uri='sip:c'/>", "node"),
    ("an attribute more, quoted in every way", "<l/>", "<l name='&quot;&apos;&amp;&lt; /]~~%2Fä📞'/>", "node"),
    ("inside of such a list", "<l name='&quot;&apos;&amp;&lt; /]~~%2Fä📞'/>",
     "<l name='&quot;&apos;&amp;&lt; /]~~%2Fä📞'><e uri='sip:a'/></l>", "node"),
    ("an attribute less", "<l name='x'/>", "<l/>", "node"),
    ("a name in front of what is foreign", "<e uri='sip:a'><f:x xmlns:f='urn:(f)^'/></e>",
     "<e uri='sip:a'><display-name>A</display-name><f:x xmlns:f='urn:(f)^'/></e>", "node"),
    ("something foreign, inside", "<e uri='sip:a'><f:x xmlns:f='urn:(f)^'>1</f:x></e>",
     "<e uri='sip:a'><f:x xmlns:f='urn:(f)^'>2</f:x></e>", "node"),
    ("a foreign attribute", "<e uri='sip:a' xmlns:f='urn:(f)^' f:y='1'/>", "<e uri='sip:a' xmlns:f='urn:(f)^' f:y='2'/>", "node"),
    ("a comment", "<!--one-->", "<!--two-->", "node"),
]


def smallest_changes(browser, phone):
    """Each change, as the page makes it from two versions, is made by the server: the result has to be the same."""
    results = browser.script("""
        return (async (rows, xui) => {
            const [{smallestChange}, xml, {Documents}] =
                await Promise.all(["change", "xml", "xcap"].map((name) => import("/xcap-admin/" + name + ".js")));
            const documents = new Documents({xui, root: "/xcap-root/"});
            const path = documents.pathOf("resource-lists", "changes"), type = "application/resource-lists+xml";
            const whole = (inside) => '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list name="L">' +
                inside.replaceAll("<e ", "<entry ").replaceAll("</e>", "</entry>").replace(/<(\\/?)l(?=[ \\/>])/g, "<$1list") +
                "</list></resource-lists>";
            await documents.create(path, type, whole(""));
            const results = [];
            for (const [story, before, after] of rows) {
                try {
                    await documents.write(await documents.read(path), {method: "PUT", node: null, body: whole(before)});
                    const base = await documents.read(path), wanted = xml.parse(whole(after));
                    const change = smallestChange(base.xml, wanted);
                    if (change)
                        await documents.write(base, change);
                    const now = await documents.read(path);
                    results.push([story, change ? (change.node ? "node" : "whole") : "none",
                        xml.isSame(now.xml.documentElement, wanted.documentElement), change?.node + " " + now.text]);
                } catch (problem) {
                    results.push([story, "failed", false, problem.message]);
                }
            }
            await documents.write(await documents.read(path), null);
            return results;
        })(...arguments)""", [row[:3] for row in changes], "sip:alice@127.0.0.1")
    for (story, how, same, told), row in zip(results, changes, strict=True):
        check(how == row[3] and same, f"{story}: {how} {told}")


def signing_out(browser):
    browser.click("Sign out")
    browser.wait(lambda: browser.button("Sign in", "#sign-in"), "the sign-in")
    browser.click("Sign in", "#sign-in")  # the browser asks its user now: it has forgotten
    browser.sees("Waiting for your browser", "#sign-in")
    check(browser.text("#documents") == "", "nothing is left on the page")
    # A wrong password opens nothing.
    browser.go(f"http://alice:wrong@{site}/xcap-admin/whoami")
    check("sip:alice" not in browser.text("body"), "a wrong password is no password")
    browser.go(f"http://{site}/xcap-admin/")
    check(browser.text("#user") == "", "nobody is signed in")


def main():
    signal.alarm(120)  # the test waits a little longer: rather fail here and clean up. A quiet machine takes 15 s
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(AssertionError("it took too long")))
    check(Phone("wrong").ask("GET", "/xcap-admin/whoami")[0] == 401, "a wrong password is 401")
    check(Phone("wrong").ask("GET", lists)[0] == 401, "for documents too")
    browser = Browser()
    try:
        phone = Phone()
        sign_in(browser)
        contact_lists(browser, phone)
        conflict(browser, phone)
        presence_rules(browser, phone)
        tree_and_text(browser, phone)
        smallest_changes(browser, phone)
        signing_out(browser)
    finally:
        signal.alarm(0)
        browser.close()


try:
    main()
except (AssertionError, RuntimeError, OSError) as problem:
    print("FAILED:", problem)
    sys.exit(1)
print("all went as told")
