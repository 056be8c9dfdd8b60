// Kernels that slide over volumes. A volume is a row of maps, seen from the side, so that a kernel is a beam through them.

const SLANT = 0.6, RISE = 0.28; // of a column, in cells to the right and up
const NEAR = 1; // distance of two maps, in their own widths
const HIGHER = 1.15; // a column of kernels than the maps with zeros around them
const GAP = 2.4; // between two things, in cells
const TOP = 26, LINE = 15; // pixels of a heading, and of its second line

export function scene(tools, stage, spec, width) {
  const { add } = tools;
  const own = arranged(spec, width).height, usual = Math.max(...[3, 5].map((size) => arranged(withKernel(spec, size), width).height));
  const things = arranged(spec, width, Math.max(0, usual - own));
  const svg = tools.picture(stage, width, things.height);
  const stacks = things.stacks.map((each) => drawnStack(tools, svg, each));
  for (const phase of spec.phases) if (!phase.copy) stacks[phase.to].link(phase);
  const kernels = things.kernels.map((each) => drawnKernels(tools, svg, each));
  const beam = add(svg, "g", { class: "beam" });
  const lines = ["back", "front"].map((name) => add(beam, "path", { class: name }));
  const flows = [0, 1].map(() => add(beam, "path", { class: "flow" }));
  const target = add(beam, "path", { class: "target" });

  const update = (now) => {
    const phase = spec.phases[now.phase];
    fill(spec, now, stacks);
    kernels.forEach((each) => each.show(each.phase === phase ? Math.floor(now.step / phase.side ** 2) : -1, now));
    beam.style.setProperty("--kind", phase.color);
    const from = stacks[phase.from], to = stacks[phase.to];
    if (phase.copy) return copying(tools, phase, now, from, to, lines, flows, target);
    const spot = (step) => [Math.floor(step / phase.side) % phase.side, step % phase.side];
    const kernel = Math.floor(now.step / phase.side ** 2);
    const before = now.step % phase.side ** 2 ? spot(now.step - 1) : spot(now.step);
    const [row, column] = spot(now.step).map((end, axis) => tools.mix(before[axis], end, tools.ease(now.moved)));
    const first = Math.floor(kernel / phase.group) * phase.inner;
    const up = row * phase.stride, left = column * phase.stride;
    const corners = (map) => quad(from, map, up, left, phase.kernel);
    const maps = Array.from({ length: phase.inner }, (_, place) => first + place);
    // The window on every map that the kernel reads, and the edges between them.
    lines[1].setAttribute("d", maps.map((map) => tools.path(corners(map))).join(""));
    const [start, end] = [corners(maps[0]), corners(maps.at(-1))];
    lines[0].setAttribute("d", maps.length < 2 ? "" : start.map((point, at) => `M${point}L${end[at]}`).join(""));
    const [out_row, out_column] = spot(now.step);
    const cell = quad(to, phase.first + kernel, out_row + to.pad, out_column + to.pad, 1);
    target.setAttribute("d", tools.path(cell));
    const weights = kernels.find((each) => each.phase === phase).place(kernel);
    flows[0].setAttribute("d", tools.curve(center(end), weights[0]));
    flows[1].setAttribute("d", tools.curve(weights[1], center(cell), things.upright));
    flows[1].style.opacity = 0.25 + 0.75 * now.product;
  };
  update.seconds = 0.3;
  return update;
}

/** Fill the values that are computed. A volume that no phase fills is the input. */
function fill(spec, now, stacks) {
  for (const phase of spec.phases) {
    const each = phase.copy ? stacks[phase.to].side ** 2 : 1; // values of a step
    const done = Math.min(phase.steps, Math.max(0, now.done - phase.start)) * each;
    const begun = now.part && now.current >= phase.start && now.current < phase.start + phase.steps;
    stacks[phase.to].reach(phase, done, begun ? now.product : 0, each);
  }
}

