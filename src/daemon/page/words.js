// What the daemon says (docs/daemon.md), in words. Pure: no document, no clock.
"use strict";

const words = (() => {
  const kTriggers = {
    start_up: "at the start", interval: "by interval", request: "on request",
    nudge: "for a stale reader", catch_up: "to catch up", recovery: "after a failure",
    reload: "after a reload", scrub: "to repair what the scrub found",
  };

  const count = (number) => number.toLocaleString("en");
  const items = (number) => (number === 1 ? "1 item" : `${count(number)} items`);

  function duration(ms) {
    const s = Math.floor(ms / 1000);
    if (ms < 1000) return `${Math.round(ms)} ms`;
    if (s < 10) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
    if (s < 172800) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
    return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
  }

  // In whole seconds, for what ticks.
  const ticking = (ms) => (ms < 1000 ? "0 s" : duration(ms).replace(/\.\d/, ""));
  // A setting: "5 min", not "5 min 0 s".
  const limit = (ms) => duration(ms).replace(/(?: 0 (?:s|min|h)|\.0(?= s))$|\.0(?= s$)/, "");

  function bytes(number) {
    const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let unit = 0;
    for (; number >= 1024 && unit + 1 < units.length; ++unit) number /= 1024;
    return `${unit === 0 ? number : number.toFixed(1)} ${units[unit]}`;
  }

  const trigger = (name) => kTriggers[name] ?? name;

  function notes(told, since) {
    const f = told.freshness;
    const out = [];
    const say = (tone, text) => out.push({ tone, text });
    if (told.error && f.state !== "never_synced") {
      say("bad", `${told.error.message}${told.error.hint ? `. Hint: ${told.error.hint}` : ""}`);
    }
    if (f.source_unavailable_since_ms !== null) {
      say("warn", `The source cannot be reached since ${since(f.source_unavailable_since_ms)}: ` +
                  (f.source_unavailable_reason || "no reason is known"));
    }
    if (f.source_refused_since_ms !== null) {
      say("bad", `The source refuses since ${since(f.source_refused_since_ms)}, until somebody acts: ` +
                 (f.source_refused_reason || "no reason is known"));
    }
    const reached = f.source_unavailable_since_ms === null && f.source_refused_since_ms === null;
    if (told.status.last_error && reached) say("warn", `The last pass failed: ${told.status.last_error}`);
    if (f.doubt) say("warn", `In doubt, so everything is read again: ${f.doubt}`);
    if (f.catching_up) say("info", "Catching up: more changes of the source are known to be waiting");
    if (f.incomplete > 0) say("info", `${items(f.incomplete)} of the source cannot be cached; see below`);
    if (told.cache.missed_by_capture) {
      say("warn", "The change log missed changes, so each pass reads everything until " +
                  "`tidemark capture install --renew`");
    }
    if (f.state === "fresh" && !f.consistent) say("info", "The rows are not one snapshot of the source");
    return out;
  }

  // How fresh the cache is `elapsed` ms after it was told: it ages though nobody says so.
  // {word, tone, says, age (ms or null), notes}; `since` shows a time.
  function judge(told, elapsed, since) {
    const f = told.freshness;
    const age = f.age_ms === null ? null : f.age_ms + elapsed;
    const max = limit(told.max_staleness_ms);
    const judged = (word, tone, says) => ({ word, tone, says, age, notes: notes(told, since) });
    if (f.state === "never_synced") return judged("Never synced", "warn", "No pass has filled the cache yet");
    if (told.error) return judged("Not readable", "bad", "The daemon could not read the cache");
    if (f.state === "needs_repair") {
      return judged("Needs repair", "bad", "Damage was found; nothing is called absent until a pass repaired it");
    }
    if (age === null) return judged("Stale", "warn", "How old it is, is not known: the clock went back");
    const checked = `compared with its source ${ticking(age)} ago`;
    if (age > told.max_staleness_ms) return judged("Stale", "warn", `Last ${checked}; stale after ${max}`);
    if (f.state === "stale") return judged("Stale", "warn", `Last ${checked}, and in doubt`);
    return judged("Fresh", "ok", `${checked[0].toUpperCase()}${checked.slice(1)}; stale after ${max}`);
  }

  function scopeOf(name, cache) {
    const { scope } = cache;
    if (name === "episodes") {
      return cache.window_complete ? "all episodes of the source"
                                   : `the newest ${count(scope.max_episodes_cache)} of the source`;
    }
    if (name.startsWith("embeddings")) return scope.sync_embeddings ? "those of cached items" : "switched off";
    return scope.sync_patterns ? "all rows of the source" : "switched off";
  }

  // As people think of them: embeddings, of any dimension, after what they are of.
  function place(name) {
    const at = ["episodes", "patterns", "heuristics"].indexOf(name);
    return at < 0 ? 3 : at;
  }

  const collections = (cache) => Object.entries(cache.collections)
    .map(([name, { count: rows }]) => ({ name, rows, of: scopeOf(name, cache) }))
    .sort((a, b) => place(a.name) - place(b.name));

  function hitRate({ exists, reads }) {
    if (!reads && exists) return { rate: "not known", says: "CACHE.stats cannot be read" };
    if (!reads) return { rate: "no reads yet", says: "" };
    const all = reads.hits + reads.absent + reads.unknown;
    if (all === 0) return { rate: "no reads yet", says: "" };
    return {
      rate: `${Math.floor((reads.hits + reads.absent) * 100 / all)} %`,
      says: `${count(all)} reads: ${count(reads.hits)} hit, ${count(reads.absent)} absent, ` +
            `${count(reads.unknown)} unknown`,
    };
  }

  // One of /v1/reports, as it is shown; rows are null where the pass did not get to any.
  function pass(told) {
    const report = told.report?.sync ?? told.report;
    const sums = Object.values(told.work === "validate" ? {} : report?.collections ?? {});
    const sum = (...names) => sums.reduce((n, c) => names.reduce((m, name) => m + c[name], n), 0);
    const counted = report && told.work !== "validate";
    return {
      endedAt: told.ended_at_ms,
      tookMs: told.took_ms,
      what: told.work === "sync" ? report?.mode ?? "sync" : told.work,
      why: trigger(told.trigger),
      written: counted ? sum("upserted") : null,
      removed: counted ? sum("deleted", "evicted") : null,
      outcome: told.outcome,
      error: told.error,
      problems: report?.validation?.problems ?? [],
    };
  }

  // The failures among passes (newest first), the same ones counted together.
  function failures(passes) {
    const found = new Map();
    for (const one of passes) {
      if (one.outcome === "done") continue;
      const code = one.error?.code ?? one.outcome;
      const message = one.error?.message ?? (one.problems.join("; ") || "cache and source differ");
      const same = found.get(`${code} ${message}`);
      if (same) ++same.times;
      else found.set(`${code} ${message}`, { code, message, hint: one.error?.hint ?? "", last: one.endedAt, times: 1 });
    }
    return [...found.values()];
  }

  function passesSaid({ passes, failures }) {
    if (passes === 0) return "none has ended yet";
    return failures === 0 ? "the last one was done" : `${count(failures)} failed in a row until now`;
  }

  return { count, items, duration, ticking, limit, bytes, trigger, judge, collections, hitRate, pass, failures, passesSaid };
})();
