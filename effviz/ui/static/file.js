// A file that the visitor has requested, saved by the browser when it arrives.

const saved = new Set();

export async function draw({ data }, pictures) {
  if (saved.has(data.time)) return; // the element is drawn again
  saved.add(data.time);
  const { save } = await import(pictures);
  save(data.name, new Blob([data.text], { type: `${data.type};charset=utf-8` }));
}