function copying(tools, phase, now, from, to, lines, flows, target) {
  const sheet = (stack, map) => quad(stack, map, stack.pad, stack.pad, stack.side);
  const [start, end] = [sheet(from, now.step), sheet(to, phase.first + now.step)];
  const share = tools.ease(now.part || 1);
  lines[0].setAttribute("d", "");
  lines[1].setAttribute("d", tools.path(start.map(([x, y], at) => [
    tools.mix(x, end[at][0], share), tools.mix(y, end[at][1], share)])));
  target.setAttribute("d", tools.path(end));
  flows[0].setAttribute("d", tools.curve(center(start), center(end)));
  flows[1].setAttribute("d", "");
}

// --- Positions -----------------------------------------------------------------------------------------------------

/** Return the places of volumes and kernels: in one row, or below one another on a narrow page. */
function arranged(spec, width, spare = 0) {
  const upright = width < 620;
  const top = TOP + ([...spec.stacks, ...spec.phases].some((each) => each.yours) ? LINE : 0);
  const stacks = spec.stacks.map((stack) => {
    const size = stack.side + 2 * stack.pad;
    return { ...stack, size, step: SLANT * size * NEAR + 0.25, high: size * (1 + RISE) };
  });
  for (const each of stacks) each.wide = SLANT * each.size + (each.channels - 1) * each.step;
  const kernels = spec.phases.filter((phase) => !phase.copy).map((phase) => ({ phase, ...kernelSize(phase, stacks[phase.from]) }));
  const rows = upright
    ? stacks.map((stack, place) => [stack, kernels.find((each) => each.phase.from === place)].filter(Boolean))
    : [stacks.flatMap((stack, place) => [stack, kernels.find((each) => each.phase.from === place)].filter(Boolean))];
  const widths = rows.map((row) => row.reduce((sum, each) => sum + each.wide, GAP * (row.length - 1)));
  const unit = Math.min(22, ...widths.map((each) => (width - 16) / each));
  let y = spare / 2;
  rows.forEach((row, place) => {
    const high = Math.max(...row.map((each) => each.high)) * unit;
    const room = (width - widths[place] * unit) / Math.max(1, row.length - 1);
    const gap = GAP * unit + (upright ? 0 : Math.min(room * 0.6, 40));
    let x = (width - (widths[place] - GAP * (row.length - 1)) * unit - gap * (row.length - 1)) / 2;
    for (const each of row) {
      Object.assign(each, { x, head: y + TOP - 9, y: y + top + (high - each.high * unit) / 2, unit: unit * (each.scale ?? 1) });
      x += each.wide * unit + gap;
    }
    y += high + top + 8;
  });
  return { stacks, kernels, upright, height: Math.ceil(y + spare / 2) };
}

/** Return the drawing with other kernels. Its height does not depend on their size, so that the page below does not jump. */
function withKernel(spec, size) {
  const phases = spec.phases.map((phase) => (phase.kernel > 1 ? { ...phase, kernel: size } : phase));
  return { stacks: spec.stacks.map((stack) => (stack.pad ? { ...stack, pad: (size - 1) / 2 } : stack)), phases };
}

/** Return the size of the kernels of a phase, in cells of the maps: in columns that are not much higher than the maps. */
function kernelSize(phase, stack) {
  const columns = phase.kernels > 4 ? 2 : 1, rows = Math.ceil(phase.kernels / columns);
  const step = SLANT * phase.kernel * 0.9 + 0.25, slot = phase.kernel * (1 + RISE) + 0.9;
  const scale = Math.min(0.75, (HIGHER * (stack.side + 2) * (1 + RISE)) / (rows * slot));
  const wide = SLANT * phase.kernel + (phase.inner - 1) * step;
  return { columns, rows, step, slot, scale, own: wide, wide: (wide * columns + 1.2 * (columns - 1)) * scale, high: rows * slot * scale };
}

/** Return a corner of a cell on the screen. */
function point(stack, map, row, column) {
  const { x, y, unit, step, size } = stack;
  return [x + (map * step + column * SLANT) * unit, y + (row + (size - column) * RISE) * unit];
}

function quad(stack, map, row, column, size) {
  return [[0, 0], [0, size], [size, size], [size, 0]].map(([down, right]) => point(stack, map, row + down, column + right));
}

const center = (corners) => [0, 1].map((axis) => corners.reduce((sum, corner) => sum + corner[axis], 0) / corners.length);

// --- Things --------------------------------------------------------------------------------------------------------

