#!/usr/bin/env python3
"""picture.py PROGRAM PNG: the daemon's page as it is on a good day, for README.md."""
import pathlib
import subprocess
import sys

from world import Browser, World

PROGRAM, PNG = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
DEMO_DATA = pathlib.Path(__file__).resolve().parents[2] / "tools/demo_data.py"
PASSES = 36
WIDTH = 1200
READS = ([["episodes", f"ep-{4999 - n:07d}"] for n in range(0, 300, 7)] + [["patterns", "pa-9999"]]
         + [["episodes", f"ep-{n:07d}"] for n in range(3)])


class Memories(World):
    """Has a demonstration database for its source, and the log of its changes."""

    def make_source(self, rows):
        subprocess.run([DEMO_DATA, "make", self.source], check=True, stdout=subprocess.DEVNULL)

    def bring_source_back(self):
        super().bring_source_back()
        assert self.run("capture", "install").returncode == 0

    def work(self):
        """What an agent does between two passes; now and then it had much to write down."""
        for number in range(PASSES):
            first = 4000 + number * 23 % 700
            last = first + (number * 37 % 11) * (1 + number % 4)
            self.write(f"UPDATE episodes SET reward = {number} WHERE episode_id BETWEEN 'ep-{first:07d}' AND"
                       f" 'ep-{last:07d}'; DELETE FROM heuristics WHERE heuristic_id = 'he-{number * 2:04d}'")
            self.sync()
        for words in READS:
            self.run("get", *words)


def down_to_the_charts(browser):
    return browser.do("return document.getElementById('rows').closest('section').getBoundingClientRect().bottom") + 16


def main():
    browser = Browser()
    try:
        with Memories(PROGRAM, 'interval = "30s"\nmax_staleness = "5m"\n') as world:
            world.work()
            browser.size(WIDTH, 900)
            browser.show_cache(world)
            browser.await_text("word", "Fresh")
            browser.wait(lambda: int(browser.text("passes")) > PASSES, "every pass")
            browser.size(WIDTH, round(down_to_the_charts(browser)))
            browser.driver.save_screenshot(str(PNG))
    finally:
        browser.close()
    print(f"{PNG.name}: {PNG.stat().st_size // 1024} KiB")


main()
