// Plotly figures that are updated in place: the component calls `draw` when its data changes.

const CONFIG = { displayModeBar: false, displaylogo: false };
const LEAST = 0.45; // a chart is not fitted into less than this share of its height
const SMALLEST = 1.25; // least enlargement of a chart that is fitted
const BELOW = 12; // pixels that stay free below a chart that is fitted into the window
const WIDE = 640; // pixels from which on upright bars stay upright
const LETTER = 6.5; // pixels of a letter of an axis
const LONGEST = 16; // letters of a name beside a bar
const ROW = 21, HEADING = 50, LINE = 14; // pixels of a row of bars, of two lines of headings above the rows, and of one
const AXIS = 60, TICKS = 28; // pixels beside upright bars and below rows, for the numbers of the axis
const GAP = 14, APART = 12; // pixels between two panels, and between their names
const NARROW = 110; // pixels up to which a panel has its unit in a line of its own
const LONGEST_WHOLE = 30; // letters of a word of a headline that is not broken at its hyphens
const PHONE = 480; // pixels of a chart in which names may not cross any line
const SMALL = 12; // font size of headings and numbers in panels
const decoder = new TextDecoder();
const drawn = new WeakMap(); // element of a chart -> the text it shows
const latest = new WeakMap(); // element of a chart -> the data it received last
const waiting = new WeakMap(); // element of a chart -> figure to draw next, drawing in progress, text of the last figure
const senders = new WeakMap(); // element of a chart -> function that sends a value to the page
const watched = new WeakSet(); // elements of charts whose labels are separated
const listening = new WeakSet(); // elements of charts whose clicks are sent
let library;

/** Load plotly once per page; `url` is that of the script. */
function plotly(url) {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      library = undefined; // the next chart tries again
      reject(new Error(`plotly was not loaded from ${url}`));
    };
    document.head.append(script);
  });
  return library;
}

/** Return the text of `data`, which the server compresses if it is long. */
async function unpacked(data) {
  if (data[0] === "{".charCodeAt(0)) return decoder.decode(data);
  return new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
}

/**
 * Draw what `data` contains, UTF-8 JSON: the figure with its title and alternative text, the kind of heading ("subheader",
 * "bold" or "none") and a note below.
 */
export async function draw({ parentElement, data, setTriggerValue }, url) {
  const box = parentElement.querySelector(".chart");
  latest.set(box, data);
  senders.set(box, setTriggerValue);
  const text = await unpacked(data);
  if (latest.get(box) !== data || drawn.get(box) === text) return;
  drawn.set(box, text);
  const { figure, heading, note, legend, clickable } = JSON.parse(text);
  box.classList.toggle("clickable", clickable);
  parentElement.querySelector(".kinds").replaceChildren(...legend.map(entry));
  parentElement.querySelector("h3").className = heading;
  const [caption, ...more] = note.split("\n");
  write(parentElement.querySelector("figcaption > span"), caption);
  write(parentElement.querySelector("figcaption > details:last-child p"), more.join(" "));
  parentElement.querySelector("figcaption > details:last-child").hidden = !more.length;
  describe(box, figure);
  box.style.minHeight = `${turned(figure, box).layout.height * enlargement(box)}px`;
  const library = await plotly(url);
  if (drawn.get(box) !== text) return; // replaced while plotly was loading
  await show(library, box, figure);
  if (clickable && !listening.has(box)) listen(box);
}

/** Send the mark that is clicked to the page: its position and its customdata. */
function listen(box) {
  listening.add(box);
  box.on("plotly_click", ({ points }) => {
    const mark = points.find((each) => each.customdata !== undefined) ?? points[0];
    if (!box.classList.contains("clickable") || !mark) return;
    const [x, y] = box.layout.meta?.turned ? [mark.y, mark.x] : [mark.x, mark.y];
    // A second click on the same mark is a new one.
    senders.get(box)?.("click", { x, y, detail: mark.customdata ?? null, time: performance.now() });
  });
}

/** Stop plotly, when the chart leaves the page. */
export function remove({ parentElement }) {
  const box = parentElement.querySelector(".chart");
  latest.delete(box);
  listening.delete(box);
  watched.delete(box);
  if (box) widths.unobserve(box);
  if (box && drawn.delete(box)) (waiting.get(box)?.running ?? Promise.resolve()).then(() => window.Plotly?.purge(box));
}

/** Draw a figure that did not come with the page. The next one of the page replaces it, even if it is the former one. */
export async function replace(box, figure, url) {
  drawn.set(box, "");
  await show(await plotly(url), box, figure);
}

/**
 * Draw a figure after the one that is being drawn; of several that wait, only the last. An equal one, such as the answer
 * of the server after a drag, is not drawn again.
 */
