// An animation with its controls: play, step, scrub, speed. The scene, a script of its own, draws the state of one time.
//
// Time is a number of steps: at 12.5, twelve steps are done and the thirteenth is half done.

const SPEEDS = [0.5, 1, 2, 4];
const SLIDE = 0.3; // share of a step in which things move; in the rest the products are counted
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const decoder = new TextDecoder();
const players = new WeakMap(); // element -> its player
const positions = new Map(); // name of an animation -> time at which the visitor left it, for its return

const number = (value) => value.toLocaleString("en-US");
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** Show the animation in `data`, UTF-8 JSON. `urls` are those of the drawing functions and of the scenes. */
export async function draw({ parentElement, data }, tools, ...urls) {
  const box = parentElement.querySelector(".motion");
  const text = decoder.decode(data);
  const spec = JSON.parse(text);
  const url = urls.find((each) => each.includes(`/motion_${spec.scene}.`));
  const [{ scene }, drawing] = await Promise.all([import(url), import(tools)]);
  if (!players.has(box)) players.set(box, new Player(box));
  players.get(box).show(spec, text, scene, drawing);
}

/** Stop, when the animation leaves the page. */
export function remove({ parentElement }) {
  const box = parentElement.querySelector(".motion");
  players.get(box)?.end();
  players.delete(box);
}

class Player {
  constructor(box) {
    this.box = box;
    box.innerHTML = `<h3></h3><div class="stage" role="img"></div>
      <div class="controls" role="group" aria-label="Animation"><button type="button" class="play"></button>
      <button type="button" class="back" aria-label="Step back" title="Step back"></button>
      <input type="range" min="0" step="1" aria-label="Step"><button type="button" class="forward"
      aria-label="Step forward" title="Step forward"></button><select aria-label="Speed">${SPEEDS.map(
        (each) => `<option value="${each}"${each === 1 ? " selected" : ""}>${each}×</option>`).join("")}</select></div>
      <p class="caption"></p><div class="meter"></div><p class="note"></p><p class="spoken" aria-live="polite"></p>`;
    for (const name of ["stage", "meter", "caption", "play", "back", "forward", "note", "spoken"]) {
      this[name] = box.querySelector(`.${name}`);
    }
    [this.title, this.range, this.speed] = ["h3", "input", "select"].map((each) => box.querySelector(each));
    this.time = 0;
    this.goal = null; // where the time moves after a step or a scrub
    this.playing = false;
    this.listen();
  }

  listen() {
    this.play.onclick = () => this.toggle();
    this.back.onclick = () => this.step(-1);
    this.forward.onclick = () => this.step(1);
    this.range.oninput = () => this.move(Number(this.range.value));
    this.box.onkeydown = (event) => this.key(event);
    let start = null; // of a gesture on the drawing: a tap plays or pauses, a horizontal stroke scrubs
    this.stage.onpointerdown = (event) => { start = { x: event.clientX, time: this.time, moved: false }; };
    this.stage.onpointermove = (event) => {
      if (!start) return;
      const way = event.clientX - start.x;
      start.moved ||= Math.abs(way) > 6;
      if (!start.moved) return;
      this.stage.setPointerCapture(event.pointerId);
      this.move(Math.round(start.time + (way / this.stage.clientWidth) * this.spec.steps), true);
    };
    this.stage.onpointerup = (event) => {
      // A value of the output shows the step that computes it.
      const value = event.target.closest("[data-step]");
      if (start && !start.moved) value ? this.move(Number(value.dataset.step)) : this.toggle();
      start = null;
    };
    this.stage.onpointercancel = () => { start = null; };
    this.resized = new ResizeObserver(() => this.layout());
    this.resized.observe(this.stage);
    // Paper shows the static picture.
    this.before = () => this.render(this.spec.twin);
    this.after = () => this.render(this.time);
    addEventListener("beforeprint", this.before);
    addEventListener("afterprint", this.after);
  }

