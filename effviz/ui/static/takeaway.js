// One menu "Download" for every chart, diagram, animation and table of the page. Nothing is made before it is chosen.

const menus = new WeakMap(); // element -> its menu
let page, tools, send; // texts of the page, address of the script that makes pictures, function that asks the server

/** Offer the downloads of a page: `data` has its convention, version, title and colors. */
export function offer(data, setTriggerValue, pictures) {
  const first = !page;
  [page, send, tools] = [data, setTriggerValue, pictures];
  attach();
  if (!first) return;
  let waits = false;
  const later = () => {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => { waits = false; attach(); });
  };
  new MutationObserver(later).observe(document.querySelector("[data-testid=stApp]"), { childList: true, subtree: true });
}

const around = (element) => element.closest("[data-testid=stElementContainer]");
const PLACES = {
  chart: [".chart.js-plotly-plot", (box, menu) => box.parentElement.querySelector("figcaption").prepend(menu)],
  animation: [".motion .stage", (stage, menu) => stage.parentElement.querySelector(".note").before(menu)],
  diagram: ["[data-testid=stGraphVizChart]", (diagram, menu) => around(diagram).append(menu)],
  table: ["[data-testid=stDataFrame]", (table, menu) => around(table).append(menu)],
};

function attach() {
  for (const [kind, [selector, put]] of Object.entries(PLACES)) {
    for (const element of document.querySelectorAll(selector)) {
      if (menus.get(element)?.isConnected) continue;
      const menu = menuOf(kind, element);
      menus.set(element, menu);
      put(element, menu);
    }
  }
}

function menuOf(kind, element) {
  const menu = Object.assign(document.createElement("details"), { className: "takeaway" });
  const summary = Object.assign(document.createElement("summary"), { textContent: "Download" });
  summary.setAttribute("aria-label", `Download the ${kind}`);
  const list = document.createElement("div");
  list.setAttribute("role", "group");
  list.setAttribute("aria-label", `Formats of the ${kind}`);
  menu.append(summary, list);
  menu.ontoggle = () => {
    // A closed menu is empty: its buttons would take a key before those of the next opening replace them.
    list.replaceChildren(...(menu.open ? choices(kind) : []).map(([label, act]) => button(label, async () => {
      menu.open = false;
      summary.focus();
      await act(element);
    })));
  };
  return menu;
}

function button(label, act) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: label });
  made.onclick = act;
  return made;
}

function choices(kind) {
  if (kind === "table") {
    return [["CSV", "csv"], ["Markdown", "md"], ["LaTeX", "tex"]].map(([label, format]) => [label, (table) => ask(table, format)]);
  }
  const scheme = isDark() ? "dark" : "light";
  const schemes = scheme === "light" ? [[scheme, ""]] : [[scheme, ""], ["light", ", light colors"]];
  return schemes.flatMap(([scheme, words]) =>
    ["svg", "png"].map((format) => [`${format.toUpperCase()}${words}`, (element) => take(kind, element, format, scheme)]));
}

function isDark() {
  return getComputedStyle(document.querySelector("[data-testid=stApp]")).colorScheme === "dark";
}

/** Ask the server for a table: the browser has only the rows in view. Its alternative text names it. */
function ask(table, format) {
  const label = table.querySelector("[data-testid=stElementToolbarButton] [aria-label]")?.getAttribute("aria-label") ?? "";
  const name = `${nameOf("table", table)}.${format}`;
  send("table", { alt: label.slice(label.indexOf(": ") + 2), format, name, time: performance.now() });
}

/** Return the name of a file without its ending: that of the page and the key of the element. */
function nameOf(kind, element) {
  const key = element.closest("[class*=st-key-]")?.className.match(/st-key-(\S+?)(?:_\d{5,})?(?:\s|$)/)?.[1] ?? kind;
  return ["effviz", location.pathname.split("/").at(-1) || "home", key].join("-").replace(/[^a-z0-9]+/gi, "-");
}

