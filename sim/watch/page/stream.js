// The picture as it comes from the server: the whole first, then JSON merge patches (RFC 7396).

/** The target with the patch in it. What the patch does not touch stays the same object, so `===` finds what changed. */
export function merged(target, patch) {
  if (!isObject(patch)) return patch;
  const result = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Follows the picture. `show` gets each one, `link` whether the server is there. */
export function follow(token, show, link) {
  let picture = {};
  const source = new EventSource(`/events?token=${encodeURIComponent(token)}`);
  source.addEventListener("open", () => {
    picture = {}; // Each connection begins with the whole.
    link(true);
  });
  source.addEventListener("message", (event) => {
    const patch = JSON.parse(event.data);
    if (Object.keys(patch).length === 0) return;
    picture = merged(picture, patch);
    show(picture);
  });
  source.addEventListener("error", () => link(false));
}

/** Asks the server. Throws an Error with its reason if it refuses. */
export async function ask(token, method, path, body) {
  const headers = { "X-Sim-Token": token };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const document = await answer.json();
  if (!answer.ok) throw new Error(document.error);
  return document;
}
