// The page: takes the token of the link, follows the picture, and shows what has changed.

import { Dialogs } from "./dialogs.js";
import { find, text } from "./dom.js";
import { flow, tick } from "./flow.js";
import { places } from "./places.js";
import { side } from "./side.js";
import { follow } from "./stream.js";

const KEPT = "sim-watch-token";

/** The token of the link. It leaves the address bar, and stays for a reload of this tab. */
function token() {
  if (location.hash.length > 1) {
    sessionStorage.setItem(KEPT, location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEPT) ?? "";
}

const given = token();
const dialogs = new Dialogs(given);
let next = null;

function show(picture) {
  // A browser that is busy shows the newest picture, not each.
  if (next === null) requestAnimationFrame(render);
  next = picture;
}

function render() {
  const picture = next;
  next = null;
  const pipeline = picture.queue !== undefined;
  text(find("#title"), pipeline ? "The e-mail pipeline" : `The cluster ${picture.cluster}`);
  text(find("#target"), { process: "as processes", docker: "as containers", compose: "in compose", cluster: "on a cluster" }[picture.target] ?? "");
  for (const part of document.querySelectorAll("[data-of=pipeline]")) part.hidden = !pipeline;
  flow(picture, (name) => dialogs.open("service", name));
  places(picture, (kind, name) => dialogs.open(kind, name));
  side(picture, (end) => dialogs.act(end));
  dialogs.update(picture);
  banner(picture.ended ? `The stack has ended: ${picture.ended}` : picture.trouble && `Something does not answer, so this may be old: ${picture.trouble}`);
}

function banner(words) {
  find("#banner").hidden = !words;
  text(find("#banner"), words || "");
}

function link(there) {
  document.documentElement.dataset.link = there ? "live" : "lost";
  text(find("#link-text"), there ? "live" : "not connected");
}

setInterval(tick, 1000);
if (given) follow(given, show, link);
else banner("Open the link that `sim up` or `sim watch` has printed: it has the token of this run.");
