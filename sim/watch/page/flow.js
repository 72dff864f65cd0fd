// The way of an e-mail: clients, load balancer, API, queue, worker, bucket.

import { attribute, duration, element, find, keyed, number, text } from "./dom.js";
import { hue, shape } from "./marks.js";

const WORDS = { "2xx": "good", "3xx": "redirected", "4xx": "refused", "5xx": "failed", none: "no answer" };
const POINTS = 120;
const seconds = [];
let shown = {};
let latest = {};

export function flow(picture) {
  latest = picture;
  if (picture.entry !== shown.entry) entry(picture.entry);
  if (picture.queue !== shown.queue) queue(picture.queue);
  if (picture.dead_letters !== shown.dead_letters) dead(picture.dead_letters);
  if (picture.bucket !== shown.bucket) bucket(picture.bucket);
  for (const name of ["api", "worker"]) {
    const service = picture.services[name];
    if (service !== shown.services?.[name] || picture.versions !== shown.versions || picture.entry !== shown.entry) {
      node(name, service, picture.versions);
    }
  }
  shown = picture;
}

/** What changes with the time alone: called once a second. */
export function tick() {
  if (shown.entry === undefined) return;
  seconds.push(total(shown.entry));
  if (seconds.length > POINTS) seconds.shift();
  sparkline();
  age();
}

const total = (entry) => Object.values(entry.rates).reduce((sum, rate) => sum + rate, 0);

function value(name, given) {
  text(find(`[data-value="${name}"]`), number(given));
}

function entry(now) {
  text(find("#entry-kind"), now.kind === "Classic ELB" ? "Load balancer" : "Entry");
  value("entry.rate", total(now));
  value("entry.in_service", now.in_service);
  value("entry.registered", now.registered);
  attribute(find("#node-entry"), "data-health", now.in_service === 0 ? "bad" : now.in_service < now.registered ? "starting" : "good");
  const rates = Object.entries(now.rates).filter(([kind, rate]) => rate > 0 || kind === "2xx");
  const items = rates.map(([kind, rate]) => [kind, { kind, rate }]);
  keyed(find("#rates"), items, (kind) => element("li", { className: `status-${kind}` }), (child, item) => {
    text(child, `${item.kind === "none" ? "none" : item.kind} ${WORDS[item.kind]} ${number(item.rate)}/s`);
  });
  keyed(find("#statuses"), items.filter(([, item]) => item.rate > 0), (kind) => element("span", { className: `status-${kind}` }), (child, item) => {
    child.style.flexGrow = item.rate;
  });
  wire("clients", total(now), now.rates["5xx"] + now.rates.none);
  wire("entry", total(now), now.rates["5xx"] + now.rates.none);
}

function queue(now) {
  value("queue.visible", now.visible);
  value("queue.in_flight", now.in_flight);
  attribute(find("#node-queue"), "data-health", now.visible > 1000 ? "bad" : now.visible > 100 ? "starting" : "good");
  age();
}

function age() {
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
  wire("worker", now.rate, 0);
}

const CALLED = { api: ["SendMessageBatch", "SendMessage"], worker: ["ReceiveMessage"] };

function node(name, service, versions) {
  const place = find(`#node-${name}`);
  if (service === undefined) {
    place.replaceChildren(element("span", { className: "small" }, `no ${name}`));
    return;
  }
  if (place.querySelector(".big") === null) {
    place.innerHTML = `
      <span class="name"><svg aria-hidden="true"><use href="#service"/></svg><span class="title"></span></span>
      <span class="big"><span data-value="${name}.healthy"></span><small> of <span data-value="${name}.desired"></span> healthy</small></span>
      <span class="tags"></span><span class="small rollout"></span><span class="small calls"></span>`;
    text(place.querySelector(".title"), name === "api" ? "API" : "Worker");
  }
  value(`${name}.healthy`, service.healthy);
  value(`${name}.desired`, service.desired);
  const tags = Object.entries(service.versions).map(([version, count]) => [version, { version, count, number: versions[version] }]);
  keyed(place.querySelector(".tags"), tags, () => element("span", { className: "tag" }), (child, item) => {
    attribute(child, "data-hue", hue(item.number));
    text(child, `${shape(item.number)} ${item.version}${item.count > 1 ? ` ×${item.count}` : ""}`);
  });
  text(place.querySelector(".rollout"), service.rollout ? `rolling out ${service.rollout}` : "");
  const failing = service.failing > 0 ? `${number(service.failing)} AWS calls/s fail` : "";
  text(place.querySelector(".calls"), failing);
  attribute(place, "data-health", service.healthy === 0 && service.desired > 0 ? "bad" : service.healthy < service.desired || service.rollout ? "starting" : "good");
  attribute(place, "data-failing", service.failing > 0 ? "yes" : null);
  // Where nobody counts the calls, requests and stored e-mails show that something flows.
  const uncounted = name === "api" ? total(latest.entry) : latest.bucket.rate;
  const counted = Object.keys(service.calls).length > 0;
  const calls = counted ? CALLED[name].reduce((sum, call) => sum + (service.calls[call] ?? 0), 0) : uncounted;
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
