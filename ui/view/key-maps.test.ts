/** Tests of key maps: no key does two things, all can be done in each, Jaeger's are there. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { actionsIn, boundKeys, keyMapOf, KEY_MAPS } from "./key-maps.ts";
import { TRACE_ACTIONS } from "./trace-actions.ts";

for (const map of KEY_MAPS) {
  test(`${map.name}: no key does two things`, () => {
    const actions = actionsIn(map);
    for (const inTree of [false, true]) {
      const keys = actions
        .filter((action) => (action.inTree === true) === inTree)
        .flatMap((action) => action.keys);
      assert.deepEqual(
        keys.filter((key, i) => keys.indexOf(key) !== i),
        [],
      );
    }
    const { anywhere, inTree, prefixes } = boundKeys(actions);
    for (const prefix of prefixes) {
      assert.ok(!anywhere.has(prefix) && !inTree.has(prefix), `${prefix} begins a sequence`);
    }
  });

  test(`${map.name}: whatever has a key in Jaeger's map has one here`, () => {
    const actions = actionsIn(map);
    for (const [i, { keys, title }] of TRACE_ACTIONS.entries()) {
      assert.equal(actions[i]!.title, title);
      assert.equal(actions[i]!.keys.length > 0, keys.length > 0, title);
    }
    const titles = TRACE_ACTIONS.filter(({ inTree }) => inTree !== true).map(({ title }) => title);
    assert.equal(new Set(titles).size, titles.length, "titles name actions");
    for (const title of Object.keys(map.keys)) assert.ok(titles.includes(title), title);
  });
}

test("the default map has all of Jaeger's keys", () => {
  const { anywhere } = boundKeys(actionsIn(keyMapOf(undefined)));
  for (const [key, title] of [
    ["s", "Scroll down"],
    ["w", "Scroll up"],
    ["f", "Next span or match"],
    ["b", "Previous span or match"],
    ["a", "Pan left"],
    ["ArrowLeft", "Pan left"],
    ["d", "Pan right"],
    ["ArrowRight", "Pan right"],
    ["A", "Pan left, far"],
    ["Shift+ArrowRight", "Pan right, far"],
    ["ArrowUp", "Zoom in"],
    ["ArrowDown", "Zoom out"],
    ["Shift+ArrowUp", "Zoom in, far"],
    ["Shift+ArrowDown", "Zoom out, far"],
    ["]", "Collapse all"],
    ["[", "Expand all"],
    ["p", "Collapse a level"],
    ["o", "Expand a level"],
    ["Ctrl+b", "Find"],
    ["Escape", "Clear find, close"],
  ] as const) {
    assert.equal(anywhere.get(key)?.title, title, key);
  }
});

test("a name nobody knows is Jaeger's map", () => {
  assert.equal(keyMapOf("emacs").name, "jaeger");
  assert.equal(keyMapOf("vim").name, "vim");
});