async function take(kind, element, format, scheme) {
  const pictures = await import(tools);
  const { drawing, factor = 1, ...texts } = await DRAWINGS[kind](element, scheme, pictures);
  const place = page.colors[scheme];
  const source = [`effviz ${page.version}`, page.title, shortLink(), new Date().toISOString().slice(0, 10)].join(" · ");
  const all = { alt: "", legend: [], caption: "", ...texts, convention: page.convention, source, link: location.href };
  const made = await pictures.framed(drawing, all, place, factor);
  const file = format === "png" ? await pictures.rasterized(made) : new Blob([made.text], { type: "image/svg+xml" });
  pictures.save(`${nameOf(kind, element)}.${format}`, file);
}

/** Return the address of the page; without its settings if these are a whole design. The description has all of them. */
function shortLink() {
  return location.href.length <= 240 ? location.href : location.origin + location.pathname;
}

const DRAWINGS = { chart, diagram, animation };
const words = (element) => element?.textContent.trim() ?? "";

async function chart(box, scheme, pictures) {
  // On the page, labels that another one covers are moved or hidden.
  const styles = new Map([...box.querySelectorAll(".annotation")].map((each) => [Number(each.dataset.index), each.style]));
  const layout = { ...box.layout };
  layout.annotations = layout.annotations?.map((each, place) => asShown(each, styles.get(place)));
  const text = JSON.stringify({ data: box.data, layout });
  const entries = [...document.querySelectorAll(".kinds .kind")].filter((entry) =>
    entry.dataset.color ? text.includes(entry.dataset.color) : box.parentElement.contains(entry));
  const legend = entries.map((entry) => [words(entry), entry.dataset.color]);
  const figure = scheme === "light" && isDark() ? pictures.lightFigure(text, page.palette) : JSON.parse(text);
  const size = { width: box.clientWidth, height: box.clientHeight };
  const svg = await window.Plotly.toImage(figure, { format: "svg", ...size, imageDataOnly: true });
  const owner = box.closest("figure"), caption = owner.querySelector("figcaption > details:last-child p");
  return {
    drawing: parsed(svg), legend, title: words(owner.querySelector("h3")), alt: box.getAttribute("aria-label"),
    caption: [words(owner.querySelector("figcaption > span")), words(caption)].filter(Boolean).join(" "),
    factor: Number(getComputedStyle(box).getPropertyValue("--enlarge")) || 1,
  };
}

/** Return an annotation as it is on the page, with the style of its element. */
function asShown(note, style) {
  if (style?.visibility === "hidden") return { ...note, visible: false };
  if (!style?.translate) return note;
  const [right, down = 0] = style.translate.split(" ").map(parseFloat);
  return { ...note, xshift: (note.xshift ?? 0) + right, yshift: (note.yshift ?? 0) - down };
}

async function diagram(element, scheme, pictures) {
  let drawn = new XMLSerializer().serializeToString(element.querySelector("svg"));
  if (scheme === "light" && isDark()) drawn = pictures.lightened(drawn, page.palette);
  const svg = parsed(drawn), { width, height } = svg.viewBox.baseVal;
  // Points become pixels; the page fits the graph to its room, the picture keeps its natural size.
  const scale = 4 / 3;
  svg.setAttribute("width", (width * scale).toFixed(0));
  svg.setAttribute("height", (height * scale).toFixed(0));
  const title = element.getAttribute("aria-label") ?? "";
  const panel = element.closest("[class*=st-key-diagram_box]")?.parentElement?.parentElement;
  const caption = words(panel?.querySelector(".finding")).replace(`${title}.`, "").trim();
  return { drawing: svg, title, alt: title, caption };
}

async function animation(stage, scheme, pictures) {
  const box = stage.closest(".motion"), alt = stage.getAttribute("aria-label") ?? "";
  const drawing = pictures.standalone(stage.querySelector("svg"), scheme);
  return { drawing, alt, title: words(box.querySelector("h3")), caption: words(box.querySelector(".caption")) };
}

function parsed(text) {
  return document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
}
