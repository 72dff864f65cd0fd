// The way of a request: clients, load balancers, services; in the pipeline also the queue, the worker and the bucket.

import { attribute, duration, element, find, keyed, number, text } from "./dom.js";
import { hue, shape } from "./marks.js";

const WORDS = { "2xx": "good", "3xx": "redirected", "4xx": "refused", "5xx": "failed", none: "no answer" };
const POINTS = 120;
const seconds = [];
let shown = {};
let latest = {};

/** `open` gets the name of a service that was clicked. */
export function flow(picture, open) {
  latest = picture;
  const changed = (name) => picture[name] !== shown[name];
  if (changed("entries")) entries(picture.entries);
  if (changed("groups")) groups(picture.groups);
  if (picture.queue && changed("queue")) queue(picture.queue);
  if (picture.dead_letters && changed("dead_letters")) dead(picture.dead_letters);
  if (picture.bucket && changed("bucket")) bucket(picture.bucket);
  if (changed("services") || changed("versions") || changed("entries")) services(picture, open);
  attribute(find("#flow"), "data-kind", picture.queue ? "pipeline" : "project");
  const grouped = Object.keys(picture.groups).length > 0;
  attribute(find("#flow"), "data-grouped", grouped ? "yes" : null);
  for (const part of document.querySelectorAll("[data-of=groups]")) part.hidden = !grouped;
  shown = picture;
}

/** What changes with the time alone: called once a second. */
export function tick() {
  if (shown.entries === undefined) return;
  seconds.push(sum(Object.values(shown.entries).map(total)));
  if (seconds.length > POINTS) seconds.shift();
  sparkline();
  age();
}

const sum = (numbers) => numbers.reduce((all, each) => all + each, 0);
const total = (entry) => sum(Object.values(entry.rates));
const failed = (entry) => entry.rates["5xx"] + entry.rates.none;

function value(name, given) {
  text(find(`[data-value="${CSS.escape(name)}"]`), number(given));
}

function entries(now) {
  const all = Object.values(now);
  const named = all.length > 1 || all.some((each) => each.kind === "Application Load Balancer");
  keyed(find("#entries"), Object.entries(now).map(([name, each]) => [name, { ...each, named }]), makeEntry, updateEntry);
  value("entry.rate", sum(all.map(total)));
  for (const name of ["clients", "entry"]) wire(name, sum(all.map(total)), sum(all.map(failed)));
}

function makeEntry(name) {
  const made = makeTargets("entry", name);
  made.querySelector(".big").append(element("small", {}, " in service"));
  made.querySelector(".big").after(element("p", { className: "small lines urls" }), element("p", { className: "small lines own" }));
  return made;
}

function updateEntry(place, now, name) {
  const balancer = now.kind !== "no load balancer";
  text(place.querySelector("h2"), balancer ? `Load balancer${now.named ? ` ${now.name}` : ""}` : "Entry");
  place.querySelector("h2").title = now.kind;
  updateTargets(place, now.in_service, now.registered, now.rates);
  const urls = Object.entries(now.urls).map(([port, url]) => (port ? `port ${port}: ${url.replace(/^\w+:\/\//, "")}` : url));
  lines(place.querySelector(".urls"), urls);
  lines(place.querySelector(".own"), now.own);
}

function groups(now) {
  keyed(find("#groups"), Object.entries(now), makeGroup, updateGroup);
  const all = Object.values(now);
  wire("groups", sum(all.map(total)), sum(all.map(failed)));
}

function makeGroup(name) {
  const made = makeTargets("group", name);
  made.querySelector(".big").append(element("small", {}, " healthy"));
  made.querySelector(".big").after(element("p", { className: "small states" }), element("p", { className: "small lines from" }));
  return made;
}

function updateGroup(place, now, name) {
  text(place.querySelector("h2"), `Target group ${name}`);
  updateTargets(place, now.healthy, now.registered, now.rates);
  if (now.led_to.length === 0) attribute(place, "data-health", null);
  const others = Object.entries(now.states).filter(([state]) => state !== "healthy").map(([state, count]) => `${count} ${state}`);
  text(place.querySelector(".states"), others.join(", "));
  lines(place.querySelector(".from"), now.led_to.length ? now.led_to.map((each) => `from ${each}`) : ["no listener uses it"]);
}

/** A card of something that has targets and counts requests; `kind` names it in the document. */
function makeTargets(kind, name) {
  const of = kind === "group" ? `targetgroup/${name}` : name;
  const made = element("div", { className: "node plain", [`data-${kind}`]: name });
  made.innerHTML = `
    <div class="name"><svg aria-hidden="true"><use href="#balancer"/></svg><h2></h2></div>
    <p class="big"><span class="in-service"></span><small> of <span class="registered"></span></small></p>
    <div class="bar" aria-hidden="true"></div>
    <ul class="rates" aria-label="Answers a second by status"></ul>`;
  made.querySelector(".in-service").dataset.value = `${of}.in_service`;
  made.querySelector(".registered").dataset.value = `${of}.registered`;
  return made;
}

function updateTargets(place, good, registered, rates) {
  text(place.querySelector(".in-service"), number(good));
  text(place.querySelector(".registered"), number(registered));
  attribute(place, "data-health", good === 0 ? "bad" : good < registered ? "starting" : "good");
  const items = Object.entries(rates).filter(([status, rate]) => rate > 0 || status === "2xx").map(([status, rate]) => [status, { status, rate }]);
  keyed(place.querySelector(".rates"), items, (status) => element("li", { className: `status-${status}` }), (child, item) => {
    text(child, `${item.status} ${WORDS[item.status]} ${number(item.rate)}/s`);
  });
  keyed(place.querySelector(".bar"), items.filter(([, item]) => item.rate > 0), (status) => element("span", { className: `status-${status}` }), (child, item) => {
    child.style.flexGrow = item.rate;
  });
}

