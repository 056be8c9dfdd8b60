// Load another address, as a link does: the proxy chooses the server for a document, not for a websocket.

export function draw({ data }) {
  location.assign(data.address);
}
