// Puts what is known into the document. Texts of the source and of errors may be hostile: they go in as
// text, never as HTML, which the page's policy refuses anyway.
"use strict";

const view = (() => {
  const kReportsShown = 10;
  const kSigns = { ok: "✓", warn: "!", bad: "✕" };

  const $ = (id) => document.getElementById(id);
  const show = (id, shown) => { $(id).hidden = !shown; };

  // Only what changed, so that nothing is announced twice.
  function put(id, text) {
    if ($(id).textContent !== text) $(id).textContent = text;
  }

  function make(tag, text, name) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (name) element.className = name;
    return element;
  }

  function row(head, ...cells) {
    const line = make("tr");
    const first = make("th", head);
    first.scope = "row";
    line.append(first, ...cells);
    return line;
  }

  function cell(main, small, name) {
    const out = make("td", main, name);
    if (small) out.append(make("small", small));
    return out;
  }

  function clock(ms) {
    const then = new Date(ms);
    const time = then.toLocaleTimeString([], { hour12: false });
    const today = then.toDateString() === new Date().toDateString();
    return today ? time : `${then.toLocaleDateString()} ${time}`;
  }

  function list(id, entries, made) {
    const text = JSON.stringify(entries);
    if ($(id).dataset.shown === text) return;
    $(id).dataset.shown = text;
    $(id).replaceChildren(...entries.map(made));
  }

  // What changes with the time alone: `elapsed` ms after it was told, by a daemon that answers or not.
  function tick(told, elapsed, answers) {
    const judged = words.judge(told, elapsed, clock);
    const name = told.status.cache.split("/").pop();
    document.documentElement.dataset.tone = judged.tone;
    put("sign", kSigns[judged.tone]);
    put("word", judged.word);
    put("says", judged.says);
    document.title = `${judged.word} · ${name} · tidemark`;
    const part = judged.age === null ? 0 : Math.min(1, judged.age / told.max_staleness_ms);
    $("water").style.width = `${(part * 100).toFixed(1)}%`;
    list("notes", judged.notes, ({ tone, text }) => make("li", text, tone));
    schedule(told, elapsed, answers);
  }

  function schedule({ status, build }, elapsed, answers) {
    if (!answers) {
      put("next", "not known");
    } else if (status.running) {
      put("next", "runs now");
    } else if (status.next_pass_ms === null) {
      put("next", "none");
    } else {
      const left = status.next_pass_ms - elapsed;
      put("next", left <= 0 ? "due" : `in ${words.ticking(left + 999)}`);
    }
    put("next-why", answers ? words.trigger(status.trigger) : "");
    put("daemon", `tidemark ${build.version} (${build.commit}), redb ${build.redb}; daemon pid ${status.pid}` +
                  (answers ? `, up ${words.ticking(status.uptime_ms + elapsed)}` : ""));
  }

  function progress(told, seen) {
    const { running, trigger } = told.status;
    show("running", running !== "");
    if (running === "") return;
    const total = seen?.rows_total ?? null;
    const rows = seen ? `: ${seen.phase} ${seen.collection}, ${words.count(seen.rows_done)} ` +
                        `${total === null ? "" : `of ${words.count(total)} `}rows` : "";
    put("running-says", `${running} runs ${words.trigger(trigger)}${rows}`);
    if (total > 0) {
      $("bar").max = total;
      $("bar").value = Math.min(total, seen.rows_done);
    } else {
      $("bar").removeAttribute("value");
    }
  }

  function figures({ status, cache }) {
    const { rate, says } = words.hitRate(cache);
    put("hits", rate);
    put("reads", says);
    put("passes", words.count(status.passes));
    put("failed", words.passesSaid(status));
    put("file", words.bytes(cache.file_bytes));
    put("live", cache.live_bytes === null ? "" : `of which live ${words.bytes(cache.live_bytes)}`);
    const { scrub } = status;
    if (scrub === null) put("scrub", "off");
    else put("scrub", scrub.ended_at_ms === null ? "first walk" : `done ${clock(scrub.ended_at_ms)}`);
    put("walk", scrub === null ? "" : `${scrub.percent} % of this walk`);
    put("source", status.source);
    put("which", status.cache);
  }

  function skipped({ cache, freshness }) {
    const known = cache.last_report?.skipped ?? [];
    const all = freshness.incomplete;
    put("skipped-says", all === 0 ? "None: whatever the scope admits is cached."
      : `${words.items(all)} of the source cannot be cached` +
        (known.length < all ? `; of these ${words.count(known.length)} are named by the last report.` : "."));
    show("skipped-table", known.length > 0);
    list("skipped", known, (item) => {
      const line = row(item.key, make("td", item.reason));
      line.firstChild.append(make("small", item.collection));
      return line;
    });
  }

  function status(told) {
    show("nothing", Object.keys(told.cache.collections).length === 0);
    list("collections", words.collections(told.cache), ({ name, rows, of }) =>
      row(name, make("td", words.count(rows), "number"), make("td", of)));
    figures(told);
    skipped(told);
  }

  function outcome(pass) {
    const out = make("td");
    out.append(make("span", pass.outcome, `badge ${pass.outcome === "done" ? "ok" : "bad"}`));
    if (pass.error) out.append(make("small", pass.error.code));
    return out;
  }

  function report(pass) {
    const rows = pass.written === null ? "–" : `${words.count(pass.written)} / ${words.count(pass.removed)}`;
    return row(clock(pass.endedAt), cell(pass.what, pass.why),
               make("td", words.duration(pass.tookMs), "number"), make("td", rows, "number"), outcome(pass));
  }

  function reports(passes) {
    const all = $("more").getAttribute("aria-expanded") === "true";
    list("reports", all ? passes : passes.slice(0, kReportsShown), report);
    show("more", passes.length > kReportsShown);
    put("more", all ? `Show the newest ${kReportsShown} only` : `Show all ${passes.length}`);
  }

  function error({ code, message, hint, last, times }) {
    const card = make("li");
    card.append(make("b", code, "badge bad"), make("p", message));
    if (hint) card.append(make("p", `Hint: ${hint}`, "hint"));
    const often = times === 1 ? "at" : `${words.count(times)} times, last at`;
    card.append(make("small", `${often} ${clock(last)}`));
    return card;
  }

  function passes_list(passes) {
    reports(passes);
    const failed = words.failures(passes);
    put("no-errors", failed.length > 0 ? "" : passes.length === 0 ? "No pass has ended yet."
      : `None in the last ${passes.length === 1 ? "pass" : `${passes.length} passes`}.`);
    list("errors", failed, error);
    const longest = Math.max(0, ...passes.map((p) => p.tookMs));
    const rows = passes.reduce((n, p) => n + (p.written ?? 0) + (p.removed ?? 0), 0);
    $("durations").setAttribute("aria-label", `Durations of the last ${passes.length} passes, the longest ` +
      `${words.duration(longest)}; ${passes.filter((p) => p.outcome !== "done").length} failed or differed. ` +
      "The reports below have each.");
    $("rows").setAttribute("aria-label", `Rows of the last ${passes.length} passes, ${words.count(rows)} ` +
      "written or removed. The reports below have each.");
  }

  function pointed(pass) {
    put("pointed", pass === null ? "Point at a bar to read it; the reports below have each."
      : `${clock(pass.endedAt)}: ${pass.what} ${pass.why}, ${words.duration(pass.tookMs)}, ` +
        (pass.written === null ? "" : `${words.count(pass.written)} written, ${words.count(pass.removed)} removed, `) +
        pass.outcome);
  }

  // "live", "asking", "lost" or "" (signed out).
  function link(state, text) {
    $("link").className = state;
    put("link", text);
  }

  return { $, show, put, clock, tick, progress, status, reports, passes: passes_list, pointed, link };
})();