/** Write words above a thing, inside the picture, and below them the numbers of the reader, where they differ. */
function heading(tools, parent, x, y, words, yours) {
  const width = Number(parent.closest("svg").getAttribute("width"));
  const labels = [tools.text(parent, x, y, words)];
  if (yours) labels.push(tools.text(parent, x, y + LINE, `yours: ${yours}`, { class: "faint" }));
  for (const label of labels) {
    const half = label.getComputedTextLength() / 2;
    label.setAttribute("x", Math.max(half, Math.min(width - half, x)));
  }
}

function drawnStack(tools, svg, stack) {
  const { side, pad, size, shades, channels } = stack;
  const group = tools.add(svg, "g", { class: "stack" });
  const cells = shades.map((digits, map) => {
    tools.add(group, "path", { class: pad ? "zeros" : "sheet", d: tools.path(quad(stack, map, 0, 0, size)) });
    tools.add(group, "path", { class: "sheet", d: tools.path(quad(stack, map, pad, pad, side)) });
    return [...digits].map((digit, at) => {
      const cell = quad(stack, map, pad + Math.floor(at / side), pad + (at % side), 1);
      return tools.add(group, "path", { class: "cell", d: tools.path(cell), "fill-opacity": 0.06 + 0.055 * digit });
    });
  });
  const words = `${stack.label}: ${channels} × ${side}×${side}`;
  heading(tools, group, stack.x + (stack.wide * stack.unit) / 2, stack.head, words, stack.yours);
  const shown = new Map(); // phase -> values and share that are drawn
  /** Fill `done` values of a phase, and a `share` of the next `each`. */
  const reach = (phase, done, share, each) => {
    const key = done + share;
    if (shown.get(phase) === key) return;
    shown.set(phase, key);
    const count = side * side;
    const total = phase.steps * each;
    for (let at = 0; at < total; at += 1) {
      const map = phase.first + Math.floor(at / count), digit = Number(shades[map][at % count]);
      const amount = at < done ? 1 : at < done + each ? share : 0;
      const style = cells[map][at % count].style;
      style.fill = amount ? phase.color : "none";
      style.fillOpacity = amount * (0.22 + 0.085 * digit);
    }
  };
  /** Note at each value the time at which a phase has computed it. */
  const link = (phase) => {
    for (let step = 0; step < phase.steps; step += 1) {
      const cell = cells[phase.first + Math.floor(step / side ** 2)][step % side ** 2];
      cell.dataset.step = phase.start + step + 1;
    }
  };
  return { ...stack, reach, link };
}

function drawnKernels(tools, svg, set) {
  const { phase, columns, rows, slot, step, own, x, y, unit } = set;
  const corner = (kernel) => {
    const column = Math.floor(kernel / rows);
    return { x: x + column * (own + 1.2) * unit, y: y + (kernel % rows) * slot * unit, unit, step, size: phase.kernel };
  };
  const groups = phase.weights.map((maps, kernel) => {
    const group = tools.add(svg, "g", { class: "kernel" });
    maps.forEach((digits, map) => {
      tools.add(group, "path", { class: "sheet", d: tools.path(quad(corner(kernel), map, 0, 0, phase.kernel)) });
      [...digits].forEach((digit, at) => {
        const cell = quad(corner(kernel), map, Math.floor(at / phase.kernel), at % phase.kernel, 1);
        tools.add(group, "path", { class: "weight", d: tools.path(cell), fill: phase.color, "fill-opacity": 0.25 + 0.083 * digit });
      });
    });
    return group;
  });
  const size = `${phase.kernel}×${phase.kernel}${phase.inner > 1 ? `×${phase.inner}` : ""}`;
  const words = `${phase.kernels} kernel${phase.kernels > 1 ? "s" : ""} ${size}`;
  heading(tools, svg, x + (set.wide * unit) / set.scale / 2, set.head, words, phase.yours);
  const high = phase.kernel * (1 + RISE) * unit, half = high / 2;
  return {
    phase,
    show: (active) => groups.forEach((group, kernel) => group.classList.toggle("active", kernel === active)),
    /** Return the points where the flow of values enters a kernel and leaves it. */
    place: (kernel) => {
      const { x: left, y: top } = corner(kernel);
      return [[left - 3, top + half], [left + own * unit + 3, top + half]];
    },
  };
}