async function show(library, box, figure) {
  const state = waiting.get(box) ?? { next: null, running: null, text: "", last: null };
  waiting.set(box, state);
  state.next = state.last = figure;
  state.running ??= (async () => {
    while (state.next) {
      const factor = enlargement(box), now = fitted(turned(state.next, box), factor, box);
      const text = JSON.stringify(now);
      state.next = null;
      state.factor = factor;
      box.style.minHeight = `${now.layout.height}px`;
      describe(box, now);
      if (text === state.text) continue;
      state.text = text;
      await library.react(box, now.data, { uirevision: true, ...now.layout }, CONFIG);
      await animate(library, box, now.frames ?? []);
      if (!watched.has(box)) watch(box);
      separate(box);
    }
  })().finally(() => { state.running = null; });
  await state.running;
  if (state.next) await show(library, box, state.next); // set while the drawing ended
}

// The sidebar changes the width of a chart without a change of the window, to which alone plotly can respond.
const widths = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const drawnWidth = target._fullLayout?.width, { last } = waiting.get(target) ?? {};
    if (last?.layout.meta?.turns) show(window.Plotly, target, last);
    if (drawnWidth && target.clientWidth && Math.abs(target.clientWidth - drawnWidth) >= 1) window.Plotly.Plots.resize(target);
  }
});

/** Draw the chart again in another width, and separate its labels after each drawing. */
function watch(box) {
  watched.add(box);
  widths.observe(box);
  box.on("plotly_afterplot", () => separate(box));
}

/**
 * Hide labels that a later one overlaps, and small ones that the edge of the chart cuts: on a narrow screen there is room
 * for some of them. With `meta.clear` in the layout, the name of a point moves to another side of it where it would cover
 * a point or a solid line, and small names that still cover one are hidden too; with "points", they may cross a line in
 * a wide chart. In a narrow one small names keep clear of dotted lines, too.
 */
function separate(box) {
  const kept = [], edge = box.getBoundingClientRect(), plot = plotArea(box, edge), { points, lines, rules } = drawnMarks(box, plot);
  for (const label of [...box.querySelectorAll(".annotation")].reverse()) {
    label.style.translate = "";
    const note = box.layout.annotations[label.dataset.index], place = label.getBoundingClientRect();
    const own = points.find((point) => note && isAt(point, box, note, plot)), isSmall = note?.font.size < 14;
    const room = own ? plot : edge;
    const covered = (there) => (isSmall || own ? points : []).filter((each) => each !== own && overlap(grown(there), each)).length;
    const crosses = (there) => [...lines, ...(isSmall ? rules : [])].some(([x, y]) => x > there.left && x < there.right && y > there.top && y < there.bottom);
    const cost = (there) => 2 * covered(there) + Boolean(own && crosses(there));
    const isFree = (there) => !kept.some((other) => overlap(there, other)) &&
      !((isSmall || own) && (there.left < room.left - 1 || there.right > room.right + 1));
    const places = [place, ...(own ? sides(place, own, isSmall ? 0 : place.height) : pushed(place, edge))].filter(isFree);
    const best = places.sort((one, other) => cost(one) - cost(other))[0];
    // A large name that covers points is better than none.
    const mayCross = box.layout.meta?.clear === "points" && plot.width > PHONE;
    const isShown = best && !(isSmall && (mayCross ? covered(best) : cost(best)));
    if (best && best !== place) label.style.translate = `${best.left - place.left}px ${best.top - place.top}px`;
    label.style.visibility = isShown ? "" : "hidden";
    if (isShown) kept.push(best);
  }
}

/** Return the rectangles of the points, and points along the solid lines: names keep clear of them, with `meta.clear`. */
function drawnMarks(box, plot) {
  if (!box.layout?.meta?.clear) return { points: [], lines: [], rules: [] };
  const points = [...box.querySelectorAll(".scatterlayer .point")].map((point) => point.getBoundingClientRect());
  const solid = [...box.querySelectorAll(".scatterlayer path.js-line")].filter((path) => !path.style.strokeDasharray);
  const lines = solid.flatMap((path) => {
    const count = Math.ceil(path.getTotalLength() / 4);
    return [...Array(count).keys()].map((place) => {
      const { x, y } = path.getPointAtLength(4 * place);
      return [plot.left + x, plot.top + y];
    });
  });
  const rules = box.layout.meta.clear !== "points" || plot.width > PHONE ? [] : [...box.querySelectorAll(".shapelayer path")].flatMap((path) => {
    const { left, right, top, bottom } = path.getBoundingClientRect(), count = Math.ceil((right - left + bottom - top) / 4);
    const share = (low, high, place) => low + ((high - low) * place) / count;
    return [...Array(count).keys()].map((place) => [share(left, right, place), share(top, bottom, place)]);
  });
  return { points, lines, rules };
}