  end() {
    positions.set(this.spec.name, this.time);
    this.pause();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.resized.disconnect();
    removeEventListener("beforeprint", this.before);
    removeEventListener("afterprint", this.after);
  }

  show(spec, text, scene, drawing) {
    if (text === this.text) return;
    const former = this.spec;
    Object.assign(this, { spec, text, scene, drawing, width: 0 });
    if (former?.name === spec.name) this.time *= spec.steps / former.steps;
    else {
      if (former) positions.set(former.name, this.time);
      this.time = this.playing ? 0 : Math.min(positions.get(spec.name) ?? spec.twin, spec.steps);
    }
    if (!this.playing) this.time = Math.round(this.time);
    this.goal = null;
    this.range.max = spec.steps;
    this.title.textContent = spec.title;
    this.note.textContent = spec.note;
    this.stage.setAttribute("aria-label", spec.alt);
    this.drawMeter();
    this.label();
    this.layout();
  }

  layout() {
    const width = Math.round(this.stage.clientWidth);
    if (!this.spec || !width || width === this.width) return;
    this.width = width;
    this.stage.replaceChildren();
    // Scenes draw at the usual size of type; a page with larger type shows them enlarged.
    const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    this.update = this.scene(this.drawing, this.stage, this.spec, Math.round(width / scale));
    this.render(this.time);
  }

  // --- Time -------------------------------------------------------------------------------------------------------

  toggle() {
    if (this.playing) return this.pause();
    if (this.time >= this.spec.steps) this.time = 0;
    this.goal = null;
    this.playing = true;
    this.label();
    this.run();
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.time = Math.min(this.spec.steps, Math.ceil(this.time));
    this.label();
    this.render(this.time);
    this.speak();
  }

  step(by) {
    const from = this.goal ?? this.time;
    this.move(by > 0 ? Math.floor(from) + 1 : Math.ceil(from) - 1);
  }

  /** Move to a step, through the states between unless motion is reduced or `direct`. */
  move(step, direct = false) {
    this.playing = false;
    this.label();
    this.goal = clamp(step, 0, this.spec.steps);
    if (direct || calm.matches) this.time = this.goal;
    this.run();
    this.speak();
  }

  run() {
    if (this.frame) return;
    let last = performance.now();
    const next = (now) => {
      this.frame = 0;
      const passed = Math.min(0.25, (now - last) / 1000);
      last = now;
      if (!this.box.isConnected) return this.end();
      if (this.playing) this.advance(passed);
      else if (this.goal !== null) this.approach(passed);
      this.render(this.time);
      if (this.playing || this.goal !== null) this.frame = requestAnimationFrame(next);
    };
    this.frame = requestAnimationFrame(next);
  }

  advance(passed) {
    const time = (this.exact ?? this.time) + (passed * Number(this.speed.value)) / this.pace();
    this.exact = time < this.spec.steps ? time : null;
    // Reduced motion: one state after another, nothing between.
    this.time = Math.min(this.spec.steps, calm.matches ? Math.floor(time) : time);
    if (time >= this.spec.steps) {
      this.playing = false;
      this.label();
      this.speak();
    }
    if (!calm.matches) this.exact = null;
  }

  approach(passed) {
    const way = this.goal - this.time, reach = passed * Math.max(4, Math.abs(way) * 12);
    this.time = Math.abs(way) <= reach ? this.goal : this.time + Math.sign(way) * reach;
    if (this.time === this.goal) this.goal = null;
  }

  /** Return the seconds of a step: a whole animation takes half a minute at most. */
  pace() {
    return Math.min(this.update?.seconds ?? 0.5, Math.max(30 / this.spec.steps, 0.08));
  }

  key(event) {
    const inside = event.target;
    if (inside === this.speed || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === " " && inside.tagName !== "BUTTON") this.toggle();
    else if (steps) this.step(steps);
    else return;
    event.preventDefault();
  }

  // --- Drawing ----------------------------------------------------------------------------------------------------

