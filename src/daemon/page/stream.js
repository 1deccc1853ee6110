// Follows /v1/events. EventSource cannot send the token, so the stream is read with fetch().
"use strict";

const stream = (() => {
  const kRetryMs = [1000, 2000, 4000, 8000, 16000, 30000];
  // The daemon says something each 15 s; two of these missed are a connection that hangs.
  const kSilenceMs = 35000;

  // {name, data} of one block of the stream; null: a comment.
  function eventOf(block) {
    let name = "";
    let data = "";
    for (const line of block.split("\n")) {
      if (line.startsWith("event: ")) name = line.slice(7);
      if (line.startsWith("data: ")) data += line.slice(6);
    }
    return name && data ? { name, data: JSON.parse(data) } : null;
  }

  async function ask(path, token, signal) {
    const answer = await fetch(path, {
      headers: { Authorization: `Bearer ${token}` }, cache: "no-store", credentials: "omit", signal,
    });
    if (answer.status === 401) throw Object.assign(new Error("refused"), { refused: true });
    if (!answer.ok) throw new Error((await answer.text()).trim() || `HTTP ${answer.status}`);
    return answer;
  }

  // Calls alive() whenever something was heard; returns when the daemon closed.
  async function follow(answer, alive, heard) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ""; ;) {
      const { value, done } = await reader.read();
      if (done) return;
      alive();
      const blocks = (text + value).split("\n\n");
      text = blocks.pop();
      for (const event of blocks.map(eventOf)) if (event) heard(event);
    }
  }

  // `on`: event({name, data}), passes([...]), open(), refused(), lost(why, delayMs). After lost() it
  // tries again by itself, at once after again(); after refused() it has ended.
  function watch(token, on) {
    let stopped = false;
    let tries = 0;
    let wake = () => {};
    let current = new AbortController();

    async function once() {
      current = new AbortController();
      let timer;
      const alive = () => {
        clearTimeout(timer);
        timer = setTimeout(() => current.abort(new Error(`it was silent for ${kSilenceMs / 1000} s`)), kSilenceMs);
      };
      try {
        alive();
        const answer = await ask("v1/events", token, current.signal);
        tries = 0;
        on.open();
        const passes = ask("v1/reports", token, current.signal)
          .then((reply) => reply.json()).then(({ reports }) => on.passes(reports));
        await Promise.all([passes, follow(answer, alive, on.event)]);
        return "it closed the connection";
      } finally {
        clearTimeout(timer);
        current.abort();
      }
    }

    async function run() {
      while (!stopped) {
        const why = await once().catch((error) => error);
        if (stopped) return;
        if (why.refused) return void on.refused();
        const delay = kRetryMs[Math.min(tries++, kRetryMs.length - 1)];
        on.lost(why instanceof TypeError ? "it cannot be reached" : why.message ?? why, delay);
        await new Promise((resolve) => {
          wake = resolve;
          setTimeout(resolve, delay);
        });
      }
    }

    run();
    return {
      again: () => wake(),
      stop() {
        stopped = true;
        current.abort();
        wake();
      },
    };
  }

  return { watch, eventOf };
})();