/** Return the first and the last tick of a narrow axis, whose labels would meet. */
function ends({ tickvals, ticktext }, isNarrow) {
  return isNarrow && tickvals?.length > 2 ? { tickvals: [tickvals[0], tickvals.at(-1)], ticktext: [ticktext[0], ticktext.at(-1)] } : {};
}

/** Return the place of a label that the right edge of the chart cuts a little, moved into it. */
function pushed({ left, top, right, width, height }, edge) {
  const cut = right - edge.right;
  return cut > 1 && cut < 16 ? [new DOMRect(left - cut, top, width, height)] : [];
}

/** Return the rectangle of the plot without its ticks, for a chart with one. */
function plotArea(box, edge) {
  const { xaxis, yaxis } = box._fullLayout ?? {};
  return xaxis && yaxis
    ? new DOMRect(edge.left + xaxis._offset, edge.top + yaxis._offset, xaxis._length, yaxis._length) : edge;
}

function overlap(one, other) {
  return Math.min(one.right, other.right) - Math.max(one.left, other.left) > 2 &&
    Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 3;
}

/** Return a rectangle with the room around a name in which another point would seem to have this name. */
function grown({ left, top, width, height }) {
  return new DOMRect(left - 5, top - 4, width + 10, height + 8);
}

/** Return whether a note is anchored to a point. */
function isAt(point, box, note, plot) {
  if (note.xref || note.yref) return false;
  const { xaxis, yaxis } = box._fullLayout, x = plot.left + xaxis.l2p(note.x), y = plot.top + yaxis.l2p(note.y);
  return Math.hypot((point.left + point.right) / 2 - x, (point.top + point.bottom) / 2 - y) < 1.5;
}

/** Return the rectangles of a name on the sides of its point, also `further` above and below if that is not 0. */
function sides({ width, height }, point, further) {
  const near = 2, x = (point.left + point.right) / 2, y = (point.top + point.bottom) / 2;
  const above = point.top - height + near, below = point.bottom - near;
  const places = [
    [point.right + near, y - height / 2], [point.left - near - width, y - height / 2],
    [x - width / 2, point.top - height], [x - width / 2, point.bottom],
    [point.right - near, above], [point.left + near - width, above],
    [point.right - near, below], [point.left + near - width, below],
  ];
  if (further) places.push(...[x, x - width].flatMap((left) => [[left, above - further], [left, below + further]]));
  return places.map(([left, top]) => new DOMRect(left, top, width, height));
}

/** Return the factor of present mode. Plotly does not find the pointer in an element with a CSS zoom. */
function enlargement(box) {
  return Number(getComputedStyle(box).getPropertyValue("--enlarge")) || 1;
}

const LENGTHS = new Set(["size", "standoff", "xshift", "yshift", "ax", "ay", "borderpad", "height"]);
const WITHIN = { margin: ["l", "r", "t", "b"], line: ["width"] };

/** Multiply all lengths in pixels of a figure. */
function enlarged(value, factor, key = "", parent = "") {
  if (Array.isArray(value)) return value.map((each) => enlarged(each, factor, key, parent));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, enlarged(each, factor, name, key)]));
  }
  return typeof value === "number" && (LENGTHS.has(key) || WITHIN[parent]?.includes(key)) ? value * factor : value;
}

/**
 * Return a figure enlarged by a factor. The first one of a page, with those beside it, is enlarged less, and gets the
 * height that is left in the window, if that is enough.
 */
function fitted(figure, factor, box) {
  const main = box.closest("[data-testid=stMain]"), { height } = figure.layout;
  if (factor === 1) return figure;
  const first = main?.querySelector(".chart"), row = first?.closest("[class*=st-key-charts_]");
  if (!first || (box !== first && !row?.contains(box))) return enlarged(figure, factor);
  // In a row, a higher chart may still push the first one down.
  const owner = first.closest("figure"), [upper, above, top] = [row ?? owner, owner, first].map((each) => each.getBoundingClientRect().top);
  const room = Math.floor(window.innerHeight - (upper + top - above) - main.scrollTop - BELOW);
  const smaller = Math.min(factor, Math.max(SMALLEST, room / height));
  if (room < LEAST * height * smaller) return enlarged(figure, factor);
  const made = enlarged(figure, smaller);
  return { ...made, layout: { ...made.layout, height: Math.min(room, made.layout.height) } };
}

/**
 * Return a figure of upright bars as rows, with its panels side by side, where the names would not fit below the bars: no
 * name is written from top to bottom. Figures with `meta.turns` in their layout have named bars in panels.
 */
