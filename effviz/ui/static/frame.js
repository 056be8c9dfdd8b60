// The frame of a page in the browser: the behavior of menus that open over the page.

export async function draw({ data, setTriggerValue }, takeaway, pictures) {
  document.onclick = (event) => {
    closeChips((chip) => !chip.contains(event.target));
    follow(event);
  };
  document.onkeydown = (event) => { if (event.key === "Escape") closeChips(() => true); };
  repairElements();
  // Charts follow the window only, but present mode changes the room in it.
  requestAnimationFrame(() => window.dispatchEvent(new Event("resize")));
  (await import(takeaway)).offer(data, setTriggerValue, pictures);
}

/**
 * Follow a link of a lesson to an element of the page, which has no id but the class of its key, or a card's key. If the
 * link names one of several parts, open that part.
 */
function follow(event) {
  const link = event.target.closest?.(".st-key-lesson a[href^='#']");
  if (!link) return;
  // The address would keep the name of the element.
  event.preventDefault();
  const key = link.getAttribute("href").slice(1);
  const place = document.querySelector(`.st-key-${key}, [data-key="${key}"]`);
  // The page may not be drawn yet.
  if (!place) return;
  place.tabIndex = -1;
  place.dataset.target = "";
  place.scrollIntoView();
  place.focus({ preventScroll: true });
  const name = link.textContent.replaceAll('"', "");
  [...place.querySelectorAll("[role=radio]")].find((part) => part.textContent.trim() === name)?.click();
}

/** Close what opens over the page, as a menu does, where `leaves` says so. */
function closeChips(leaves) {
  for (const chip of document.querySelectorAll(".st-key-convention details[open]")) {
    if (leaves(chip)) chip.querySelector("summary").click();
  }
  for (const menu of document.querySelectorAll(".takeaway[open], .latency details[open]")) {
    if (!leaves(menu)) continue;
    const inside = menu.contains(document.activeElement);
    menu.open = false;
    if (inside) menu.querySelector("summary").focus();
  }
}

/** Add buttons for one step to a slider, for fingers, which cannot set it finely. The style sheet shows them. */
function addSteps(slider) {
  const inputs = slider.querySelectorAll("input[type=range]");
  if (inputs.length !== 1) return;
  const name = inputs[0].getAttribute("aria-label") ?? "";
  // The same slider can get another name.
  for (const button of slider.querySelectorAll(".step")) {
    const label = `${button.value} ${name}`.trim();
    if (button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
  }
  if (slider.querySelector(".step")) return;
  // For the style sheet: a selector with :has() would make Chromium restyle the page at each text of a chart.
  slider.dataset.steps = "";
  for (const [key, sign, verb] of [["ArrowLeft", "\u2212", "Decrease"], ["ArrowRight", "+", "Increase"]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = `step ${verb.toLowerCase()}`;
    button.textContent = sign;
    button.value = verb;
    button.setAttribute("aria-label", `${verb} ${name}`.trim());
    // The slider follows its own keys, and the page follows the slider that has the focus.
    button.onclick = () => {
      const input = slider.querySelector("input[type=range]");
      input.focus({ preventScroll: true });
      input.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    };
    slider.append(button);
  }
}

/**
 * On a phone, keep only the control and the first two numbers in view: the page scrolls over what is below them. The
 * block keeps its height, so that nothing jumps.
 */
function shrinkInstrument(main) {
  const shrink = () => {
    if (!matchMedia("(max-width: 640px)").matches) return;
    const inside = main.querySelector(".st-key-instrument"), block = inside?.parentElement;
    let next = block?.nextElementSibling;
    while (next && !next.getClientRects().length) next = next.nextElementSibling;
    if (!next) return;
    const { bottom } = block.getBoundingClientRect();
    const kept = inside.querySelector(".goal, .card .change") ?? inside.firstElementChild;
    const hidden = bottom - kept.getBoundingClientRect().bottom - 4;
    const gap = parseFloat(getComputedStyle(block.parentElement).rowGap) || 0;
    const past = Math.max(0, Math.min(hidden, bottom + gap - next.getBoundingClientRect().top));
    block.toggleAttribute("data-past", past > 0.5);
    block.style.setProperty("--past", `${past}px`);
  };
  if (!main) return;
  // The block has another height when its numbers or the goal change.
  shrink();
  if (main.dataset.shrinks) return;
  main.dataset.shrinks = "true";
  main.addEventListener("scroll", shrink, { passive: true });
}

// A table that is wider than the window scrolls sideways.
const SCROLLING = "[data-testid=stDataFrame] .dvn-scroller";

/** Mark a box as long as it has more to the right: the style sheet fades its edge. */
function markMore(scroller) {
  if (scroller.dataset.watched) return;
  scroller.dataset.watched = "true";
  const box = scroller.closest("[data-testid=stDataFrame]");
  const mark = () => {
    box.toggleAttribute("data-more", scroller.scrollLeft + scroller.clientWidth < scroller.scrollWidth - 2);
  };
  scroller.addEventListener("scroll", mark, { passive: true });
  const sizes = new ResizeObserver(mark);
  [scroller, ...scroller.children].forEach((each) => sizes.observe(each));
}

/**
 * Add what elements of Streamlit lack for a reader without a pointer: on a phone, the navigation has its sections in a
 * list, where only entries are legal, and no key scrolls code that is wider than the screen.
 */
function repairElements() {
  const repair = () => {
    const list = document.querySelector("[data-testid=stSidebarNavItems]:not([role])");
    list?.setAttribute("role", "group");
    for (const item of list?.querySelectorAll("li") ?? []) item.setAttribute("role", "none");
    for (const code of document.querySelectorAll("[data-testid=stCode] pre:not([tabindex])")) code.tabIndex = 0;
    document.querySelectorAll(SCROLLING).forEach(markMore);
    document.querySelectorAll("[data-testid=stSlider]").forEach(addSteps);
    shrinkInstrument(document.querySelector("[data-testid=stMain]"));
  };
  repair();
  const app = document.querySelector("[data-testid=stApp]");
  if (!app || app.dataset.repaired) return;
  app.dataset.repaired = "true";
  new MutationObserver(repair).observe(app, { childList: true, subtree: true });
}
