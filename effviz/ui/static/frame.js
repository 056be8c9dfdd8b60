// The frame of a page in the browser: the behavior of menus that open over the page.

export async function draw({ data, setTriggerValue }, takeaway, pictures) {
  document.onclick = (event) => closeChips((chip) => !chip.contains(event.target));
  document.onkeydown = (event) => { if (event.key === "Escape") closeChips(() => true); };
  repairElements();
  // Charts follow the window only, but present mode changes the room in it.
  requestAnimationFrame(() => window.dispatchEvent(new Event("resize")));
  (await import(takeaway)).offer(data, setTriggerValue, pictures);
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
  };
  repair();
  const app = document.querySelector("[data-testid=stApp]");
  if (!app || app.dataset.repaired) return;
  app.dataset.repaired = "true";
  new MutationObserver(repair).observe(app, { childList: true, subtree: true });
}