function turned(figure, box) {
  const { layout } = figure, width = box.clientWidth / enlargement(box);
  if (!layout.meta?.turns || !width || width >= WIDE) return figure; // a hidden chart has no width
  // An escaped character is one letter.
  const names = layout.xaxis.categoryarray, letters = names.map((name) => name.match(/&#?\w+;|./gsu) ?? []);
  const longest = Math.max(...letters.map((each) => each.length));
  if (names.length * (longest + 1) * LETTER < width - AXIS) return figure;
  // A drawing that is wide and low has no place beside the panels.
  const upright = layout.meta.upright ?? "";
  const panels = Object.keys(layout).filter((name) => name.startsWith("yaxis") && name !== upright.replace("y", "yaxis"));
  const count = panels.length;
  const gap = GAP / width, span = (1 - gap * (count - 1)) / count, start = (place) => place * (span + gap);
  // A unit that is a word has a line of its own in a narrow panel.
  const breaks = span * (width - Math.min(longest, LONGEST) * LETTER) < NARROW;
  // So has a part of a name that would meet the next one.
  const notes = layout.annotations.slice(0, count), limit = span * (width - Math.min(longest, LONGEST) * LETTER) + GAP - APART;
  const isLong = ({ text }) => text.match(/<b>(.*?)<\/b>/)[1].length * LETTER > limit;
  const heading = (breaks ? HEADING : HEADING - LINE) + (notes.some(isLong) ? LINE : 0);
  const axes = panels.map((name, place) => [name.replace("y", "x"), {
    ...layout[name], ...ends(layout[name], breaks), domain: [start(place), start(place) + span], anchor: "y", showgrid: true, tickangle: 0,
    tickfont: { size: SMALL },
  }]);
  const rows = {
    type: "category", categoryarray: names, range: [names.length - 0.5, -0.5], showgrid: false, ticksuffix: " ",
    tickvals: names,
    ticktext: letters.map((each) => (each.length > LONGEST ? [...each.slice(0, LONGEST - 1), "…"] : each).join("")),
  };
  const data = figure.data.filter((each) => each.yaxis !== upright).map(({ x, y, yaxis, ...rest }) => ({
    ...rest, x: y, y: x, xaxis: yaxis.replace("y", "x"), orientation: "h",
    hovertemplate: rest.hovertemplate.replace("%{x}", "%{y}"),
  }));
  const shapes = (layout.shapes ?? []).map(({ x0, x1, y0, y1, xref, yref, ...rest }) => ({
    ...rest, x0: y0, x1: y1, y0: x0, y1: x1, xref: yref.replace("y", "x"), yref: xref.replace("x", "y"),
  }));
  const inLines = (note) => (isLong(note) ? note.text.replace(/[ -]/, (mark) => `${mark.trim()}<br>`) : note.text);
  const annotations = notes.map((note, place) => ({
    ...note, x: start(place), y: 1, yanchor: "top", yshift: heading, align: "left", font: { ...note.font, size: SMALL },
    text: inLines(note).replace("  ", "<br>").replace(/ (?=[a-z]+$)/, breaks ? "<br>" : " "),
  }));
  const { template, barmode, bargap, margin, meta } = layout;
  return { ...figure, data, layout: {
    template, barmode, bargap, margin: { ...margin, t: heading }, meta: { ...meta, turned: true },
    height: names.length * ROW + heading + TICKS, ...Object.fromEntries(axes), yaxis: rows, shapes, annotations,
  } };
}

window.addEventListener("resize", () => {
  for (const box of document.querySelectorAll(".chart")) {
    const state = waiting.get(box);
    if (state?.last && (state.factor > 1 || state.factor !== enlargement(box))) show(window.Plotly, box, state.last);
  }
});

async function animate(library, box, frames) {
  const old = box._transitionData?._frames?.length ?? 0;
  if (old) await library.deleteFrames(box, [...Array(old).keys()]);
  if (frames.length) await library.addFrames(box, frames);
}

/** Return an entry of the legend: a layer kind with its color, or the baseline, which has a line. */
function entry([name, color]) {
  const item = Object.assign(document.createElement("span"), { className: "kind" });
  const mark = document.createElement(color ? "i" : "b");
  mark.style.background = color;
  item.dataset.color = color;
  item.append(mark, name);
  return item;
}

function describe(box, figure) {
  headline(box.closest("figure").querySelector("h3"), figure.title.replace(/(\d) %/g, "$1\u00a0%"));
  // An image without a name would be announced: the role comes with the alternative text.
  box.setAttribute("role", "img");
  if (box.getAttribute("aria-label") !== figure.alt) box.setAttribute("aria-label", figure.alt);
}

/** Write a headline in which no line ends within a name such as MobileNetV3-Large. */
function headline(element, text) {
  if (element.textContent === text) return;
  element.replaceChildren(...text.split(/(\S+-\S+)/).map((words, place) => {
    const whole = place % 2 && words.length <= LONGEST_WHOLE;
    return whole ? Object.assign(document.createElement("span"), { className: "whole", textContent: words }) : words;
  }));
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
