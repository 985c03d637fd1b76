"use strict";
// The page's figures, drawn from the numbers in #data. Of many, one is drawn when it comes near the window and taken down
// when it is far away, so that a comparison of a thousand cells scrolls as lightly as one of four.

const data = JSON.parse(document.getElementById("data").textContent);

// Okabe and Ito's colours; each agent has a dash pattern and a marker too, so that colour alone never identifies a line.
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];
const DASHES = ["solid", "dash", "dashdot", "dot", "10px,3px", "6px,3px,2px,3px,2px,3px"];
const SVG_DASHES = ["", "6 4", "7 3 2 3", "2 3", "10 3", "6 3 2 3 2 3"];
const MARKERS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "triangle-down"];
const MARKER_PATHS = {
  circle: "M4 0A4 4 0 1 1-4 0A4 4 0 1 1 4 0Z", square: "M-3.5-3.5H3.5V3.5H-3.5Z", diamond: "M0-5L5 0L0 5L-5 0Z",
  "triangle-up": "M0-4.5L4.5 3.5H-4.5Z", cross: "M-1.5-4.5H1.5V-1.5H4.5V1.5H1.5V4.5H-1.5V1.5H-4.5V-1.5H-1.5Z",
  x: "M-4-2L-2-4L0-2L2-4L4-2L2 0L4 2L2 4L0 2L-2 4L-4 2L-2 0Z", "triangle-down": "M0 4.5L4.5-3.5H-4.5Z",
};
const BOUNDS = [
  ["uniform", "uniform policy", "dot"], ["ucb1", "UCB1 upper bound", "dashdot"],
  ["lai_robbins", "Lai-Robbins lower bound (asymptotic)", "dash"],
];

const LEVEL_DASHES = { optimum: "solid", "uniform policy": "dot" };

// With more agents than these, a legend can show or hide all of them at once.
const MANY = 2;

// So many figures are drawn wherever they are on the page, so that a picture of the whole page has them all, and so many
// are printed, each of this size in pixels: two stand side by side on paper.
const MOST_AT_ONCE = 40, PRINTED_WIDTH = 330, PRINTED_HEIGHT = 300;

const chosen = { world: "", hidden: new Set(), runs: "hover", logarithmic: false, scale: "learners" };
const panels = [];

// Small things -------------------------------------------------------------------------------------------------------

function element(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  created.append(...children);
  return created;
}

// A long name may be broken behind a sign, not inside of a word.
function breakable(name) {
  return name.split(/(?<=[_,:=])/).flatMap((part, at) => at > 0 ? [element("wbr"), part] : [part]);
}

function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return Array.from(new Float32Array(bytes.buffer));
}

// Plotly reads a little HTML in its labels; names are text.
function plain(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function short(number) {
  if (!Number.isFinite(number)) return number > 0 ? "infinite" : String(number);
  if (number === 0) return "0";
  return Math.abs(number) >= 1e5 || Math.abs(number) < 1e-3 ? number.toExponential(2) : String(Number(number.toPrecision(4)));
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

function style(agent) {
  const number = data.styles[agent], round = Math.floor(number / COLOURS.length), which = number % COLOURS.length;
  const dashes = (which + round) % DASHES.length;
  return {
    colour: COLOURS[which], dash: DASHES[dashes], svgDash: SVG_DASHES[dashes], marker: MARKERS[number % MARKERS.length],
  };
}

function transparent(hex, opacity) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return `rgba(${red},${green},${blue},${opacity})`;
}

// Figures ------------------------------------------------------------------------------------------------------------

// What a draw function gives back is handed to Plotly; null says that there is nothing to be seen of the agents chosen.
function panel(container, world, title, draw) {
  const drawing = element("div", { class: "drawing" });
  const figure = element("figure", { class: "panel" }, element("h3", {}, title), drawing);
  figure.dataset.world = world;
  container.append(figure);
  const added = { figure, drawing, draw, near: false, drawn: false };
  panels.push(added);
  figure.panel = added;
  watcher.observe(figure);
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const seen = entry.target.panel;
    seen.near = entry.isIntersecting || panels.length <= MOST_AT_ONCE;
    if (seen.near && !seen.drawn) soon(seen);
    if (!seen.near && seen.drawn) takeDown(seen);
  }
}, { rootMargin: "900px 0px" });

const waiting = new Set();

// One figure a frame, so that the page answers while many are drawn.
function soon(seen) {
  if (waiting.size === 0) requestAnimationFrame(drawNext);
  waiting.add(seen);
}

