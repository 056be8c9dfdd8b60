// The frame of a page in the browser: the behavior of menus that open over the page.

export async function draw({ data, setTriggerValue }, takeaway, pictures) {
  document.onclick = (event) => closeChips((chip) => !chip.contains(event.target));
  document.onkeydown = (event) => { if (event.key === "Escape") closeChips(() => true); };
  repairNavigation();
  // Charts follow the window only, but present mode changes the room in it.
  requestAnimationFrame(() => window.dispatchEvent(new Event("resize")));
  (await import(takeaway)).offer(data, setTriggerValue, pictures);
}

/** Close what opens over the page, as a menu does, where `leaves` says so. */
function closeChips(leaves) {
  for (const chip of document.querySelectorAll(".st-key-convention details[open]")) {
    if (leaves(chip)) chip.querySelector("summary").click();
  }
  for (const menu of document.querySelectorAll(".takeaway[open]")) {
    if (!leaves(menu)) continue;
    const inside = menu.contains(document.activeElement);
    menu.open = false;
    if (inside) menu.querySelector("summary").focus();
  }
}

/** On a phone, Streamlit writes the sections of the navigation into a list, where only entries are legal. */
function repairNavigation() {
  const repair = () => {
    const list = document.querySelector("[data-testid=stSidebarNavItems]:not([role])");
    list?.setAttribute("role", "group");
    for (const item of list?.querySelectorAll("li") ?? []) item.setAttribute("role", "none");
  };
  repair();
  const sidebar = document.querySelector("[data-testid=stApp]");
  if (!sidebar || sidebar.dataset.repaired) return;
  sidebar.dataset.repaired = "true";
  new MutationObserver(repair).observe(sidebar, { childList: true, subtree: true });
}
