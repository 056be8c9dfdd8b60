// Pictures to take away: a drawing of the page with its texts as SVG or PNG.

const NAMESPACE = "http://www.w3.org/2000/svg";
const FONT = '"Source Sans", "Source Sans 3", "Source Sans Pro", system-ui, sans-serif';
const MARGIN = 20;
const WIDEST = 16_000; // pixels of a canvas that all browsers can draw
const PRINTED = 1_600; // pixels of a PNG across, enough for half a page in print
// Properties that the style sheets of the page set.
const STYLED = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "opacity", "visibility",
  "display", "font-family", "font-size", "font-weight", "font-style", "text-anchor", "dominant-baseline", "paint-order",
  "font-variant-numeric",
];
const canvas = document.createElement("canvas");
let font;

/**
 * Lay out a drawing under its title and legend and above its caption, the convention and the source.
 *
 * `drawing` is an SVG element with a width and a height in pixels, `texts` has title, alt, legend (name and color of each
 * entry), caption, convention, source and link, `colors` the ink, muted and paper of the theme. Texts are `factor` times as
 * large as usual. Returns the text of the SVG with its size.
 */
export async function framed(drawing, texts, colors, factor = 1) {
  const inside = { width: Number(drawing.getAttribute("width")), height: Number(drawing.getAttribute("height")) };
  const margin = MARGIN * factor, room = Math.max(inside.width, 320 * factor), width = Math.ceil(room + 2 * margin);
  const svg = element("svg", { xmlns: NAMESPACE, width, role: "img", "font-family": FONT });
  svg.append(element("title", {}, texts.title), element("desc", {}, [texts.alt, texts.link].filter(Boolean).join(" ")));
  svg.append(element("style", {}, await fontFace()));
  const paper = element("rect", { width: "100%", height: "100%", fill: colors.paper });
  svg.append(paper);
  let y = margin;
  const block = (name, text, size, weight, fill) => {
    if (!text) return;
    const group = element("g", { class: name, fill, "font-size": size * factor, "font-weight": weight });
    for (const line of lines(text, size * factor, weight, room)) {
      y += size * 1.3 * factor;
      group.append(element("text", { x: margin, y: y - size * 0.3 * factor }, line));
    }
    svg.append(group);
    y += 6 * factor;
  };
  block("title", texts.title, 18, 600, colors.ink);
  if (texts.legend.length) y = legend(svg, texts.legend, { margin, room, factor, y }, colors);
  drawing.setAttribute("x", margin + (room - inside.width) / 2);
  drawing.setAttribute("y", y);
  svg.append(drawing);
  y += inside.height + 8 * factor;
  block("caption", texts.caption, 14, 400, colors.muted);
  block("convention", texts.convention, 11.5, 400, colors.muted);
  block("source", texts.source, 11.5, 400, colors.muted);
  const height = Math.ceil(y + margin - 6 * factor);
  svg.setAttribute("height", height);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  return { text: new XMLSerializer().serializeToString(svg), width, height };
}

/** Append the entries of a legend, and return where the next part of the picture begins. */
function legend(svg, entries, { margin, room, factor, y }, colors) {
  const group = element("g", { class: "legend", fill: colors.ink, "font-size": 13 * factor });
  let x = margin;
  y += 14 * factor;
  for (const [name, color] of entries) {
    const long = measured(name, 13 * factor, 400) + 40 * factor;
    if (x > margin && x + long > margin + room) [x, y] = [margin, y + 20 * factor];
    const side = 11 * factor, top = y - 10 * factor;
    group.append(color
      ? element("rect", { x, y: top, width: side, height: side, fill: color, stroke: colors.muted })
      : element("path", { d: `M${x},${top + side / 2}h${side * 1.4}`, stroke: colors.ink, "stroke-width": 2 * factor }));
    group.append(element("text", { x: x + 20 * factor, y }, name));
    x += long;
  }
  svg.append(group);
  return y + 12 * factor;
}

function element(name, attributes, text = "") {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) if (key !== "xmlns") made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}

function measured(text, size, weight) {
  const context = canvas.getContext("2d");
  context.font = `${weight} ${size}px ${FONT}`;
  return context.measureText(text).width;
}

/** Break a text into lines; words that are wider than a line, such as addresses, are broken too. */
function lines(text, size, weight, room) {
  const found = [];
  let line = "";
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = line ? `${line} ${word}` : word;
    if (measured(longer, size, weight) <= room) { line = longer; continue; }
    if (line) found.push(line);
    line = word;
    while (measured(line, size, weight) > room) {
      let end = line.length - 1;
      while (end > 1 && measured(line.slice(0, end), size, weight) > room) end -= 1;
      found.push(line.slice(0, end));
      line = line.slice(end);
    }
  }
  return line ? [...found, line] : found;
}

/** Return the rule for the font of the page as data: an SVG in an image loads no files. */
function fontFace() {
  font ??= (async () => {
    const rule = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]).find((each) =>
      each instanceof CSSFontFaceRule && /^"?Source Sans"?$/.test(each.style.getPropertyValue("font-family")) &&
      each.style.getPropertyValue("font-style") !== "italic");
    const path = rule?.style.getPropertyValue("src").match(/url\("?([^")]+)"?\)/)?.[1];
    if (!path) return "";
    const bytes = await (await fetch(new URL(path, rule.parentStyleSheet.href ?? document.baseURI))).blob();
    const data = await new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.onerror = () => reject(reader.error);
      reader.readAsDataURL(bytes);
    });
    return `@font-face{font-family:"Source Sans";font-weight:100 900;src:url(${data}) format("woff2")}`;
  })();
  return font;
}

