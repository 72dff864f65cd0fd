// What opens by a click: a task, an instance, a service, a zone, a fault. Dangerous acts ask first.

import { ask } from "./stream.js";
import { element, find, text } from "./dom.js";
import { mark, word } from "./marks.js";

const LOG_SECONDS = 2;

export class Dialogs {
  #token;
  #picture = {};
  #opened = 0;
  #open = null;
  #versions = {}; // of each service, all that were seen

  constructor(token) {
    this.#token = token;
    for (const button of document.querySelectorAll("dialog .close[type=button]")) {
      button.addEventListener("click", () => button.closest("dialog").close());
    }
    find("#detail").addEventListener("close", () => {
      this.#open = null;
      this.#opened += 1;
    });
    find("#break").addEventListener("click", () => this.#askForFault());
    find("#fault-form").elements.fault.addEventListener("change", () => this.#fieldsOfFault());
    find("#fault").addEventListener("close", () => this.#inject());
    find("#restore").addEventListener("click", () => this.act({ act: "restore" }));
    find("#nat").addEventListener("click", () => this.#askAndAct("Lose the NAT gateway?",
      "No task reaches SQS and SSM any more, until you restore it. S3 has an endpoint of the VPC.", "Lose it", { act: "lose-nat" }));
  }

  /** Takes the newest picture, for what is opened next and for what is open. */
  update(picture) {
    this.#picture = picture;
    for (const [name, service] of Object.entries(picture.services)) {
      this.#versions[name] ??= new Set();
      for (const version of Object.keys(service.versions)) this.#versions[name].add(version);
    }
    for (const [button, act] of [["#break", "inject"], ["#nat", "lose-nat"], ["#restore", "restore"]]) {
      find(button).hidden = !picture.acts.includes(act);
    }
    if (this.#open !== null) this.#facts();
  }

  open(kind, name) {
    if (kind === "zone") {
      this.#askAndAct(`Lose zone ${name}?`, "All of its instances are cut off, with every task on them.", "Lose the zone", { act: "lose-zone", zone: name });
      return;
    }
    this.#open = { kind, name };
    this.#opened += 1;
    const title = { task: `Task ${name.slice(0, 8)}`, instance: `Instance ${name}`, service: `The service ${name}` }[kind];
    text(find("#detail-title"), title);
    find("#detail-body").replaceChildren(element("dl", { className: "facts", id: "facts" }));
    find("#detail-acts").replaceChildren(...this.#acts(kind, name));
    this.#facts();
    find("#detail").showModal();
    if (kind === "task") this.#task(name, this.#opened);
    if (kind === "service") find("#detail-body").append(...this.#serviceForms(name));
  }

  /** Asks the server to do something. What came of it is shown in the time line; a failure here, too. */
  async act(wanted) {
    this.#toast("…");
    try {
      this.#toast(`✓ ${(await ask(this.#token, "POST", "/acts", wanted)).done}`);
    } catch (error) {
      this.#toast(`✕ ${error.message}`, true);
    }
  }

  #can(act) {
    return this.#picture.acts.includes(act);
  }

  async #askAndAct(title, words, yes, wanted) {
    const dialog = find("#ask");
    text(find("#ask-title"), title);
    text(find("#ask-text"), words);
    text(find("#ask-yes"), yes);
    dialog.returnValue = "no";
    dialog.showModal();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    if (dialog.returnValue === "yes") {
      find("#detail").close();
      this.act(wanted);
    }
  }

  #facts() {
    const { kind, name } = this.#open;
    const rows = { task: () => this.#factsOfTask(name), instance: () => this.#factsOfInstance(name), service: () => this.#factsOfService(name) }[kind]();
    const words = JSON.stringify(rows);
    const list = find("#facts");
    if (list === null || list.words === words) return;
    list.words = words;
    list.replaceChildren(...rows.flatMap(([term, value]) => [element("dt", {}, term), element("dd", {}, value)]));
  }

  #factsOfTask(id) {
    const task = this.#picture.tasks[id];
    if (task === undefined) return [["state", "it has stopped"]];
    return [["service", task.service], ["version", task.version], ["health", `${mark(task.health)} ${word(task.health)}`], ["state", task.state], ...this.#registrations(task.targets),
      ["on", task.instance || "no instance yet"], ["id", id]];
  }

  #factsOfInstance(name) {
    const instance = this.#picture.instances[name];
    if (instance === undefined) return [["state", "it is gone"]];
    const tasks = Object.values(this.#picture.tasks).filter((task) => task.instance === name);
    return [["zone", instance.zone], ["type", instance.type], ["state", `${mark(instance.health)} ${instance.state || "takes tasks"}`],
      ...this.#registrations({ ...instance.balancers, ...Object.assign({}, ...tasks.map((task) => task.targets)) }),
      ["tasks", tasks.map((task) => `${task.service} ${task.version}`).join(", ") || "none"]];
  }

  /** A row for each load balancer or target group that has it as a target. */
  #registrations(targets) {
    return Object.entries(targets).map(([name, { state, reason }]) => [name, `${state}${reason ? `: ${reason}` : ""}`]);
  }

  #factsOfService(name) {
    const service = this.#picture.services[name];
    if (service === undefined) return [["state", "it is gone"]];
    const calls = Object.entries(service.calls).filter(([, rate]) => rate > 0).map(([call, rate]) => `${call} ${rate.toFixed(1)}/s`);
    return [["tasks", `${service.healthy} healthy, ${service.running} running, ${service.pending} pending, ${service.desired} desired`],
      ["version", service.version], ["deployment", service.rollout || "none goes on"], ["load balancer", service.behind.join(", ") || "none"],
      // Only the pipeline's calls go through the gateway, which counts them.
      ...(this.#can("inject") ? [["calls of AWS", calls.join(", ") || "none in this moment"], ["failing calls", `${service.failing.toFixed(1)}/s`]] : [])];
  }

  #acts(kind, name) {
    const buttons = {
      task: this.#actsOnTask(name),
      instance: this.#actsOnInstance(name),
      service: [],
    }[kind];
    return buttons.filter(([, act]) => this.#can(act)).map(([label, , question]) => {
      const button = element("button", { type: "button", className: "danger" }, label);
      button.addEventListener("click", () => this.#askAndAct(...question));
      return button;
    });
  }

  #actsOnTask(name) {
    // A container of compose stays ended until somebody starts it; ECS starts another task.
    const { state = "" } = this.#picture.tasks[name] ?? {};
    const next = this.#can("start-task") ? "It can be started again from here." : "ECS starts another in its place.";
    if (/^(exited|created|dead)/.test(state)) return [["Start it", "start-task", ["Start this task?", "It is the same container again.", "Start it", { act: "start-task", task: name }]]];
    if (/^paused/.test(state)) return [["Resume it", "resume-task", ["Resume this task?", "It goes on where it was.", "Resume it", { act: "resume-task", task: name }]]];
    return [
      ["Pause it", "pause-task", ["Pause this task?", "It keeps its connections, and answers nothing until it is resumed.", "Pause it", { act: "pause-task", task: name }]],
      ["Stop it", "stop-task", ["Stop this task?", `It gets SIGTERM, and finishes what it has in hand. ${next}`, "Stop it", { act: "stop-task", task: name }]],
      ["Kill it", "lose-task", ["Kill this task?", `It gets SIGKILL, and cannot finish anything. ${next}`, "Kill it", { act: "lose-task", task: name }]],
    ];
  }

