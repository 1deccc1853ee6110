// What the page knows, where it keeps the token, and what happens when something is heard.
"use strict";

(() => {
  const { $, show, put } = view;
  const kTokenKey = "tidemark token";
  const kTickMs = 250;

  let told = null;     // the newest /v1/status
  let heardAt = null;  // when that was, by both clocks
  let passes = [];     // as words.pass() has them, the newest first
  let progress = null;
  let watching = null;
  let lost = null;     // {since, why, until}: the daemon does not answer
  let chart = null;    // made when it can be seen, since it has the width of its place

  // The clock that counts how long something takes stands still while a machine sleeps, and the other
  // may be set back: whichever says more, so that nothing looks fresher than it is.
  const now = () => ({ steady: performance.now(), wall: Date.now() });
  const since = (then) => Math.max(0, performance.now() - then.steady, Date.now() - then.wall);

  function kept() {
    return sessionStorage.getItem(kTokenKey) ?? localStorage.getItem(kTokenKey);
  }
  function keep(token, beyondTheTab) {
    (beyondTheTab ? localStorage : sessionStorage).setItem(kTokenKey, token);
  }
  function forget() {
    sessionStorage.removeItem(kTokenKey);
    localStorage.removeItem(kTokenKey);
  }

  function tick() {
    if (lost) {
      const left = lost.until - performance.now();
      put("lost-says", `No word from the daemon since ${view.clock(lost.since)} (${lost.why}). ` +
                       "What is shown is what it said last.");
      put("again", left > 0 ? `Try now (or in ${Math.ceil(left / 1000)} s)` : "Trying …");
    }
    if (told) view.tick(told, since(heardAt), !lost);
  }

  function draw() {
    view.passes(passes);
    chart ??= charts.make($("durations"), $("rows"), view.pointed);
    chart.show(passes);
  }

  // A report may be heard before the list that has it, too.
  function add(reports) {
    const known = new Map(passes.map((pass) => [pass.id, pass]));
    for (const report of reports) {
      const id = `${report.ended_at_ms} ${report.work} ${report.took_ms}`;
      known.set(id, { id, ...words.pass(report) });
    }
    passes = [...known.values()].sort((a, b) => b.endedAt - a.endedAt).slice(0, 100);
    if (told) draw();
  }

  function heard({ name, data }) {
    if (name === "report") return add([data]);
    if (name === "progress") progress = data;
    if (name === "status") {
      const first = told === null;
      told = data;
      heardAt = now();
      if (!data.status.running) progress = null;
      show("board", true);
      view.status(told);
      if (first) draw();
    }
    if (told) view.progress(told, progress);
    tick();
  }

  function open() {
    passes = [];  // of a daemon that was started anew there are none
    lost = null;
    show("lost", false);
    show("sign-in", false);
    show("forget", true);
    view.link("live", "live");
  }

  function lose(why, delay) {
    lost = { since: lost?.since ?? Date.now(), why, until: performance.now() + delay };
    show("lost", true);
    view.link("lost", "no answer");
    tick();
  }

  function askForToken(why) {
    watching = told = lost = null;
    forget();
    for (const id of ["board", "lost", "forget"]) show(id, false);
    show("sign-in", true);
    put("token-wrong", why);
    for (const id of ["which", "daemon"]) put(id, "");
    document.title = "tidemark";
    view.link("", "");
    $("token").value = "";
    $("token").focus();
  }

  function watch(token) {
    view.link("asking", "connecting …");
    watching?.stop();
    watching = stream.watch(token, {
      open, event: heard, passes: add, lost: lose,
      refused: () => askForToken("The daemon refused that token. It is the one word in the file CACHE.token; " +
                             "whoever removes that file and sends SIGHUP makes a new one."),
    });
  }

  $("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const token = $("token").value.trim();
    if (!/^[!-~]+$/.test(token)) return put("token-wrong", "A token is one word, of letters, digits and signs.");
    put("token-wrong", "");
    keep(token, $("keep").checked);
    watch(token);
  });
  $("forget").addEventListener("click", () => {
    forget();
    location.reload();  // with nothing left in the document
  });
  $("again").addEventListener("click", () => watching?.again());
  $("more").addEventListener("click", () => {
    const all = $("more").getAttribute("aria-expanded") === "true";
    $("more").setAttribute("aria-expanded", String(!all));
    view.reports(passes);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    if (lost) watching?.again();
    tick();
  });
  setInterval(tick, kTickMs);

  view.pointed(null);
  const token = kept();
  if (token) watch(token);
  else askForToken("");
})();