/** Return a PNG of an SVG, at least twice as large as on screen, unless it is very large. */
export async function rasterized({ text, width, height }) {
  const wanted = Math.min(4, Math.max(2, PRINTED / width));
  const scale = Math.min(wanted, WIDEST / width, WIDEST / height, Math.sqrt((WIDEST * WIDEST) / 4 / width / height));
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const drawn = Object.assign(document.createElement("canvas"), {
      width: Math.round(width * scale), height: Math.round(height * scale),
    });
    drawn.getContext("2d").drawImage(image, 0, 0, drawn.width, drawn.height);
    const png = await new Promise((resolve) => drawn.toBlob(resolve, "image/png"));
    if (!png) throw new Error("this browser cannot draw a picture of this size; choose SVG");
    return png;
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** Return a copy of an SVG of the page that keeps its look without the style sheets, in the colors of `scheme`. */
export function standalone(svg, scheme) {
  const copy = svg.cloneNode(true);
  // Styles depend on the elements around the drawing, so that the copy is styled next to it.
  const place = Object.assign(document.createElement("div"), { style: `color-scheme: ${scheme}; height: 0; overflow: hidden` });
  place.append(copy);
  svg.parentElement.append(place);
  try {
    for (const each of copy.querySelectorAll("*")) {
      if (each.closest("defs, title, desc")) continue;
      const style = getComputedStyle(each);
      for (const name of STYLED) each.style.setProperty(name, style.getPropertyValue(name));
    }
    const own = getComputedStyle(copy);
    for (const name of ["font-size", "font-weight", "font-variant-numeric"]) copy.style.setProperty(name, own.getPropertyValue(name));
  } finally {
    place.remove();
  }
  const box = svg.viewBox.baseVal, size = svg.getBoundingClientRect();
  copy.removeAttribute("style");
  copy.removeAttribute("aria-hidden");
  copy.setAttribute("width", (size.width || box.width).toFixed(0));
  copy.setAttribute("height", (size.height || box.height).toFixed(0));
  return copy;
}

const FAR = 30; // square of the distance of a color from a mixture
const HEX = /#[0-9a-f]{6}\b/gi;
const channels = (color) => [1, 3, 5].map((start) => parseInt(color.slice(start, start + 2), 16));
const hex = (parts) => `#${parts.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("").toUpperCase()}`;
const mixed = (one, other, share) => one.map((part, place) => part + (other[place] - part) * share);

/**
 * Return a text with the colors of the dark theme replaced by those of the light one.
 *
 * `palette` lists colors in dark and light, those of layers with equal ones. Charts also contain mixtures of two of them,
 * which become the same mixtures of the two light ones.
 */
export function lightened(text, palette) {
  const pairs = palette.map(([dark, light]) => [channels(dark), channels(light)]);
  const known = new Map(palette.map(([dark, light]) => [dark.toUpperCase(), light]));
  const convert = (found) => {
    const color = found.toUpperCase();
    if (!known.has(color)) known.set(color, remixed(channels(color), pairs));
    return known.get(color);
  };
  const rgba = /rgba\((\d+), ?(\d+), ?(\d+), ?([\d.]+)\)/g;
  return text.replace(HEX, convert).replace(rgba, (whole, red, green, blue, alpha) =>
    Number(alpha) ? `rgba(${channels(convert(hex([red, green, blue].map(Number))))},${alpha})` : whole);
}

/** Return the light color of a mixture. Black and white are those of text on a mark, which stay. */
function remixed(color, pairs) {
  if (color.every((part) => part === color[0] && part % 255 === 0)) return hex(color);
  let best = [FAR, color]; // a color of another origin is the same in both themes
  for (const [place, [one, light]] of pairs.entries()) {
    for (const [other, otherLight] of pairs.slice(place + 1)) {
      if (`${one}` === `${light}` && `${other}` === `${otherLight}`) continue; // two kinds of layers are never mixed
      const way = other.map((part, each) => part - one[each]);
      const length = way.reduce((sum, part) => sum + part * part, 0);
      const along = way.reduce((sum, part, each) => sum + part * (color[each] - one[each]), 0) / (length || 1);
      const share = Math.min(1, Math.max(0, along));
      const off = mixed(one, other, share).reduce((sum, part, each) => sum + (part - color[each]) ** 2, 0);
      // The first pairs are those of the theme: of about equal ones, they are the likely mixture.
      if (off < best[0] - 3) best = [off, mixed(light, otherLight, share)];
    }
  }
  return hex(best[1]);
}

/** Return the figure of a chart, JSON in the dark theme, in the light one. Text on a mark is black or white by its color. */
export function lightFigure(text, palette) {
  const figure = JSON.parse(lightened(text, palette));
  const map = figure.data.find((each) => each.type === "heatmap" && typeof each.colorscale?.[1]?.[1] === "string");
  const ends = map?.colorscale.map(([, color]) => channels(color));
  for (const trace of figure.data) {
    const own = trace.textfont?.color, fill = trace.marker?.color;
    if (isNeutral(own) && HEX_ONLY.test(fill)) trace.textfont.color = textOn(channels(fill));
    if (!Array.isArray(own) || !map) continue;
    trace.textfont.color = own.map((color, place) => {
      const share = map.z[map.y.indexOf(trace.y[place])]?.[map.x.indexOf(trace.x[place])];
      return isNeutral(color) && typeof share === "number" ? textOn(mixed(...ends, share)) : color;
    });
  }
  return figure;
}

const HEX_ONLY = /^#[0-9a-f]{6}$/i;
const isNeutral = (color) => /^#(0{6}|f{6})$/i.test(color);

/** Return black or white, the one with more contrast: they are equal at this luminance. */
function textOn(parts) {
  const [red, green, blue] = parts.map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.1791 ? "#000000" : "#FFFFFF";
}

/** Let the browser save a file. */
export function save(name, blob) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