function lines(place, all) {
  keyed(place, all.map((words) => [words, words]), () => element("span"), (child, words) => text(child, words));
}

function queue(now) {
  value("queue.visible", now.visible);
  value("queue.in_flight", now.in_flight);
  attribute(find("#node-queue"), "data-health", now.visible > 1000 ? "bad" : now.visible > 100 ? "starting" : "good");
  age();
}

function age() {
  const counted = (latest.bucket ?? {}).as_of;
  text(find("#bucket-age"), counted ? `, counted ${duration(Date.now() / 1000 - counted)} ago` : "");
  const since = shown.queue?.busy_since;
  text(find("#queue-age"), since ? `, busy for ${duration(Date.now() / 1000 - since)}` : "");
}

function dead(now) {
  const there = now.visible + now.in_flight;
  value("dead_letters.visible", there);
  attribute(find("#node-dead"), "data-health", there > 0 ? "bad" : "good");
}

function bucket(now) {
  value("bucket.objects", now.objects);
  value("bucket.rate", now.rate);
  age();
  wire("worker", now.rate, 0);
}

const CALLED = { api: ["SendMessageBatch", "SendMessage"], worker: ["ReceiveMessage"] };
const TITLES = { api: "API", worker: "Worker" };

/** Those of the pipeline before and behind the queue; those of a project together, the ones behind a load balancer first. */
function services(picture, open) {
  const pipeline = picture.queue !== undefined;
  const items = Object.entries(picture.services).map(([name, service]) => [name, { service, versions: picture.versions, pipeline }]);
  const second = (name) => pipeline && name === "worker";
  items.sort(([one, a], [other, b]) => (b.service.behind.length > 0) - (a.service.behind.length > 0) || one.localeCompare(other));
  for (const [place, mine] of [["#first-services", (name) => !second(name)], ["#second-services", second]]) {
    keyed(find(place), items.filter(([name]) => mine(name)), (name) => makeService(name, open), updateService);
  }
  if (pipeline) for (const [name, { service }] of items) flows(name, service);
}

function makeService(name, open) {
  const made = element("button", { type: "button", className: "node", id: `node-${name}` });
  made.innerHTML = `
    <span class="name"><svg aria-hidden="true"><use href="#service"/></svg><span class="title"></span></span>
    <span class="big"><span class="healthy"></span><small> of <span class="desired"></span> healthy</small></span>
    <span class="small behind"></span><span class="tags"></span><span class="small rollout"></span><span class="small calls"></span>`;
  made.querySelector(".healthy").dataset.value = `${name}.healthy`;
  made.querySelector(".desired").dataset.value = `${name}.desired`;
  made.addEventListener("click", () => open(name));
  return made;
}

function updateService(place, { service, versions, pipeline }, name) {
  text(place.querySelector(".title"), (pipeline && TITLES[name]) || name);
  text(place.querySelector(".healthy"), number(service.healthy));
  text(place.querySelector(".desired"), number(service.desired));
  text(place.querySelector(".behind"), pipeline ? "" : service.behind.length ? `behind ${service.behind.join(", ")}` : "behind no load balancer");
  const tags = Object.entries(service.versions).map(([version, count]) => [version, { version, count, number: versions[version] }]);
  keyed(place.querySelector(".tags"), tags, () => element("span", { className: "tag" }), (child, item) => {
    attribute(child, "data-hue", hue(item.number));
    text(child, `${shape(item.number)} ${item.version}${item.count > 1 ? ` ×${item.count}` : ""}`);
  });
  text(place.querySelector(".rollout"), service.rollout ? `rolling out ${service.rollout}` : "");
  text(place.querySelector(".calls"), service.failing > 0 ? `${number(service.failing)} AWS calls/s fail` : "");
  attribute(place, "data-health", service.healthy === 0 && service.desired > 0 ? "bad" : service.healthy < service.desired || service.rollout ? "starting" : "good");
  attribute(place, "data-failing", service.failing > 0 ? "yes" : null);
}

/** Where nobody counts the calls of a service, requests and stored e-mails show that something flows. */
function flows(name, service) {
  const uncounted = name === "api" ? sum(Object.values(latest.entries).map(total)) : latest.bucket.rate;
  const counted = Object.keys(service.calls).length > 0;
  const calls = counted ? sum((CALLED[name] ?? []).map((call) => service.calls[call] ?? 0)) : uncounted;
  wire(name === "api" ? "api" : "queue", calls, service.failing);
}

function wire(name, rate, failing) {
  const place = find(`#wire-${name}`);
  attribute(place, "data-flows", rate > 0.05 ? (failing > 0.05 ? "failing" : "yes") : "no");
  place.style.setProperty("--speed", `${Math.max(0.35, 2 - Math.log10(1 + rate)).toFixed(2)}s`);
}

function sparkline() {
  const most = Math.max(1, ...seconds);
  const points = seconds.map((rate, index) => `${((POINTS - seconds.length + index) / (POINTS - 1)) * 120},${30 - (rate / most) * 27}`);
  const line = `M${points.join("L")}`;
  const first = points[0].split(",")[0];
  attribute(find("#spark .line"), "d", line);
  attribute(find("#spark .area"), "d", `${line}L120,32L${first},32Z`);
}
