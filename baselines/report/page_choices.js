// Choices ------------------------------------------------------------------------------------------------------------

function sample(colour, dash, marker) {
  const svg = `<svg width="34" height="12" viewBox="-17 -6 34 12" aria-hidden="true">` +
    `<path d="M-17 0H17" stroke="${colour}" stroke-width="2.2" stroke-dasharray="${dash}" fill="none"/>` +
    (marker ? `<path d="${MARKER_PATHS[marker]}" fill="${colour}"/>` : "") + `</svg>`;
  const holder = document.createElement("template");
  holder.innerHTML = svg;
  return holder.content.firstChild;
}

// The lines of theory and of the level lines, which cannot be put away.
const FIXED = {
  curves: Object.entries(LEVEL_DASHES).filter(([name]) => data.curves.some((figure) => name in figure.levels))
    .map(([name, dash]) => [name, "var(--level)", dash === "solid" ? "" : "2 3"]),
  regret: [["uniform policy", "var(--bound)", "2 3"], ["UCB1 upper bound", "var(--bound)", "7 3 2 3"],
    ["Lai-Robbins lower bound (asymptotic)", "var(--bound)", "6 4"]],
};

function legends() {
  const agents = {
    curves: data.curves.flatMap((figure) => figure.curves), exploitability: data.exploitability,
    profiles: data.profiles.flatMap((figure) => figure.profiles),
    regret: Object.values(data.regret).flatMap((world) => world.rows),
  };
  for (const legend of document.querySelectorAll(".legend")) {
    const section = legend.dataset.section;
    const names = new Set(agents[section].map((entry) => entry.agent));
    if (names.size > MANY) {
      for (const [words, all] of [["show all", true], ["hide all", false]]) {
        const button = element("button", { type: "button", class: "every" }, words);
        button.addEventListener("click", () => chooseEvery(names, all));
        legend.append(button);
      }
    }
    for (const agent of names) {
      const look = style(agent), button = element("button", { type: "button", "aria-pressed": "true" },
        sample(look.colour, look.svgDash, look.marker), element("b", {}, ...breakable(agent)));
      button.dataset.agent = agent;
      button.title = `Show or hide ${agent} on the whole page`;
      button.addEventListener("click", () => choose(agent));
      legend.append(button);
    }
    if (names.size > 0) for (const [name, colour, dash] of FIXED[section] || []) {
      legend.append(element("span", {}, sample(colour, dash, null), name));
    }
  }
}

function choose(agent) {
  if (!chosen.hidden.delete(agent)) chosen.hidden.add(agent);
  markChosen();
}

function chooseEvery(agents, shown) {
  for (const agent of agents) {
    if (shown) chosen.hidden.delete(agent);
    else chosen.hidden.add(agent);
  }
  markChosen();
}

function markChosen() {
  for (const button of document.querySelectorAll(".legend button[data-agent]")) {
    button.setAttribute("aria-pressed", String(!chosen.hidden.has(button.dataset.agent)));
  }
  drawAgain();
}

function chooseWorld(world) {
  chosen.world = world;
  drawAgain();
  filterLines();
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const button = document.getElementById("theme");
  button.setAttribute("aria-pressed", String(theme === "dark"));
  drawAgain();
}

// Tables -------------------------------------------------------------------------------------------------------------

// What is not known comes last whichever way the others are sorted, and before it what was never reached.
function place(text) {
  if (text === "") return 2;
  return text === "inf" ? 1 : 0;
}

function sortTable(table, column, direction) {
  const body = table.tBodies[0], sign = direction === "descending" ? -1 : 1;
  const isNumber = table.tHead.rows[0].cells[column].classList.contains("number");
  const lines = [...body.rows].map((line) => [line.cells[column].dataset.order, line]);
  lines.sort(([a], [b]) => place(a) - place(b) || (place(a) ? 0 : sign * (isNumber ? a - b : a.localeCompare(b))));
  body.append(...lines.map(([, line]) => line));
  for (const [number, head] of [...table.tHead.rows[0].cells].entries()) {
    head.setAttribute("aria-sort", number === column ? direction : "none");
  }
}

function sortableTables() {
  for (const table of document.querySelectorAll("table.sortable")) {
    // On a narrow screen a line becomes a card, in which each number stands beside the heading of its column.
    const headings = [...table.tHead.rows[0].cells].map((head) => head.textContent);
    for (const line of table.tBodies[0].rows) {
      for (const [column, cell] of [...line.cells].entries()) cell.dataset.heading = headings[column];
    }
    for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
      head.querySelector("button").addEventListener("click", () =>
        sortTable(table, column, head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending"));
    }
  }
}

function filterLines() {
  for (const line of document.querySelectorAll("[data-line-world]")) {
    line.hidden = chosen.world !== "" && line.dataset.lineWorld !== chosen.world;
  }
  for (const field of document.querySelectorAll("input[type=search]")) {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const table = document.getElementById(field.dataset.table);
    let shown = 0;
    for (const line of table.tBodies[0].rows) {
      const text = `${line.cells[0].textContent} ${line.cells[1].textContent}`.toLowerCase();
      if (!words.every((word) => text.includes(word))) line.hidden = true;
      if (!line.hidden) shown += 1;
    }
    document.getElementById(`${field.dataset.table}-count`).textContent = `${shown} of ${table.tBodies[0].rows.length} lines`;
  }
}

// All of it ----------------------------------------------------------------------------------------------------------

legends();
learningCurves();
performanceProfiles();
regretCurves();
valueMaps();
exploitabilityCurves();
sortableTables();
filterLines();
setTheme(document.documentElement.dataset.theme);

// Sections without anything to show are not on the page, nor is what is chosen in them.
function onChange(id, act) {
  const field = document.getElementById(id);
  if (field) field.addEventListener("change", () => act(field));
}

document.getElementById("theme").addEventListener("click", () =>
  setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
onChange("world", (field) => chooseWorld(field.value));
for (const name of ["runs", "scale"]) onChange(name, (field) => { chosen[name] = field.value; drawAgain(); });
onChange("logarithmic", (field) => { chosen.logarithmic = field.checked; drawAgain(); });
for (const field of document.querySelectorAll("input[type=search]")) field.addEventListener("input", filterLines);
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}
addEventListener("beforeprint", drawForPrint);
addEventListener("afterprint", takeDownAfterPrint);