function drawNext() {
  const [next] = waiting;
  waiting.delete(next);
  if (waiting.size > 0) requestAnimationFrame(drawNext);
  if (next.near) drawPanel(next);
}

function drawPanel(seen) {
  seen.drawn = true;
  if (seen.paint) return seen.paint(seen);
  const figure = seen.draw();
  seen.drawing.pointedAt = null;
  if (seen.drawing.classList.contains("empty")) seen.drawing.textContent = "";
  seen.drawing.classList.toggle("empty", figure === null);
  if (figure === null) {
    Plotly.purge(seen.drawing);
    seen.drawing.textContent = "None of the agents chosen has anything to show here.";
    return;
  }
  Plotly.react(seen.drawing, figure.data, figure.layout, { displaylogo: false, responsive: true,
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]] });
  seen.drawing.removeAllListeners("plotly_hover");
  if (figure.onHover) seen.drawing.on("plotly_hover", (event) => figure.onHover(seen.drawing, event.points[0]));
}

// What is printed must be drawn, wherever it is on the page, at once, and dark on light. Of very many figures the first
// are drawn, and a sentence says how to have the others.
function drawForPrint() {
  chosen.themeOnScreen = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
  const shown = panels.filter((seen) => !seen.figure.hidden);
  for (const [number, seen] of shown.entries()) {
    seen.figure.classList.toggle("unprinted", number >= MOST_AT_ONCE);
    if (number >= MOST_AT_ONCE) continue;
    drawPanel(seen);
    if (!seen.paint && seen.drawing._fullLayout) {
      Plotly.relayout(seen.drawing, { width: PRINTED_WIDTH, height: PRINTED_HEIGHT, autosize: false });
    }
  }
  document.getElementById("unprinted").hidden = shown.length <= MOST_AT_ONCE;
}

function takeDownAfterPrint() {
  document.documentElement.dataset.theme = chosen.themeOnScreen;
  for (const seen of panels) {
    seen.figure.classList.remove("unprinted");
    if (seen.drawn) takeDown(seen);
    if (seen.near && !seen.figure.hidden) drawPanel(seen);
  }
  document.getElementById("unprinted").hidden = true;
}

function takeDown(seen) {
  seen.drawn = false;
  if (seen.paint) return seen.figure.querySelector(".maps").replaceChildren();
  Plotly.purge(seen.drawing);
}

function drawAgain() {
  for (const seen of panels) {
    const shown = chosen.world === "" || seen.figure.dataset.world === "" || seen.figure.dataset.world === chosen.world;
    seen.figure.hidden = !shown;
    if (seen.drawn && shown) soon(seen);
  }
  // A figure that is alone in its section has all of its room.
  for (const group of document.querySelectorAll(".panels")) {
    group.classList.toggle("one", group.querySelectorAll(".panel:not([hidden])").length === 1);
  }
}

function layout(xTitle, yTitle, options = {}) {
  const axis = {
    gridcolor: colour("grid"), linecolor: colour("line"), zerolinecolor: colour("line"), tickcolor: colour("line"),
    automargin: true,
  };
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, hovermode: "closest",
    font: { color: colour("ink"), size: 12, family: getComputedStyle(document.body).fontFamily },
    margin: { l: 52, r: 12, t: 8, b: 44 },
    hoverlabel: { bgcolor: colour("paper"), bordercolor: colour("soft"), font: { color: colour("ink") }, align: "left",
      namelength: -1 },
    xaxis: { ...axis, title: { text: xTitle, standoff: 8 }, zeroline: false, ...options.x },
    yaxis: { ...axis, title: { text: yTitle, standoff: 6 }, zeroline: false, ...options.y },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("soft"), activecolor: colour("ink") },
  };
}

function lineOf(agent, x, y, more) {
  const look = style(agent);
  return {
    type: "scatter", mode: x.length > 1 ? "lines+markers" : "markers", name: plain(agent), x, y,
    line: { color: look.colour, dash: look.dash, width: 2.2 },
    marker: { color: look.colour, symbol: look.marker, size: 7, maxdisplayed: 9 }, ...more,
  };
}

function bandOf(agent, x, low, high) {
  return {
    type: "scatter", mode: "lines", x: [...x, ...[...x].reverse()], y: [...high, ...[...low].reverse()], fill: "toself",
    fillcolor: transparent(style(agent).colour, 0.15), line: { width: 0 }, hoverinfo: "skip",
  };
}

