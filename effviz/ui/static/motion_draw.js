// What all scenes of animations draw with.

const SVG = "http://www.w3.org/2000/svg";

/** Append an SVG element with these attributes to `parent`. */
export function add(parent, name, attributes = {}, text = "") {
  const element = document.createElementNS(SVG, name);
  set(element, attributes);
  if (text !== "") element.textContent = text;
  parent.append(element);
  return element;
}

export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

/** Append the picture of a scene, as wide as its element. The element has the alternative text. */
export function picture(stage, width, height) {
  return add(stage, "svg", { width, height, style: "width: 100%; height: auto", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
}

export const mix = (from, to, share) => from + (to - from) * share;
export const ease = (share) => share * share * (3 - 2 * share);
export const path = (points) => `M${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}Z`;
export const text = (parent, x, y, words, attributes = {}) =>
  add(parent, "text", { x, y, "text-anchor": "middle", ...attributes }, words);

/** Return a smooth curve between two points; it leaves and arrives horizontally, or vertically if `upright`. */
export function curve([x, y], [to_x, to_y], upright = false) {
  const [a, b] = upright ? [[x, (y + to_y) / 2], [to_x, (y + to_y) / 2]] : [[(x + to_x) / 2, y], [(x + to_x) / 2, to_y]];
  return `M${x},${y}C${a},${b},${to_x},${to_y}`;
}
