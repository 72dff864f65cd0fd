// Elements, made once and then only changed where they differ.

/** An element with properties, attributes (`data-…`, `aria-…`) and children. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

/** Sets the text of an element, if it is another. */
export function text(target, value) {
  const words = String(value);
  if (target.textContent !== words) target.textContent = words;
}

/** Sets an attribute, if it is another; removes it for null. */
export function attribute(target, name, value) {
  if (value === null) target.removeAttribute(name);
  else if (target.getAttribute(name) !== String(value)) target.setAttribute(name, value);
}

/**
 * Makes the children of `parent` those of `entries`, pairs of key and item, in this order. An element stays with its
 * key; `update` is called only if its item is another object than before.
 */
export function keyed(parent, entries, make, update) {
  const there = (parent.keyed ??= new Map());
  const wanted = new Set(entries.map(([key]) => key));
  for (const [key, child] of there) {
    if (!wanted.has(key)) {
      child.remove();
      there.delete(key);
    }
  }
  let place = parent.firstElementChild;
  for (const [key, item] of entries) {
    let child = there.get(key);
    if (child === undefined) {
      child = make(key, item);
      there.set(key, child);
    }
    if (child.item !== item) {
      update(child, item, key);
      child.item = item;
    }
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
}

export const find = (selector) => document.querySelector(selector);

/** A number for a person: a rate has one decimal while it is small. */
export function number(value) {
  return value > 0 && value < 10 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value).toLocaleString("en");
}

/** How long, in words. */
export function duration(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

export const clock = (at) => new Date(at * 1000).toLocaleTimeString("en-GB");