// The runs of a curve one after the other, with gaps between them.
function runsOf(curve, from) {
  const x = [], y = [], customdata = [], numbers = unpacked(curve.runs), length = curve.steps.length;
  for (let run = 0; run < curve.count; run++) {
    for (let at = from; at < length; at++) {
      x.push(curve.steps[at]);
      y.push(numbers[run * length + at]);
      customdata.push(run);
    }
    x.push(null);
    y.push(null);
    customdata.push(run);
  }
  return { x, y, customdata };
}

function runsTrace(curve, from, unit) {
  const agent = curve ? curve.agent : "";
  return {
    type: "scatter", mode: "lines+markers", connectgaps: false, ...(curve ? runsOf(curve, from) : { x: [], y: [] }),
    line: { color: curve ? style(agent).colour : colour("soft"), width: 0.8 }, opacity: chosen.runs === "all" ? 0.4 : 0.75,
    marker: { color: curve ? style(agent).colour : colour("soft"), size: 2.5 },
    meta: plain(agent), hovertemplate: "%{meta}, run %{customdata}<br>%{x:,} " + unit + ": %{y:.4~f}<extra></extra>",
  };
}

// Curves of several agents over their steps, with bands and single runs; the option `from` leaves out checkpoints at the
// start, `unit` says what steps are called.
function curvesFigure(curves, levels, xTitle, yTitle, options = {}) {
  const shown = curves.filter((curve) => !chosen.hidden.has(curve.agent));
  if (shown.length === 0 && levels.length === 0) return null;
  const from = options.from || 0, unit = options.unit || "steps", traces = [], lines = [];
  const owners = new Map();
  for (const curve of shown) {
    const steps = curve.steps.slice(from), mean = unpacked(curve.mean).slice(from);
    const low = unpacked(curve.low).slice(from), high = unpacked(curve.high).slice(from);
    if (steps.length > 1) {
      traces.push(bandOf(curve.agent, steps, low, high));
      lines.push([curve, lineOf(curve.agent, steps, mean, {
        customdata: steps.map((_, at) => [low[at], high[at]]),
        hovertemplate: "<b>%{fullData.name}</b>, mean of " + curve.count + " runs<br>%{x:,} " + unit + ": %{y:.4~f}" +
          "<br>middle 80%: %{customdata[0]:.4~f} to %{customdata[1]:.4~f}<extra></extra>",
      })]);
    } else if (steps.length === 1) {
      const [, lowEnd, highEnd] = curve.end || [mean[0], mean[0], mean[0]];
      lines.push([curve, lineOf(curve.agent, steps, mean, {
        error_y: { type: "data", symmetric: false, array: [highEnd - mean[0]], arrayminus: [mean[0] - lowEnd],
          color: style(curve.agent).colour, thickness: 1.6, width: 5 },
        customdata: [[lowEnd, highEnd]],
        hovertemplate: "<b>%{fullData.name}</b>, scored at the end only, " + curve.count + " runs<br>%{x:,} " + unit +
          ": %{y:.4~f}<br>95% interval: %{customdata[0]:.4~f} to %{customdata[1]:.4~f}<extra></extra>",
      })]);
    }
  }
  if (chosen.runs === "all") for (const curve of shown) traces.push(runsTrace(curve, from, unit));
  const pointedAt = traces.length;
  if (chosen.runs === "hover") traces.push(runsTrace(null, from, unit));
  for (const [curve, trace] of lines) {
    owners.set(traces.length, curve);
    traces.push(trace);
  }
  traces.push(...levels);
  const figure = { data: traces, layout: layout(xTitle, yTitle, options) };
  if (chosen.runs === "hover") figure.onHover = (plot, point) => {
    const curve = owners.get(point.curveNumber);
    if (!curve || plot.pointedAt === curve.agent) return;
    plot.pointedAt = curve.agent;
    const trace = runsTrace(curve, from, unit);
    Plotly.restyle(plot, { x: [trace.x], y: [trace.y], customdata: [trace.customdata], meta: trace.meta,
      "line.color": trace.line.color, "marker.color": trace.marker.color }, [pointedAt]);
  };
  return figure;
}

function levelLine(name, value, last, dash) {
  return {
    type: "scatter", mode: "lines", x: [0, last], y: [value, value], name,
    line: { color: colour("level"), width: 1.4, dash }, hovertemplate: "%{fullData.name}: %{y:.4~f}<extra></extra>",
  };
}

// The sections -------------------------------------------------------------------------------------------------------

function container(section) {
  return document.querySelector(`.panels[data-section="${section}"]`);
}

function byWorld(entries) {
  const found = new Map();
  for (const entry of entries) {
    if (!found.has(entry.world)) found.set(entry.world, []);
    found.get(entry.world).push(entry);
  }
  return found;
}

