// Value errors -------------------------------------------------------------------------------------------------------

function heat(level) {
  const place = Math.min(Math.max(level, 0), 1) * (data.heat.length - 1);
  const below = Math.min(Math.floor(place), data.heat.length - 2), part = place - below;
  return data.heat[below].map((from, at) => Math.round(from + part * (data.heat[below + 1][at] - from)));
}

// An error without end has a colour that the scale has not; tiles of ended episodes are hatched in the picture itself.
function tileColour(error, highest) {
  if (Number.isNaN(error)) return data.ended.colour;
  return error === Infinity ? data.infinite : heat(highest > 0 ? error / highest : 0);
}

function drawTile(context, tile, grow) {
  const [, x, y, width, height] = tile;
  if (height > 0) return context.fillRect(x - grow, y - grow, width + 2 * grow, height + 2 * grow);
  context.beginPath();
  context.arc(x, y, width / 2 + grow, 0, 2 * Math.PI);
  context.fill();
}

function drawMap(canvas, picture, errors, highest, image) {
  const context = canvas.getContext("2d");
  context.fillStyle = `rgb(252,252,250)`;
  context.fillRect(0, 0, canvas.width, canvas.height);
  // Tiles reach half a pixel under the picture's edges around its holes, so that nothing shines through between.
  for (const tile of picture.shapes) {
    context.fillStyle = `rgb(${tileColour(errors[tile[0]], highest)})`;
    drawTile(context, tile, 0.6);
  }
  context.drawImage(image, 0, 0);
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const [state, x, y, size, text] of picture.labels) {
    const [red, green, blue] = tileColour(errors[state], highest);
    context.fillStyle = 0.299 * red + 0.587 * green + 0.114 * blue > 120 ? "#262a34" : "#ffffff";
    context.font = `600 ${size}px system-ui, sans-serif`;
    context.fillText(text, x, y);
  }
}

function stateAt(picture, canvas, event) {
  const box = canvas.getBoundingClientRect(), scale = canvas.width / box.width;
  const px = (event.clientX - box.left) * scale, py = (event.clientY - box.top) * scale;
  const found = picture.shapes.find(([, x, y, width, height]) => height > 0
    ? px >= x && px < x + width && py >= y && py < y + height : Math.hypot(px - x, py - y) <= width / 2);
  return found ? found[0] : null;
}

function showTip(text, event) {
  const tip = document.getElementById("tip");
  tip.hidden = text === "";
  tip.textContent = text;
  tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
  tip.style.top = `${Math.max(event.clientY - 34, 4)}px`;
}

// Browsers decode pictures when they like to: what is to be printed at once must have been decoded before.
function decoded(values) {
  for (const picture of values.pictures) {
    if (picture.shapes) continue;
    picture.shapes = [];
    for (let at = 0; at < picture.tiles.length; at += 5) picture.shapes.push(picture.tiles.slice(at, at + 5));
    picture.image = new Image();
    picture.image.src = picture.png;
  }
  return values.pictures.every((picture) => picture.image.complete);
}

async function paintValues(world, seen) {
  const values = data.values[world], maps = seen.figure.querySelector(".maps"), highest = values.worst[chosen.scale];
  seen.figure.querySelector(".upper").textContent = values.upper[chosen.scale];
  if (!decoded(values)) await Promise.all(values.pictures.map((picture) => picture.image.decode()));
  if (!seen.drawn) return;
  const shown = values.rows.filter((row) => !chosen.hidden.has(row.agent));
  maps.replaceChildren(...shown.map((row) => {
    const errors = unpacked(row.errors);
    const worst = Math.max(...errors.filter((error) => !Number.isNaN(error)));
    const figure = element("figure", {}, element("figcaption", {}, element("b", { title: row.agent }, ...breakable(row.agent)),
      element("span", {}, `worst ${short(worst)}`)));
    for (const picture of values.pictures) {
      const canvas = element("canvas", { width: picture.size[0], height: picture.size[1], role: "img",
        "aria-label": `${row.agent} on ${world}: value errors, worst ${short(worst)}` });
      drawMap(canvas, picture, errors, highest, picture.image);
      canvas.addEventListener("pointermove", (event) => {
        const state = stateAt(picture, canvas, event);
        showTip(state === null ? "" : Number.isNaN(errors[state]) ? `state ${state}: ${data.ended.words}`
          : `state ${state}: ${short(errors[state])}`, event);
      });
      canvas.addEventListener("pointerleave", (event) => showTip("", event));
      figure.append(canvas);
    }
    return figure;
  }));
}

function valueMaps() {
  for (const [world, values] of Object.entries(data.values)) {
    const bar = element("i");
    bar.style.background = `linear-gradient(90deg, ${data.heat.map((one) => `rgb(${one})`).join(", ")})`;
    const ends = values.worst.all > 0 ? ["0", bar] : [];
    const scale = element("div", { class: "scale" }, ...ends, element("span", { class: "upper" }));
    if (values.rows.some((row) => unpacked(row.errors).includes(Infinity))) {
      const infinite = element("i", { class: "infinite" });
      infinite.style.background = `rgb(${data.infinite})`;
      scale.append(infinite, "infinite");
    }
    if (values.shows_ended) {
      const { colour, lines, apart, width, words } = data.ended, sample = element("i", { class: "ended" });
      const across = Math.SQRT1_2, line = `rgb(${lines})`, paper = `rgb(${colour})`;
      sample.style.background = `repeating-linear-gradient(135deg, ${line} 0 ${width * across}px, ` +
        `${paper} ${width * across}px ${apart * across}px)`;
      scale.append(element("span", { class: "key" }, sample, words));
    }
    const figure = element("div", { class: "world-values" }, element("h3", {}, world), scale);
    if (values.note) figure.append(element("p", { class: "note" }, values.note));
    const isWide = values.pictures.every((picture) => picture.size[0] > 2.5 * picture.size[1]);
    figure.append(element("div", { class: isWide ? "maps wide-pictures" : "maps" }));
    figure.dataset.world = world;
    document.querySelector("#values .values").append(figure);
    figure.panel = { figure, near: false, drawn: false, paint: (seen) => paintValues(world, seen) };
    panels.push(figure.panel);
    watcher.observe(figure);
    decoded(values);
  }
}

