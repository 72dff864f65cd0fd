// Faults that act, alarms, the time line, and the parts of the stack.

import { attribute, clock, element, find, keyed, text } from "./dom.js";
import { hue, mark, shape, word } from "./marks.js";

const KINDS = { deployment: "⇧", event: "·", fault: "⚡", alarm: "!", act: "☞" };
let shown = {};

export function side(picture, end) {
  const changed = (name) => picture[name] !== shown[name];
  if (changed("faults")) faults(picture.faults, picture.acts, end);
  if (changed("alarms")) alarms(picture.alarms);
  if (changed("moments")) moments(picture.moments);
  if (changed("parts")) parts(picture.parts);
  if (changed("versions") || changed("tasks")) legend(picture);
  shown = picture;
}

function faults(now, acts, end) {
  const entries = Object.entries(now);
  text(find("#faults-count"), entries.length || "");
  find("#no-faults").hidden = entries.length > 0;
  keyed(find("#faults"), entries, (name) => {
    const button = element("button", { type: "button", className: "quiet" }, "end");
    const made = element("li", {}, element("span", { className: "what" }, element("b"), element("small")), button);
    button.addEventListener("click", () => end(made.item.end));
    button.setAttribute("aria-label", `End ${name}`);
    return made;
  }, (child, fault) => {
    text(child.querySelector("b"), `⚡ ${fault.title}`);
    text(child.querySelector("small"), fault.detail);
    child.querySelector("button").hidden = !acts.includes(fault.end.act);
  });
}

const ORDER = { ALARM: 0, INSUFFICIENT_DATA: 1, OK: 2 };
const ALARMS = { ALARM: "! alarm", INSUFFICIENT_DATA: "? no data yet", OK: "✓ ok" };

function alarms(now) {
  const entries = Object.entries(now).filter(([, alarm]) => !alarm.scales);
  find("#alarms-section").hidden = entries.length === 0;
  const loud = entries.filter(([, alarm]) => alarm.state === "ALARM");
  text(find("#alarms-count"), loud.length || "");
  const sorted = entries.sort(([one, a], [other, b]) => ORDER[a.state] - ORDER[b.state] || one.localeCompare(other));
  const prefix = common(sorted.map(([name]) => name));
  keyed(find("#alarms"), sorted, () => element("li", {}, element("span"), element("b")), (child, alarm, name) => {
    text(child.querySelector("span"), name.slice(prefix));
    text(child.querySelector("b"), ALARMS[alarm.state]);
    attribute(child, "data-state", alarm.state);
    child.title = alarm.reason;
  });
}

/** How many letters, up to a hyphen, all names begin with. */
function common(names) {
  if (names.length < 2) return 0;
  let length = 0;
  while (names.every((name) => name[length] !== undefined && name[length] === names[0][length])) length += 1;
  return names[0].lastIndexOf("-", length - 1) + 1;
}

function moments(now) {
  const entries = Object.entries(now).sort(([, a], [, b]) => b.at - a.at);
  keyed(find("#moments"), entries, () => element("li", {}, element("time"), element("span", { className: "sign", "aria-hidden": "true" }), element("span", { className: "words" })), (child, moment) => {
    text(child.querySelector("time"), clock(moment.at));
    text(child.querySelector(".sign"), KINDS[moment.kind]);
    text(child.querySelector(".words"), moment.text);
    child.title = moment.text;
    attribute(child, "data-kind", moment.kind);
    attribute(child, "data-bad", moment.bad ? "yes" : null);
  });
}

function parts(now) {
  keyed(find("#parts"), Object.entries(now), () => element("span", { className: "part" }), (child, part, name) => {
    text(child, `${mark(part.health)} ${name} ${part.health === "good" ? "runs" : word(part.health)}`);
    attribute(child, "data-health", part.health);
    child.title = part.detail;
  });
}

function legend(picture) {
  const running = new Set(Object.values(picture.tasks).map((task) => task.version));
  const entries = Object.entries(picture.versions).filter(([version]) => running.has(version)).map(([version, number]) => [version, number]);
  keyed(find("#versions"), entries, () => element("span", { className: "tag" }), (child, number, version) => {
    text(child, `${shape(number)} ${version}`);
    attribute(child, "data-hue", hue(number));
  });
}
