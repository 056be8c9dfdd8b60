// The networks of the zoo as cards, each drawn: a box for every block, whose height follows its map and whose width its channels.

const SVG = "http://www.w3.org/2000/svg";
const decoder = new TextDecoder();
let shown = "", complete = false;

export function draw({ parentElement, data, setTriggerValue }) {
  const box = parentElement.querySelector(".gallery");
  const text = decoder.decode(data);
  if (shown !== text || !box.children.length) {
    let group = "";
    box.replaceChildren(...JSON.parse(text).flatMap((entry) => {
      const heading = entry.group === group ? [] : [element("h3", "", entry.group)];
      group = entry.group;
      return [...heading, card(entry)];
    }));
  }
  shown = text;
  const more = parentElement.querySelector(".gallery_more");
  more.textContent = `Show all ${box.querySelectorAll("a").length}`;
  more.onclick = () => {
    complete = true;
    const next = box.querySelector("a[hidden]");
    limit(box, more);
    next?.focus();
  };
  limit(box, more);
  box.onclick = (event) => {
    const link = event.target.closest("a");
    // A click with a modifier opens the address in another tab, as on every link.
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    setTriggerValue("open", link.dataset.title);
  };
}

/** Hide the networks that are not known best, until the visitor asks for all. */
function limit(box, more) {
  for (const link of box.querySelectorAll("a")) link.hidden = !complete && !link.dataset.first;
  more.hidden = !box.querySelector("a[hidden]");
}

function card({ title, address, first, top1, source, counts, boxes }) {
  const link = Object.assign(document.createElement("a"), { href: address });
  link.dataset.title = title;
  if (first) link.dataset.first = "true";
  const head = element("span", "head", "");
  // A short last part of a name stays with the part before it.
  head.append(element("strong", "", title.replace(/-(?=[^-]{1,3}$)/, "\u2011")), Object.assign(element("span", "top1", top1), { title: source }));
  const rows = element("span", "counts", "");
  rows.append(...counts.flatMap((pair) => pair.map((each) => element("span", "", each))));
  link.append(head, drawing(boxes), rows);
  return link;
}

function element(kind, className, text) {
  return Object.assign(document.createElement(kind), { className, textContent: text });
}

/** One scale per card: the widths fill it, and the first map, usually the largest, has its height. */
function drawing(boxes) {
  const width = boxes.reduce((sum, [, channels]) => sum + channels, 0);
  const height = Math.max(...boxes.map(([side]) => side)), most = Math.max(...boxes.map((each) => each[2]));
  const picture = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ viewBox: "0 0 200 56", preserveAspectRatio: "none", "aria-hidden": "true" })) {
    picture.setAttribute(name, value);
  }
  let left = 0;
  for (const [side, channels, share] of boxes) {
    const wide = (200 * channels) / width, high = 54 * Math.sqrt(side / height);
    const shape = document.createElementNS(SVG, "rect");
    for (const [name, value] of Object.entries({ x: left, y: 28 - high / 2, width: Math.max(0.4, wide - 0.6), height: high })) {
      shape.setAttribute(name, value);
    }
    shape.style.setProperty("--share", `${Math.round(18 + (82 * share) / most)}%`);
    picture.append(shape);
    left += wide;
  }
  return picture;
}
