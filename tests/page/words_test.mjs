// The page's words and the events it reads, without a browser: src/daemon/page/{words,stream}.js are pure
// but for watch(), and are loaded as the page loads them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const load = (name) => {
  const path = new URL(`../../src/daemon/page/${name}.js`, import.meta.url);
  return vm.runInThisContext(`(() => {${readFileSync(path, "utf8")}; return ${name};})()`);
};
const words = load("words");
const stream = load("stream");

const told = (freshness = {}, more = {}) => ({
  error: null,
  max_staleness_ms: 300000,
  freshness: {
    state: "fresh", checked_at_ms: 1, age_ms: 1200, source_unavailable_since_ms: null,
    source_unavailable_reason: "", source_refused_since_ms: null, source_refused_reason: "", doubt: "",
    catching_up: false, incomplete: 0, consistent: true, ...freshness,
  },
  cache: { missed_by_capture: null },
  status: { last_error: "" },
  ...more,
});
const judge = (what, elapsed = 0) => words.judge(what, elapsed, (ms) => `@${ms}`);

test("a_cache_turns_stale_by_the_time_alone", () => {
  assert.equal(judge(told()).word, "Fresh");
  assert.equal(judge(told(), 298800).word, "Fresh");
  assert.equal(judge(told(), 298801).word, "Stale");
  assert.match(judge(told(), 298801).says, /5 min 0 s ago; stale after 5 min$/);
  assert.equal(judge(told(), 5000).age, 6200);
});

test("what_the_daemon_calls_worse_than_fresh_is_never_called_fresh", () => {
  assert.equal(judge(told({ state: "stale" })).word, "Stale");
  assert.equal(judge(told({ state: "stale", age_ms: null })).says, "How old it is, is not known: the clock went back");
  assert.equal(judge(told({ state: "needs_repair" })).word, "Needs repair");
  assert.equal(judge(told({ state: "never_synced", age_ms: null })).word, "Never synced");
  const broken = judge(told({}, { error: { code: "busy", message: "held", hint: "wait" } }));
  assert.equal(broken.word, "Not readable");
  assert.deepEqual(broken.notes, [{ tone: "bad", text: "held. Hint: wait" }]);
});

test("whatever_is_not_well_is_noted_with_its_reason", () => {
  const notes = judge(told({
    source_unavailable_since_ms: 7, source_unavailable_reason: "refused", source_refused_since_ms: 8,
    source_refused_reason: "token", doubt: "restored", catching_up: true, incomplete: 1, consistent: false,
  }, { cache: { missed_by_capture: {} } })).notes.map((note) => note.text);
  const found = ["reached since @7: refused", "refuses since @8, until somebody acts: token", "restored",
    "Catching up", "1 item of the source cannot", "capture install --renew", "not one snapshot"];
  assert.equal(notes.length, found.length);
  found.forEach((text, n) => assert.ok(notes[n].includes(text), notes[n]));
  assert.deepEqual(judge(told()).notes, []);
  assert.deepEqual(judge(told({}, { status: { last_error: "no file" } })).notes,
    [{ tone: "warn", text: "The last pass failed: no file" }]);
});

test("durations_and_sizes_have_the_units_of_people", () => {
  const said = [[0, "0 ms"], [999, "999 ms"], [1000, "1.0 s"], [9990, "9.9 s"], [59999, "59 s"], [61000, "1 min 1 s"],
    [3600000, "1 h 0 min"], [172800000, "2 d 0 h"]];
  for (const [ms, text] of said) assert.equal(words.duration(ms), text);
  assert.equal(words.ticking(999), "0 s");
  assert.equal(words.ticking(4999), "4 s");
  for (const [ms, text] of [[1000, "1 s"], [1500, "1.5 s"], [300000, "5 min"], [10, "10 ms"], [3600000, "1 h"]]) {
    assert.equal(words.limit(ms), text);
  }
  assert.equal(words.bytes(1023), "1023 bytes");
  assert.equal(words.bytes(1536), "1.5 KiB");
});

test("each_collection_is_shown_with_what_it_is_of", () => {
  const cache = {
    scope: { max_episodes_cache: 5000, sync_patterns: false, sync_embeddings: true },
    window_complete: false,
    collections: { embeddings_384: { count: 1 }, patterns: { count: 0 }, episodes: { count: 5000 } },
  };
  assert.deepEqual(words.collections(cache), [
    { name: "episodes", rows: 5000, of: "the newest 5,000 of the source" },
    { name: "patterns", rows: 0, of: "switched off" },
    { name: "embeddings_384", rows: 1, of: "those of cached items" }]);
  cache.window_complete = true;
  assert.equal(words.collections(cache)[0].of, "all episodes of the source");
});

test("a_pass_shows_what_it_wrote_whatever_it_was", () => {
  const counts = { upserted: 3, deleted: 1, evicted: 2, unchanged: 9, skipped: 0 };
  const report = { mode: "delta", collections: { episodes: counts, patterns: counts } };
  const of = (work, given, error = null) => words.pass({
    ended_at_ms: 5, took_ms: 7, trigger: "interval", work, outcome: error ? "error" : "done", report: given, error });
  const sync = of("sync", report);
  assert.deepEqual([sync.what, sync.why, sync.written, sync.removed], ["delta", "by interval", 6, 6]);
  assert.deepEqual(of("repair", { problems: [], sync: report }).written, 6);
  const compared = of("validate", { differs: false, collections: { episodes: { equal: 3 } } });
  assert.deepEqual([compared.what, compared.written], ["validate", null]);
  assert.deepEqual(of("sync", null, { code: "unavailable" }).written, null);
});

test("the_same_failure_is_told_once_with_how_often", () => {
  const failed = (endedAt, message) => (
    { endedAt, outcome: "error", problems: [], error: { code: "unavailable", message, hint: "h" } });
  const found = words.failures([failed(9, "a"), { outcome: "done" }, failed(8, "b"), failed(7, "a"),
    { endedAt: 6, outcome: "differs", problems: ["one", "two"], error: null }]);
  assert.deepEqual(found.map((f) => [f.code, f.message, f.hint, f.last, f.times]), [
    ["unavailable", "a", "h", 9, 2], ["unavailable", "b", "h", 8, 1], ["differs", "one; two", "", 6, 1]]);
});

test("the_hit_rate_is_that_of_the_command", () => {
  const rate = (reads, exists = true) => words.hitRate({ exists, reads }).rate;
  assert.equal(rate({ hits: 1, absent: 1, unknown: 1 }), "66 %");
  assert.equal(rate({ hits: 0, absent: 0, unknown: 0 }), "no reads yet");
  assert.equal(rate(null), "not known");
  assert.equal(rate(null, false), "no reads yet");
});

test("the_passes_are_summed_up", () => {
  assert.equal(words.passesSaid({ passes: 0, failures: 0 }), "none has ended yet");
  assert.equal(words.passesSaid({ passes: 2, failures: 0 }), "the last one was done");
  assert.equal(words.passesSaid({ passes: 2, failures: 1 }), "1 failed in a row until now");
});

test("events_are_read_as_the_daemon_writes_them", () => {
  assert.deepEqual(stream.eventOf('retry: 2000\nid: 1\nevent: status\ndata: {"a":"b: c"}'),
    { name: "status", data: { a: "b: c" } });
  assert.equal(stream.eventOf(": alive"), null);
});