function learningCurves() {
  for (const { world, title, axis, exact, levels, last, lowest, below, curves } of data.curves) {
    panel(container("curves"), world, title, () => {
      const lines = Object.entries(levels).map(([name, value]) => levelLine(name, value, last, LEVEL_DASHES[name]));
      // One run that is far below the uniform policy must not squeeze all others into a line.
      const least = Math.min(0, ...curves.flatMap((curve) => unpacked(curve.low)));
      const y = exact ? { range: [Math.max(least, lowest) - 0.06, 1.06] } : {};
      const figure = curvesFigure(curves, lines, "environment steps of each run", axis, { y });
      if (figure) figure.layout.annotations = namedBelow(below);
      return figure;
    });
  }
}

// The note on curves that leave the figure at its lower edge.
function namedBelow(below) {
  const sentences = Object.entries(below).filter(([agent]) => !chosen.hidden.has(agent)).map(([, words]) => plain(words));
  const more = sentences.length - data.most_named;
  if (more > 0) sentences.splice(data.most_named, more, `and ${more} more`);
  if (sentences.length === 0) return [];
  return [{ text: sentences.join("<br>"), xref: "paper", yref: "paper", x: 1, y: 0, xanchor: "right", yanchor: "bottom",
    align: "right", showarrow: false, bgcolor: colour("paper"), opacity: 0.85, font: { size: 12, color: colour("ink") } }];
}

function profileFigure(profiles, axis) {
  const shown = profiles.filter((profile) => !chosen.hidden.has(profile.agent));
  if (shown.length === 0) return null;
  const bands = [], lines = [];
  for (const profile of shown) {
    const thresholds = unpacked(profile.thresholds), share = unpacked(profile.share);
    const low = unpacked(profile.low), high = unpacked(profile.high);
    bands.push(bandOf(profile.agent, thresholds, low, high));
    lines.push(lineOf(profile.agent, thresholds, share, {
      customdata: thresholds.map((_, at) => [low[at], high[at]]),
      hovertemplate: "<b>%{fullData.name}</b><br>%{y:.1%} of runs score at least %{x:.4~f}" +
        "<br>95% interval: %{customdata[0]:.1%} to %{customdata[1]:.1%}<extra></extra>",
    }));
  }
  // What all runs of all agents reach is not worth the room.
  const thresholds = lines[0].x, last = thresholds.at(-1);
  const first = thresholds.find((_, at) => lines.some((line) => line.y[at + 1] < 1 - 1e-6)) ?? thresholds[0];
  const room = Math.max(last - first, (last - thresholds[0]) / 10);
  const x = { range: [last - 1.06 * room, last + 0.03 * room] }, y = { range: [-0.03, 1.03], tickformat: ".0%" };
  return { data: [...bands, ...lines], layout: layout(axis, "share of runs", { x, y }) };
}

function performanceProfiles() {
  for (const { world, title, axis, profiles } of data.profiles) {
    panel(container("profiles"), world, title, () => profileFigure(profiles, axis));
  }
}

function regretCurves() {
  for (const [world, { rows, bounds }] of Object.entries(data.regret)) {
    panel(container("regret"), world, world, () => {
      const from = chosen.logarithmic ? 1 : 0, axis = chosen.logarithmic ? { type: "log", dtick: 1 } : {};
      const levels = BOUNDS.filter(([name]) => name in bounds).map(([name, title, dash]) => ({
        type: "scatter", mode: "lines", x: bounds.steps.slice(from), y: bounds[name].slice(from), name: title,
        line: { color: colour("bound"), width: 1.6, dash }, hovertemplate: "%{fullData.name}<br>%{x:,} pulls: %{y:.4~g}<extra></extra>",
      }));
      const highest = Math.max(...rows.filter((row) => !chosen.hidden.has(row.agent)).flatMap((row) => unpacked(row.high)), 0);
      // A bound far above everything that happened may leave the picture, but not squeeze it.
      const y = chosen.logarithmic ? axis : { rangemode: "tozero", ...(highest > 0 ? { range: [0, 1.15 * highest] } : {}) };
      return curvesFigure(rows, levels, "pulls of each run", "regret", { from, unit: "pulls", x: axis, y });
    });
  }
}

function exploitabilityCurves() {
  for (const [game, curves] of byWorld(data.exploitability)) {
    panel(container("exploitability"), game, game, () =>
      curvesFigure(curves, [], "rounds of each run", "exploitability", { unit: "rounds", y: { rangemode: "tozero" } }));
  }
}