  render(time) {
    if (!this.update) return;
    const now = state(this.spec, time);
    this.update(now);
    this.fillMeter(now);
    write(this.caption, now.caption);
    if (document.activeElement !== this.range || !this.playing) this.range.value = Math.round(time);
    this.range.style.setProperty("--done", `${(100 * time) / this.spec.steps}%`);
    if (!this.playing) this.range.setAttribute("aria-valuetext", this.words(now));
  }

  words(now) {
    const counted = this.spec.tracks.length ? `, ${number(now.counts[now.track])} multiplications` : "";
    return `Step ${now.done} of ${this.spec.steps}${counted}`;
  }

  label() {
    const name = this.playing ? "Pause" : "Play";
    if (this.play.textContent !== name) this.play.textContent = name;
    this.play.classList.toggle("running", this.playing);
  }

  /** Report the state to screen readers, after the last of several moves, and never while it plays. */
  speak() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.playing) return;
      const now = state(this.spec, this.goal ?? this.time);
      write(this.spoken, `${this.words(now)}. ${now.caption}`);
    }, 500);
  }

  drawMeter() {
    const unit = Object.assign(document.createElement("span"), { className: "unit", textContent: "Multiplications so far" });
    this.meter.replaceChildren(...(this.spec.tracks.length ? [unit] : []), ...this.spec.tracks.map((track, place) => {
      const row = document.createElement("div");
      row.className = track.live ? "track" : "track fixed";
      row.innerHTML = `<span class="name"></span><span class="bar"></span><span class="number"></span><span class="real"></span>`;
      row.children[0].textContent = track.label;
      if (track.real !== null) row.children[3].textContent = `yours: ${number(track.real)}`;
      const bars = this.spec.phases.filter((phase) => track.live && phase.track === place && phase.macs);
      row.children[1].append(...(track.live ? bars : [{}]).map(({ color }) => {
        const bar = document.createElement("i");
        if (color) bar.style.background = color;
        return bar;
      }));
      return row;
    }));
  }

  fillMeter(now) {
    const most = Math.max(1, ...this.spec.tracks.map((track) => track.total));
    this.spec.tracks.forEach((track, place) => {
      const [, bar, text] = this.meter.children[place + 1].children;
      const parts = track.live ? now.parts.filter((part) => part.track === place && part.macs) : [{ count: track.total }];
      parts.forEach((part, at) => { bar.children[at].style.width = `${(100 * part.count) / most}%`; });
      write(text, number(track.live ? now.counts[place] : track.total));
      text.dataset.total = track.live ? `of ${number(track.total)}` : "in total";
    });
  }
}

/** Return what is done at a time: steps, the phase, its step, how far things have moved, and all counts. */
export function state(spec, time) {
  const done = Math.floor(time), part = time - done;
  // At rest, the step that was just completed is shown.
  const current = clamp(part ? done : done - 1, 0, spec.steps - 1);
  const phase = Math.max(0, spec.phases.findLastIndex((each) => each.start <= current));
  const moved = part ? clamp(part / SLIDE, 0, 1) : 1;
  const product = part ? clamp((part - SLIDE) / (1 - SLIDE), 0, 1) : Number(done > 0);
  const parts = spec.phases.map(({ start, steps, macs, track }) => {
    const full = clamp(done - start, 0, steps);
    const begun = part && done >= start && done < start + steps ? Math.floor(product * macs) : 0;
    return { track, macs, count: full * macs + begun };
  });
  const counts = spec.tracks.map((_, place) =>
    parts.reduce((sum, each) => (each.track === place ? sum + each.count : sum), 0));
  const at = time >= spec.steps ? spec.steps : current;
  const caption = spec.captions.findLast(([start]) => start <= at)?.[1] ?? "";
  const step = current - spec.phases[phase].start;
  return { time, done, part, current, phase, step, moved, product, parts, counts, caption, track: spec.phases[phase].track };
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
