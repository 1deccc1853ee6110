#!/usr/bin/env python3
"""The daemon's page in a real Chromium, beside a real daemon on a real source.

page_test.py PROGRAM SERVER AXE SCREENSHOTS [unittest's arguments]: SERVER is a tursodb, AXE axe.min.js,
which judges accessibility; pictures of the page are left in the folder SCREENSHOTS.
"""
import contextlib
import pathlib
import signal
import sqlite3
import sys
import unittest

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from world import Browser, Listener, World

PROGRAM, SERVER, AXE, SCREENSHOTS = (pathlib.Path(word).resolve() for word in sys.argv[1:5])
SOON = 'interval = "1s"\nheartbeat = "1s"\nmax_staleness = "2s"\n'
HOSTILE = """<img src=x onerror="window.hacked=1">"""
# An embedding with too short a vector, under a key that is HTML.
SKIPPED = f"INSERT INTO embeddings VALUES('{HOSTILE}', 'e3', 'episode', x'0000803F', 2);"
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()

    def setUp(self):
        self.browser.driver.get("about:blank")  # the page of the test before, whose daemon is gone
        self.browser.complaints()
        self.expected = []  # parts of what the console may say

    def tearDown(self):
        unexpected = [said for said in self.browser.complaints() if not any(part in said for part in self.expected)]
        self.assertEqual(unexpected, [])

    def world(self, *arguments, **named):
        return self.enterContext(World(PROGRAM, *arguments, **named))

    def rows_of(self, collection):
        """Rows that the page says are cached, or None."""
        for line in self.browser.text("collections").splitlines():
            name, *rest = line.split()
            if name == collection:
                return int(rest[0].replace(",", ""))
        return None

    def test_without_the_token_nothing_is_shown_and_a_wrong_one_is_told_where_it_is(self):
        page, world = self.browser, self.world()
        page.show(world)
        self.assertTrue(page.visible("sign-in"))
        self.assertFalse(page.visible("board"))
        self.assertNotIn("memories", page.text("which"))
        self.assertEqual(page.do("return performance.getEntriesByType('resource').length"), 0)
        self.expected = ["401"]
        page.sign_in("not-the-token-of-this-daemon")
        page.await_text("token-wrong", "CACHE.token")
        self.assertFalse(page.visible("board"))
        page.sign_in("no word")
        page.await_text("token-wrong", "one word")
        page.sign_in(world.token())
        page.await_text("word", "Fresh")
        self.assertEqual(page.text("which"), str(world.cache))
        self.assertTrue(all(name.startswith(world.url) for name in
                            page.do("return performance.getEntriesByType('resource').map((e) => e.name)")))

    def test_the_token_is_asked_for_once_in_a_tab_or_once_in_a_browser(self):
        page, world = self.browser, self.world()
        page.show_cache(world)
        page.show(world)
        page.await_text("word", "Fresh")
        page.do("sessionStorage.clear()")  # as in another tab
        page.show(world)
        self.assertTrue(page.visible("sign-in"))
        page.sign_in(world.token(), keep=True)
        page.await_text("word", "Fresh")
        page.do("sessionStorage.clear()")
        page.show(world)
        page.await_text("word", "Fresh")
        page.element("forget").click()
        page.wait(lambda: page.visible("sign-in"), "the question for the token")
        self.assertEqual(page.do("return sessionStorage.length + localStorage.length"), 0)
        self.assertNotIn("episodes", page.do("return document.getElementById('board').textContent"))

    def test_what_is_written_at_the_source_shows_with_the_pass_that_reads_it(self):
        page, world = self.browser, self.world()
        page.show_cache(world)
        page.do("window.mark = 'not loaded again'")
        self.assertEqual([self.rows_of(name) for name in ("episodes", "patterns", "embeddings")], [3, 2, 1])
        self.assertIn("all episodes of the source", page.text("collections"))
        blank = self.picture("rows")
        world.write("INSERT INTO episodes VALUES('e4', 'four', 4), ('e5', 'five', 5);"
                    "DELETE FROM patterns WHERE pattern_id = 'p1'")
        world.sync()
        page.wait(lambda: self.rows_of("episodes") == 5, "the rows")
        self.assertEqual(self.rows_of("patterns"), 1)
        newest = page.text("reports").split("done")[0]
        for part in ("scan", "on request", "2 / 1"):
            self.assertIn(part, newest)
        self.assertEqual(page.text("passes"), "2")
        self.assertIn("last 2 passes", page.element("durations").get_attribute("aria-label"))
        self.assertIn("9 written or removed", page.element("rows").get_attribute("aria-label"))
        page.wait(lambda: self.picture("rows") != blank, "the chart")
        self.assertEqual(page.do("return window.mark"), "not loaded again")

    def picture(self, chart):
        return self.browser.do("return document.querySelector(`#${arguments[0]} canvas`).toDataURL()", chart)

    def test_a_bar_that_is_pointed_at_is_told_in_words(self):
        page, world = self.browser, self.world()
        page.show_cache(world)
        page.do("document.getElementById('rows').scrollIntoView({block: 'center'})")
        at = page.do("const b = document.querySelector('#rows .u-over').getBoundingClientRect();"
                     "return {x: b.left + 5, y: b.top + 20}")
        page.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", **at})
        page.await_text("pointed", "fill at the start")
        self.assertIn("6 written, 0 removed, done", page.text("pointed"))

    def test_a_pass_that_runs_is_shown_until_it_ends(self):
        page, world = self.browser, self.world()
        page.show_cache(world)
        self.assertFalse(page.visible("running"))
        with contextlib.closing(sqlite3.connect(world.source)) as db:
            db.execute("BEGIN EXCLUSIVE")
            world.daemon.send_signal(signal.SIGHUP)
            page.await_text("next", "runs now")
            page.await_text("running-says", "sync runs after a reload")
            db.rollback()
        page.wait(lambda: not page.visible("running"), "the pass's end")
        self.assertIn("in ", page.text("next"))

    def test_texts_of_the_source_are_shown_as_texts(self):
        page, world = self.browser, self.world(rows=SKIPPED)
        page.show_cache(world)
        page.await_text("skipped", HOSTILE)
        self.assertIn("1 item of the source cannot be cached", page.text("skipped-says"))
        self.assertEqual(page.do("return document.querySelectorAll('main img').length"), 0)
        self.assertIsNone(page.do("return window.hacked ?? null"))
        # Nor could they be anything else: the page's policy has no HTML made of text.
        made = page.do("try { document.createElement('p').innerHTML = arguments[0]; return 'made'; }"
                       "catch (error) { return error.name; }", HOSTILE)
        self.assertEqual(made, "TypeError")
        self.expected = ["TrustedHTML"]

    def test_a_source_that_is_gone_shows_with_its_reason_and_then_as_stale(self):
        page, world = self.browser, self.world(SOON, server=SERVER)
        page.show_cache(world)
        page.await_text("word", "Fresh")
        gone = Listener(world, lambda fresh: fresh["source_unavailable_since_ms"] is not None)
        page.note_when("notes", "cannot be reached")
        world.take_source_away()
        self.assertLess(abs(page.noted() - gone.await_it()), 1)
        page.note_when("word", "Stale")
        stale = Listener(world, lambda fresh: fresh["state"] == "stale")
        self.assertLess(abs(page.noted() - stale.await_it()), 1)
        self.assertIn(f":{world.source_port}", page.text("notes"))
        self.assertIn("unavailable", page.text("errors"))
        self.assertIn("Hint: ", page.text("errors"))
        self.assertIn("failed in a row", page.text("failed"))
        self.assertEqual(self.rows_of("episodes"), 3)
        self.picture_of("stale")
        world.bring_source_back()
        page.await_text("word", "Fresh")
        page.wait(lambda: "cannot be reached" not in page.text("notes"), "the note to go")

    def test_the_page_itself_sees_the_cache_age_while_the_daemon_says_nothing(self):
        page, world = self.browser, self.world(SOON)
        page.show_cache(world)
        page.await_text("word", "Fresh")
        page.note_when("word", "Stale")
        world.daemon.send_signal(signal.SIGSTOP)
        fresh_until = page.do("return Date.now() / 1000 + 2")  # at the latest
        self.assertLess(page.noted(), fresh_until + 1)
        world.daemon.send_signal(signal.SIGCONT)
        page.await_text("word", "Fresh")

    def test_a_daemon_that_is_gone_is_said_so_and_met_again(self):
        page, world = self.browser, self.world(SOON)
        self.expected = ["ERR_"]
        page.show_cache(world)
        page.do("window.mark = 'not loaded again'")
        world.stop()
        page.await_text("lost-says", "No word from the daemon since")
        page.await_text("link", "no answer")
        page.await_text("word", "Stale")
        self.assertEqual(self.rows_of("episodes"), 3)
        self.assertEqual(page.text("next"), "not known")
        self.picture_of("no-answer")
        world.start()
        page.element("again").click()
        page.await_text("link", "live")
        page.await_text("word", "Fresh")
        self.assertFalse(page.visible("lost"))
        self.assertIn(f"pid {world.daemon.pid}", page.text("daemon"))
        self.assertEqual(page.do("return window.mark"), "not loaded again")

    def test_another_token_is_asked_for(self):
        page, world = self.browser, self.world()
        self.expected = ["401", "ERR_"]
        page.show_cache(world)
        world.stop()
        pathlib.Path(f"{world.cache}.token").unlink()
        world.start()
        page.await_text("lost-says", "No word from the daemon")
        with contextlib.suppress(Exception):  # it may try again by itself
            page.element("again").click()
        page.await_text("token-wrong", "The daemon refused that token")
        page.sign_in(world.token())
        page.await_text("word", "Fresh")

    def test_it_can_be_used_without_a_mouse_and_without_eyes(self):
        page, world = self.browser, self.world(rows=SKIPPED)
        page.show(world)
        self.judged_by_axe()
        page.element("token").send_keys(world.token() + Keys.ENTER)
        page.await_text("word", "Fresh")
        for _ in range(11):
            world.sync()
        page.await_text("more", "Show all 12")
        self.assertEqual(page.do("return document.documentElement.lang"), "en")
        self.assertEqual(len(page.driver.find_elements(By.TAG_NAME, "h1")), 1)
        self.assertEqual(page.element("state").get_attribute("role"), "status")
        page.show(world)  # to begin at its top
        page.await_text("more", "Show all 12")
        reached = [self.tab() for _ in range(3)]
        self.assertEqual(reached, ["skip", "forget", "more"])
        page.driver.switch_to.active_element.send_keys(Keys.SPACE)
        page.await_text("more", "Show the newest 10 only")
        self.assertEqual(len(page.driver.find_elements(By.CSS_SELECTOR, "#reports tr")), 12)
        for scheme in ("light", "dark"):
            page.scheme(scheme)
            self.judged_by_axe()
        page.size(360, 740, phone=True)
        self.judged_by_axe()
        page.size(1280, 900)
        page.scheme("light")

    def tab(self):
        """What the next press of Tab reaches; it must be seen to be there."""
        page = self.browser
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        name, outline = page.do("const at = document.activeElement;"
                                "return [at.id || at.className, getComputedStyle(at).outlineStyle]")
        self.assertEqual(outline, "solid", name)
        return name

    def judged_by_axe(self):
        self.browser.do(AXE.read_text(encoding="utf-8"))
        found = self.browser.driver.execute_async_script(
            "axe.run({runOnly: arguments[0]}).then(arguments[arguments.length - 1])", AXE_RULES)
        self.assertGreater(len(found["passes"]), 15)
        said = [f"{one['id']}: {one['help']}: {[node['html'] for node in one['nodes']]}" for one in found["violations"]]
        self.assertEqual(said, [])

    def test_it_fits_a_phone_and_a_desk_by_day_and_by_night(self):
        page, world = self.browser, self.world(rows=SKIPPED)
        page.show(world)
        self.picture_of("sign-in")
        page.sign_in(world.token())
        page.await_text("word", "Fresh")
        for n in range(20):
            world.write(f"INSERT INTO patterns VALUES('q{n}', 'more')" if n % 3 == 0 else "")
            world.sync()
        page.await_text("passes", "21")
        colours = {}
        for scheme in ("light", "dark"):
            page.scheme(scheme)
            colours[scheme] = page.do("return getComputedStyle(document.body).backgroundColor")
            self.picture_of(f"fresh-{scheme}")
            page.size(360, 740, phone=True)
            self.picture_of(f"phone-{scheme}")
            self.assertEqual(page.do("return innerWidth"), 360)
            self.assertLessEqual(page.do("return document.documentElement.scrollWidth"), 360)
            page.size(1280, 900)
        page.scheme("light")
        self.assertNotEqual(*colours.values())

    def picture_of(self, name):
        """The whole page, as it is."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        width, height = self.browser.do("const e = document.documentElement; return [innerWidth, e.scrollHeight]")
        phone = width < 500
        self.browser.size(width, height, phone)
        self.await_fit()
        self.browser.driver.save_screenshot(str(SCREENSHOTS / f"{name}.png"))
        self.browser.size(width, 740 if phone else 900, phone)

    def await_fit(self):
        fits = "return [...document.querySelectorAll('.uplot')].every((c) => c.offsetWidth <= c.parentElement.clientWidth)"
        self.browser.wait(lambda: self.browser.do(fits), "the charts to fit")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[5:], verbosity=2)
