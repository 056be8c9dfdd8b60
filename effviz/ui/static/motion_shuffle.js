// A channel shuffle: channels move from a line into a matrix, its transpose, and a line again.

export function scene(tools, stage, spec, width) {
  const { channels, groups, places } = spec;
  const size = channels / groups, most = Math.max(size, groups);
  const line = Math.min(46, (width - 8) / channels);
  const cell = Math.min(line, (width - 40) / (groups + size), 250 / most);
  const bottom = 58 + line + most * cell + 58;
  const svg = tools.picture(stage, width, bottom + line + 34);
  const left = (width - channels * line) / 2;
  const blank = (width - (groups + size) * cell) / 3;
  const slots = [
    (at) => [left + (at + 0.5) * line, 24 + line / 2],
    (at) => [blank + (at % size + 0.5) * cell, middle(groups) + (Math.floor(at / size) + 0.5) * cell],
    (at) => [2 * blank + (size + Math.floor(at / size) + 0.5) * cell, middle(size) + (at % size + 0.5) * cell],
    (at) => [left + (places[at] + 0.5) * line, bottom + line / 2],
  ];
  function middle(rows) { return 58 + line + ((most - rows) * cell) / 2; }
  const color = (at) => {
    const share = groups === 1 ? 1 : 1 - (0.78 * Math.floor(at / size)) / (groups - 1);
    return `color-mix(in oklab, #56B4E9 ${Math.round(100 * share)}%, #FFFFFF)`;
  };

  const trails = tools.add(svg, "g", { class: "trails" });
  const lines = places.map((_, at) => tools.add(trails, "path", {
    style: `stroke: color-mix(in oklab, ${color(at)}, var(--ink) 30%)`,
  }));
  const boxes = slots.map((place, tier) => {
    const group = tools.add(svg, "g", { class: "slots" });
    const side = tier % 3 ? cell : line;
    places.forEach((_, at) => {
      const [x, y] = place(at);
      tools.add(group, "rect", { x: x - side / 2 + 1.5, y: y - side / 2 + 1.5, width: side - 3, height: side - 3, rx: 4 });
    });
    return group;
  });
  const matrices = [
    tools.text(svg, blank + (size * cell) / 2, 48 + line + ((most - groups) * cell) / 2, `G × n = ${groups} × ${size}`),
    tools.text(svg, 2 * blank + (size + groups / 2) * cell, 48 + line + ((most - size) * cell) / 2, `n × G = ${size} × ${groups}`),
  ];
  const brackets = (count, wide, y, words) => {
    for (let at = 0; at < count; at += 1) {
      const [from, to] = [left + at * wide * line + 4, left + (at + 1) * wide * line - 4];
      tools.add(svg, "path", { class: "bracket", d: `M${from},${y}H${to}` });
      tools.text(svg, (from + to) / 2, y < bottom ? y - 6 : y + 16, wide * line > 62 ? `${words} ${at + 1}` : at + 1);
    }
  };
  brackets(groups, size, 19, "Group");
  brackets(groups, size, bottom + line + 7, "Group");
  const origins = places.map((_, at) => token(at, "token origin"));
  origins.forEach((each, at) => place(each, slots[0](at), line - 3));
  function token(at, name) {
    const made = tools.add(svg, "g", { class: name });
    tools.add(made, "rect", { rx: 5, style: `fill: ${color(at)}` });
    tools.add(made, "text", { "text-anchor": "middle", "dominant-baseline": "central" }, at + 1);
    return made;
  }
  function place(made, [x, y], wide) {
    tools.set(made, { transform: `translate(${x.toFixed(1)},${y.toFixed(1)})`, "font-size": Math.min(16, wide * 0.5) });
    tools.set(made.firstChild, { x: -wide / 2, y: -wide / 2, width: wide, height: wide });
  }
  const tokens = places.map((_, at) => token(at, "token"));

  const update = (now) => {
    const last = now.time >= spec.steps - 1 ? tools.ease(now.time - spec.steps + 1) : 0;
    tokens.forEach((each, at) => {
      // Tier and way of this channel: each phase moves them one after another.
      const way = spec.phases.map((phase) => Math.min(1, Math.max(0, now.time - phase.start - order(phase, at))));
      const tier = way.findLastIndex((part) => part > 0), share = tier < 0 ? 0 : tools.ease(way[tier]);
      const [from, to] = [slots[Math.max(0, tier)](at), slots[Math.max(0, tier) + Number(tier >= 0)](at)];
      const spot = [0, 1].map((axis) => tools.mix(from[axis], to[axis], share));
      const wide = tools.mix(tier === 1 || tier === 2 ? cell : line, tier === 0 || tier === 1 ? cell : line, share) - 3;
      place(each, spot, wide);
      const [[start, above], [end, below]] = [slots[0](at), slots[3](at)];
      const ends = last ? [[start, above + line / 2], [end, below - line / 2]] : [from, to];
      lines[at].setAttribute("d", tools.curve(ends[0], ends[1], last > 0 || tier !== 1));
      lines[at].style.opacity = last || (tier === now.phase ? 0.8 : 0);
    });
    for (const each of [boxes[1], boxes[2], ...matrices]) each.style.opacity = 1 - 0.9 * last;
  };
  /** The place of a channel in the order in which a phase moves the channels: that of their slots. */
  const order = (phase, at) => (phase.move === "flatten" ? places[at] : at);
  update.seconds = 0.45;
  return update;
}
