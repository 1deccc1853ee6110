// The newest passes as two charts, one above the other: how long each took, and its rows. Both scales
// are logarithmic above 1, since a first fill and a pass that found nothing are far apart.
"use strict";

const charts = (() => {
  const kShownMin = 24;  // bars there is room for, so that the first few do not fill the width
  const kAxisPixels = 58;
  const kTimesPixels = 26;
  const kMarks = [0, ...Array.from({ length: 12 }, (_, n) => 10 ** (n + 1))];

  const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const font = () => `12px ${getComputedStyle(document.body).fontFamily}`;

  const bars = (fill, stroke) => ({
    paths: uPlot.paths.bars({ size: [0.72, 26] }), points: { show: false },
    fill: colour(fill), stroke: colour(stroke), width: 1.5,
  });

  function axis(values, more) {
    return {
      values, font: font(), stroke: colour("--muted"), ticks: { show: false }, border: { show: false },
      grid: { stroke: colour("--line"), width: 1 }, ...more,
    };
  }

  function make(where, { series, value, height, times }, pointed) {
    const up = (top) => Math.max(10, top * 1.6);
    return new uPlot({
      width: where.clientWidth, height, legend: { show: false }, padding: [8, 24, times ? 0 : 8, 0],
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false }, sync: { key: "passes" } },
      scales: {
        x: { time: false, range: (u) => [-0.5, Math.max(u.data[0].length, kShownMin) - 0.5] },
        y: { distr: 4, range: (u, bottom, top) => [0, up(top ?? 0)] },
      },
      axes: [
        axis((u, splits) => splits.map(times), {
          grid: { show: false }, space: 90, incrs: [1, 2, 5, 10, 20, 50], size: kTimesPixels,
          show: times !== undefined,
        }),
        axis((u, splits) => splits.map(value), {
          size: kAxisPixels, gap: 6, filter: (u, splits) => splits,
          splits: (u, n, low, high) => kMarks.filter((mark) => mark <= high),
        }),
      ],
      series: [{}, ...series],
      hooks: { setCursor: [(u) => pointed(u.cursor.idx)] },
    }, [[], ...series.map(() => [])], where);
  }

  // `pointed(pass)`: the one below the pointer, or null.
  function make_both(durations, rows, pointed) {
    let passes = [];  // oldest first
    const tell = (index) => pointed(index === null || index === undefined ? null : passes[index] ?? null);
    const clock = (n) => (passes[n] ? new Date(passes[n].endedAt).toLocaleTimeString([], { hour12: false }) : "");
    const both = [
      make(durations, {
        height: 144, value: words.limit,
        series: [bars("--accent", "--accent"), bars("--bad-fill", "--bad")],
      }, tell),
      make(rows, {
        height: 144 + kTimesPixels, times: clock, value: words.count,
        series: [bars("--second", "--second")],
      }, tell),
    ];
    const redraw = () => both.forEach((chart) => chart.redraw(false, true));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    new ResizeObserver(() => both.forEach((chart) => {
      const width = chart.root.parentElement.clientWidth;
      if (width > 0 && width !== chart.width) chart.setSize({ width, height: chart.height });
    })).observe(durations);
    return {
      show(newest_first) {
        passes = [...newest_first].reverse();
        const index = passes.map((_, n) => n);
        const took = (wanted) => passes.map((p) => ((p.outcome === "done") === wanted ? p.tookMs : null));
        both[0].setData([index, took(true), took(false)]);
        both[1].setData([index, passes.map((p) => (p.written === null ? null : p.written + p.removed))]);
        redraw();  // the times, too, though the scale is the same
      },
    };
  }

  return { make: make_both };
})();
