// Zones, the instances in them, and the tasks on these.

import { attribute, element, find, keyed, text } from "./dom.js";
import { hue, mark, shape, word } from "./marks.js";

const MANY = 60;
const NOWHERE = "";
let shown = {};

/** `open` gets the kind and the name of what was clicked. */
export function places(picture, open) {
  const same = ["instances", "tasks", "versions"].every((name) => picture[name] === shown[name]);
  if (same) return;
  shown = picture;
  const of = new Map(Object.keys(picture.instances).map((name) => [name, []]));
  for (const [id, task] of Object.entries(picture.tasks)) {
    const place = of.has(task.instance) ? task.instance : NOWHERE;
    if (!of.has(place)) of.set(place, []);
    of.get(place).push([id, task]);
  }
  const zones = new Map();
  for (const [name, instance] of Object.entries(picture.instances)) add(zones, instance.zone, [name, { instance, tasks: of.get(name) }]);
  if (of.has(NOWHERE)) add(zones, "not placed yet", [NOWHERE, { instance: null, tasks: of.get(NOWHERE) }]);
  const root = find("#zones");
  attribute(document.documentElement, "data-many", Object.keys(picture.tasks).length > MANY ? "yes" : null);
  const entries = [...zones].sort(([one], [other]) => one.localeCompare(other)).map(([zone, instances]) => [zone, { zone, instances }]);
  const can = picture.acts.includes("lose-zone");
  keyed(root, entries, (zone) => makeZone(zone, can, open), (child, item) => {
    const sorted = item.instances.sort(([one], [other]) => one.localeCompare(other));
    keyed(child.querySelector(".instances"), sorted, (name) => makeInstance(name, open), (card, each, name) => {
      updateInstance(card, each, name, picture.versions, open);
    });
  });
}

function add(map, key, value) {
  if (!map.has(key)) map.set(key, []);
  map.get(key).push(value);
}

function makeZone(zone, can, open) {
  const head = element("div", { className: "zone-head" }, element("h3", {}, zone || "This machine"));
  if (can && zone !== "not placed yet") {
    const lose = element("button", { type: "button", className: "quiet" , "aria-label": `Lose zone ${zone}` }, "lose zone");
    lose.addEventListener("click", () => open("zone", zone));
    head.append(lose);
  }
  return element("div", { className: "zone", "data-zone": zone }, head, element("div", { className: "instances" }));
}

function makeInstance(name, open) {
  const head = element("button", { type: "button", className: "instance-head" }, element("span", { className: "id" }), element("span", { className: "badges" }));
  head.addEventListener("click", () => open("instance", name));
  return element("div", { className: "instance", "data-instance": name }, head, element("div", { className: "tasks" }));
}

function updateInstance(card, { instance, tasks }, name, versions, open) {
  const before = card.item?.instance;
  if (instance === null) {
    card.querySelector(".instance-head").hidden = true;
  } else if (instance !== before) {
    const head = card.querySelector(".instance-head");
    head.hidden = instance.zone === ""; // Without a cluster: there is nothing to do to this machine.
    text(card.querySelector(".id"), name);
    const badges = [];
    if (instance.state) badges.push([instance.state, { words: `${mark(instance.health)} ${instance.state}`, kind: instance.lost ? "bad" : "wait" }]);
    const several = Object.keys(instance.balancers).length > 1;
    for (const [balancer, { state, reason }] of Object.entries(instance.balancers)) {
      const serves = state === "InService";
      const words = `${serves ? "in" : "out of"} service${several ? ` of ${balancer}` : ""}`;
      badges.push([`balancer ${balancer}`, { words: `${serves ? "✓" : "✕"} ${words}`, kind: serves ? "good" : "bad", title: reason }]);
    }
    keyed(card.querySelector(".badges"), badges, () => element("span", { className: "badge" }), (child, item) => {
      text(child, item.words);
      attribute(child, "data-kind", item.kind);
      child.title = item.title ?? "";
    });
    attribute(card, "data-health", instance.health);
  }
  const sorted = tasks.sort(([one, a], [other, b]) => a.service.localeCompare(b.service) || one.localeCompare(other));
  keyed(card.querySelector(".tasks"), sorted, (id) => makeTask(id, open), (chip, task, id) => updateTask(chip, task, id, versions));
}

function makeTask(id, open) {
  const chip = element("button", { type: "button", className: "task", "data-task": id },
    element("span", { className: "shape", "aria-hidden": "true" }),
    element("span", { className: "service" }), " ", element("span", { className: "version" }), " ",
    element("span", { className: "mark", "aria-hidden": "true" }), element("span", { className: "unseen" }),
    element("span", { className: "more" }));
  chip.addEventListener("click", () => open("task", id));
  return chip;
}

function updateTask(chip, task, id, versions) {
  const number = versions[task.version];
  text(chip.querySelector(".shape"), shape(number));
  text(chip.querySelector(".service"), task.service);
  text(chip.querySelector(".version"), task.version);
  text(chip.querySelector(".mark"), mark(task.health));
  attribute(chip, "data-hue", hue(number));
  attribute(chip, "data-health", task.health);
  text(chip.querySelector(".unseen"), `${word(task.health)}, task ${id.slice(0, 8)}`);
  text(chip.querySelector(".more"), more(task).join(" · "));
  chip.title = `${task.state}\n${id}`;
}

/** What else there is to a task: a pause, its containers where there are several, the ports that target groups have. */
function more(task) {
  const containers = Object.entries(task.containers).map(([name, status]) => (status === "RUNNING" ? name : `${name} ${status.toLowerCase()}`));
  const targets = Object.entries(task.targets).map(([target, { state }]) => `port ${target.split(":").at(-1)} ${state}`);
  const paused = /^paused/.test(task.state) ? ["paused"] : [];
  return [...paused, ...(containers.length ? [containers.join(" + ")] : []), ...targets];
}
