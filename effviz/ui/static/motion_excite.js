// Squeeze-and-excitation: a mean of every map, two small matrices, a gate for every map.

export function scene(tools, stage, spec, width) {
  const { channels, squeezed, side, shades, means, hidden, gates } = spec;
  const { add, set, text } = tools;
  const narrow = width < 620, map = narrow ? 36 : 44, row = map + 9, top = 46;
  const svg = tools.picture(stage, width, top + channels * row + 4);
  const pooling = spec.phases[0].color, color = spec.phases[1].color;
  const span = Math.min(width - map - 4, 820), left = (width - span - map) / 2;
  const xs = [0, 0.24, 0.5, 0.76, 1].map((share) => left + share * span);
  const y = (at, count = channels) => top + ((channels - count) / 2 + at + 0.5) * row;

  const maps = (x, last) => shades.map((digits, at) => {
    const group = add(svg, "g", { class: "map", transform: `translate(${x},${y(at) - map / 2})` });
    const unit = map / side;
    add(group, "rect", { class: "sheet", width: map, height: map });
    const cells = [...digits].map((digit, place) => add(group, "rect", {
      class: "cell", x: (place % side) * unit, y: Math.floor(place / side) * unit, width: unit, height: unit,
      "fill-opacity": 0.06 + 0.055 * digit, style: last ? `fill: ${color}; fill-opacity: 0` : "",
    }));
    return { group, cells, digits };
  });
  const input = maps(xs[0] , false), output = maps(xs[4], true);
  const webs = [[1, channels, 2, squeezed], [2, squeezed, 3, channels]].map(([from, many, to, count]) =>
    Array.from({ length: count }, (_, end) => Array.from({ length: many }, (_, start) => add(svg, "path", {
      class: "edge", d: `M${xs[from] + 62},${y(start, many)}L${xs[to] - 4},${y(end, count)}`,
    }))));
  /** A column of numbers as bars from 0 to `most`. */
  const column = (x, values, most, fill) => values.map((value, at) => {
    const group = add(svg, "g", { class: "value", transform: `translate(${x},${y(at, values.length) - 14})` });
    add(group, "rect", { class: "sheet", width: 22, height: 28, rx: 3 });
    const high = 26 * Math.min(1, Math.abs(value) / most);
    const bar = add(group, "rect", { x: 1, y: 27 - high, width: 20, height: high, rx: 2, fill });
    const words = add(group, "text", { x: 27, y: 19, class: "plate" }, value.toFixed(2));
    return { group, bar, words };
  });
  const columns = [
    column(xs[1], means, 1, pooling), column(xs[2], hidden, Math.max(...hidden, 0.01), color), column(xs[3], gates, 1, color),
  ];
  const pulls = shades.map((_, at) => add(svg, "path", { class: "edge", d: `M${xs[0] + map + 4},${y(at)}H${xs[1] - 4}` }));
  const pushes = shades.map((_, at) => add(svg, "path", { class: "edge", d: `M${xs[3] + 62},${y(at)}H${xs[4] - 4}` }));
  const heads = narrow ? ["Maps", "Means", "Hidden", "Gates", "Scaled"]
    : ["Input maps", "Squeeze: means", `Hidden: ${squeezed}`, `Gates: ${spec.gate}`, "Scaled maps"];
  heads.forEach((words, at) => text(svg, at % 4 ? xs[at] + 11 : xs[at] + map / 2, 16, words));
  if (!narrow) [[0, `${squeezed}×${channels} matrix`], [1, `${channels}×${squeezed} matrix`]].forEach(([at, words]) =>
    text(svg, (xs[at + 1] + xs[at + 2]) / 2 + 11, 36, words, { class: "faint" }));

  const show = (element, amount) => { element.style.opacity = amount; };
  const update = (now) => {
    const share = (phase, at) => Math.min(1, Math.max(0, now.time - spec.phases[phase].start - at));
    const active = (phase, at) => (now.phase === phase && now.step === at && now.time > 0 && now.time < spec.steps ? "on" : "");
    svg.style.setProperty("--kind", color);
    columns[0].forEach((each, at) => { grow(each, share(0, at), false); });
    columns[1].forEach((each, at) => { grow(each, share(1, at), false); });
    // A number of the expansion becomes a gate: half-grown before the sigmoid.
    columns[2].forEach((each, at) => {
      grow(each, share(2, at), share(3, at) < 0.5);
      show(each.bar, share(3, at));
      each.words.textContent = (share(3, at) < 0.5 ? spec.sums : gates)[at].toFixed(2);
    });
    webs.forEach((web, place) => web.forEach((edges, end) => edges.forEach((edge) => {
      edge.setAttribute("class", `edge ${active(place + 1, end)}`);
      show(edge, active(place + 1, end) ? 1 : 0.12 + 0.25 * share(place + 1, end));
    })));
    pulls.forEach((edge, at) => { edge.setAttribute("class", `edge ${active(0, at)}`); show(edge, 0.2 + 0.6 * share(0, at)); });
    pushes.forEach((edge, at) => {
      edge.setAttribute("class", `edge ${active(4, at)}`);
      set(edge, { "stroke-width": 1 + 5 * gates[at] * share(4, at) });
      show(edge, 0.2 + 0.6 * share(4, at));
    });
    output.forEach(({ cells, digits }, at) => cells.forEach((cell, place) => {
      cell.style.fillOpacity = share(4, at) * gates[at] * (0.2 + 0.088 * digits[place]);
    }));
    input.forEach(({ group }, at) => group.setAttribute("class", `map ${active(0, at)}`));
  };
  function grow(each, amount, hollow) {
    show(each.words, amount);
    show(each.bar, hollow ? 0 : amount);
    each.bar.style.transform = `scaleY(${amount})`;
  }
  update.seconds = 0.6;
  return update;
}
