// Widths of residual blocks: bars as high as the channels, layers between them, and the shortcut.

const LABEL = 34, LINE = 15;

export function scene(tools, stage, spec, width) {
  const { add, text } = tools;
  const narrow = width < 620, high = narrow ? 110 : 130, arch = 42, row = LABEL + arch + high + (narrow ? 50 + 2 * LINE : 50);
  const svg = tools.picture(stage, width, spec.rows.length * row);
  const most = Math.max(...spec.rows.flatMap((each) => each.nodes));
  const rows = spec.rows.map((each, at) => drawnRow(at * row, each));

  function drawnRow(y, { name, nodes, layers, shortcut }) {
    const bar = narrow ? 14 : 24, span = Math.min(width - 60, 860), left = (width - span) / 2;
    const gap = (span - nodes.length * bar) / (nodes.length - 1);
    const base = y + LABEL + arch + high / 2;
    const x = (at) => left + at * (bar + gap), tall = (at) => Math.max(4, (high * nodes[at]) / most);
    text(svg, left, y + 16, name, { "text-anchor": "start", class: "strong" });
    const parts = [];
    const drawParts = (gates) => layers.forEach((layer, at) => {
      if (layer.place >= 0 && (layer.label === "SE") === gates) parts[at] = between(layer);
    });
    drawParts(false);
    const ends = nodes.length - 1;
    const roof = y + LABEL - 18;
    const tops = [0, ends].map((at) => base - tall(at) / 2), middles = [0, ends].map((at) => x(at) + bar / 2);
    const summit = 0.25 * Math.min(...tops) + 0.75 * roof;
    const path = `M${middles[0]},${tops[0]}C${middles[0]},${roof},${middles[1]},${roof},${middles[1]},${tops[1]}`;
    if (shortcut) add(svg, "path", { class: "arch faint", d: path });
    const arc = add(svg, "path", { class: "arch", d: shortcut ? path : "", pathLength: 1 });
    if (shortcut) {
      add(svg, "path", { class: "tip", d: `M${middles[1] - 6},${tops[1] - 11}h12l-6,11z` });
      text(svg, width / 2, summit + 4, shortcut === "identity" ? "shortcut" : `shortcut, ${shortcut}`, { class: "plate" });
    }
    nodes.forEach((channels, at) => {
      // The shortcut begins and ends on the bars, so the number is below them.
      const isEnd = shortcut && (at === 0 || at === ends);
      add(svg, "rect", { class: "node", x: x(at), y: base - tall(at) / 2, width: bar, height: tall(at), rx: 2 });
      const place = isEnd ? base + tall(at) / 2 + 16 : base - tall(at) / 2 - 6;
      text(svg, x(at) + bar / 2, place, channels.toLocaleString("en-US"), { class: "plate" });
    });
    drawParts(true); // above the bars

    /** Return the shape that shows how far a layer is computed. A gate is on a bar, other layers are between two. */
    function between(layer) {
      const gate = layer.label === "SE", at = layer.place;
      const [from, to] = gate ? [x(at), x(at) + bar] : [x(at) + bar, x(at + 1)];
      const sides = gate ? [tall(at), tall(at)] : [tall(at), tall(at + 1)];
      const shape = (share) => tools.path([
        [from, base - sides[0] / 2], [tools.mix(from, to, share), base - tools.mix(...sides, share) / 2],
        [tools.mix(from, to, share), base + tools.mix(...sides, share) / 2], [from, base + sides[0] / 2]]);
      if (!gate) add(svg, "path", { class: "layer empty", d: shape(1) });
      const filled = add(svg, "path", { class: "layer", fill: layer.color });
      const under = base + high / 2 + 18;
      const write = (line, words, look) => text(svg, (from + to) / 2, under + line, words, look);
      // On a phone, a word does not fit beside another one.
      const [kernel, ...kind] = narrow ? layer.label.split(" ") : [layer.label];
      const unit = at === 0 ? ["multiply-adds"] : [];
      const cost = narrow ? [short(layer.macs), ...unit] : [[short(layer.macs), ...unit].join(" ")];
      write(0, kernel);
      if (!gate) [...kind, ...cost].forEach((words, line) => write(17 + line * LINE, words, line < kind.length ? {} : { class: "faint" }));
      return { filled, shape };
    }
    return { parts, layers, arc, shortcut };
  }

  const update = (now) => {
    spec.phases.forEach(({ row: at, layer }, place) => {
      const share = tools.ease(Math.min(1, Math.max(0, now.time - place)));
      const { parts, layers, arc, shortcut } = rows[at];
      const part = parts[layer];
      if (part) {
        part.filled.setAttribute("d", part.shape(share));
        part.filled.style.opacity = share ? 1 : 0;
      } else if (layers[layer].place === -2 && shortcut) {
        arc.style.strokeDashoffset = 1 - share;
        arc.style.opacity = share ? 1 : 0;
      }
    });
  };
  update.seconds = 1.4;
  return update;
}

/** Return multiply-adds with a prefix, such as 10.8 M. */
function short(value) {
  const [factor, prefix] = [[1e9, " G"], [1e6, " M"], [1e3, " k"]].find(([each]) => value >= each) ?? [1, ""];
  return `${factor > 1 ? (value / factor).toPrecision(3) : value}${prefix}`;
}