  #actsOnInstance(name) {
    const instance = this.#picture.instances[name] ?? {};
    return [
      instance.draining
        ? ["End the drain", "activate", [`End the drain of ${name}?`, "It takes tasks again.", "End it", { act: "activate", instance: name }]]
        : ["Drain it", "drain", [`Drain ${name}?`, "Its tasks move elsewhere, and it takes no new ones.", "Drain it", { act: "drain", instance: name }]],
      instance.lost
        ? ["Bring it back", "bring-back", [`Bring ${name} back?`, "It is connected again, with the tasks that it had.", "Bring it back", { act: "bring-back", instance: name }]]
        : ["Lose it", "lose-instance", [`Lose ${name}?`, "It is cut off with all tasks on it. Its group replaces it after minutes.", "Lose it", { act: "lose-instance", instance: name }]],
    ];
  }

  #serviceForms(name) {
    const versions = [...this.#versions[name]].map((version) => element("option", { value: version }, `version ${version}`));
    const chosen = element("select", {}, element("option", { value: "" }, "a new version, made of this checkout"), ...versions);
    const deploy = element("button", { type: "button", className: "danger" }, "Deploy");
    deploy.addEventListener("click", () => this.#askAndAct(`Deploy ${name}?`, "As production does: plan, apply, wait for ECS, smoke test, and back if one of them fails. It takes minutes.", "Deploy it", { act: "deploy", service: name, version: chosen.value }));
    const count = element("input", { type: "number", min: 0, max: 1000, value: this.#picture.services[name].desired });
    const scale = element("button", { type: "button", className: "danger" }, "Scale");
    scale.addEventListener("click", () => {
      if (count.reportValidity()) this.#askAndAct(`Scale ${name} to ${count.value}?`, "ECS starts or stops tasks until there are so many.", "Scale it", { act: "scale", service: name, count: Number(count.value) });
    });
    const rows = [
      ["deploy", element("div", { className: "row" }, element("label", {}, "Deploy ", chosen), deploy)],
      ["scale", element("div", { className: "row" }, element("label", {}, "How many tasks ", count), scale)],
    ];
    return rows.filter(([act]) => this.#can(act)).map(([, row]) => row);
  }

  /** Environment and log of a task, asked for again while it is open. */
  async #task(id, opened) {
    const place = element("div", { className: "containers" });
    find("#detail-body").append(place);
    while (this.#opened === opened) {
      try {
        const detail = await ask(this.#token, "GET", `/tasks/${encodeURIComponent(id)}`);
        this.#containers(place, detail);
        this.#permissions(place, detail.permissions);
      } catch (error) {
        if (place.childElementCount === 0) text(place, error.message);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, LOG_SECONDS * 1000));
    }
  }

  #containers(place, detail) {
    for (const container of detail.containers) {
      let shown = place.querySelector(`[data-container="${CSS.escape(container.name)}"]`);
      if (shown === null) {
        const rows = [["task definition", detail.definition], ["started", detail.started], ["image", container.image], ...Object.entries(container.environment), ...Object.entries(container.secrets).map(([name, from]) => [name, `secret, from ${from}`])];
        const variables = rows.filter(([, value]) => value).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
        shown = element("div", { "data-container": container.name },
          element("h3", { className: "container" }),
          element("details", {}, element("summary", {}, "Image and environment"), element("dl", { className: "facts" }, ...variables)),
          element("h3", {}, "Log"), element("pre", { tabIndex: 0, className: "log", "aria-label": `Log of ${container.name}` }));
        place.append(shown);
      }
      text(shown.querySelector(".container"), [`Container ${container.name}`, container.state].filter(Boolean).join(", "));
      const log = shown.querySelector("pre");
      const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
      text(log, container.log.map(line).join("\n") || "It has written nothing yet.");
      if (atEnd) log.scrollTop = log.scrollHeight;
    }
  }

  /** What the tasks of the role did by its permissions, once there is something. */
  #permissions(place, permissions) {
    if (permissions.length === 0) return;
    let shown = place.querySelector(".permissions");
    if (shown === null) {
      shown = element("details", { className: "permissions" }, element("summary"), element("dl", { className: "facts" }));
      place.append(shown);
    }
    const denied = permissions.filter((each) => each.end === "denied").length;
    text(shown.querySelector("summary"), `Permissions of its role: ${denied ? `${denied} denied, ` : ""}${permissions.length - denied} used`);
    shown.querySelector("dl").replaceChildren(...permissions.flatMap((each) => [
      element("dt", {}, each.end === "denied" ? "✕ denied" : each.end),
      element("dd", {}, `${each.action}, ${each.calls} ${each.calls === 1 ? "call" : "calls"}, ${each.statement}`),
    ]));
  }

  #askForFault() {
    text(find("#fault-error"), "");
    this.#fieldsOfFault();
    find("#fault").returnValue = "no";
    find("#fault").showModal();
  }

  #fieldsOfFault() {
    const { fault } = find("#fault-form").elements;
    const needs = { share: fault.value !== "partition", seconds: fault.value === "latency", rate: fault.value === "bandwidth" };
    for (const label of document.querySelectorAll("#fault-form [data-of]")) {
      const needed = needs[label.dataset.of];
      label.hidden = !needed;
      label.querySelector("input").disabled = !needed;
    }
    for (const select of ["caller", "service"]) {
      const any = find("#fault-form").elements[select];
      any.options[0].disabled = fault.value === "partition";
      if (any.options[0].disabled && any.value === "") any.value = select === "caller" ? "worker" : "sqs";
    }
  }

  #inject() {
    if (find("#fault").returnValue !== "yes") return;
    const { fault, caller, service, share, seconds, rate } = find("#fault-form").elements;
    if (fault.value === "partition") {
      this.act({ act: "cut", caller: caller.value, aws: service.value });
      return;
    }
    const rule = { fault: fault.value, probability: Number(share.value) / 100 };
    if (caller.value) rule.caller = caller.value;
    if (service.value) rule.service = service.value;
    if (fault.value === "latency") rule.seconds = Number(seconds.value);
    if (fault.value === "bandwidth") rule.rate = Number(rate.value);
    this.act({ act: "inject", fault: rule });
  }

  #toast(words, bad = false) {
    const toast = find("#toast");
    text(toast, words);
    toast.dataset.bad = bad ? "yes" : "no";
    toast.dataset.shown = "yes";
    clearTimeout(this.toasting);
    if (words !== "…") this.toasting = setTimeout(() => { toast.dataset.shown = "no"; }, bad ? 12000 : 5000);
  }
}

/** A line of a log for a person: of a JSON object the level, the message and what else it says. */
function line(raw) {
  try {
    const { timestamp, level, message, logger, service, ...more } = JSON.parse(raw);
    if (message === undefined) return raw;
    const rest = Object.entries(more).filter(([, value]) => value !== null).map(([name, value]) => `${name}=${value}`);
    return [timestamp?.slice(11, 19), level, message, ...rest].filter(Boolean).join(" ");
  } catch {
    return raw;
  }
}
