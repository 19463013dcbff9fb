/** Jaeger UI's configuration: defaults, every key the pages read, what is wrong is told. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { readUiConfig } from "./ui-config.ts";

test("without a file everything is Jaeger's default", () => {
  for (const nothing of [null, undefined, {}]) {
    const { config, warnings } = readUiConfig(nothing);
    assert.deepEqual(warnings, []);
    assert.deepEqual(config, {
      archiveEnabled: true,
      criticalPathEnabled: true,
      menu: undefined,
      search: {
        defaultLookback: "1h",
        maxLookback: { label: "2 Days", value: "2d" },
        maxLimit: 1500,
        adjustEndTime: "",
      },
      scripts: [],
      traceIdDisplayLength: 7,
      topTagPrefixes: [],
      linkPatterns: [],
      disableFileUploadControl: false,
      disableJsonView: false,
      forbidNewPage: false,
      themesEnabled: true,
      traceTimeline: {
        enableSidePanel: true,
        defaultDetailPanelMode: "inline",
        spanPillsEnabled: true,
      },
      useOpenTelemetryTerms: true,
    });
  }
});

test("every key is read; search is merged, the menu replaces", () => {
  const menu = [
    { label: "Docs", url: "https://docs", anchorTarget: "_self" },
    { label: "Group", items: [{ label: "One", url: "https://one" }] },
  ];
  const { config, warnings } = readUiConfig({
    archiveEnabled: false,
    criticalPathEnabled: false,
    menu,
    search: { maxLookback: { label: "1 Week", value: "7d" }, maxLimit: 99, adjustEndTime: "1m" },
    scripts: [
      { text: "go()", type: "inline" },
      { text: "no()", type: "module" },
    ],
    traceIdDisplayLength: 12,
    topTagPrefixes: ["http."],
    linkPatterns: [{ url: "https://x", text: "x" }],
    disableFileUploadControl: true,
    disableJsonView: true,
    forbidNewPage: true,
    themes: { enabled: false },
    traceTimeline: { enableSidePanel: false, defaultDetailPanelMode: "sidepanel" },
    useOpenTelemetryTerms: false,
    tracking: { gaID: "UA-1", trackErrors: true },
    dependencies: { menuEnabled: false, dagMaxNumServices: 200 },
    monitor: { menuEnabled: true },
    deepDependencies: { menuEnabled: true },
    qualityMetrics: { menuEnabled: true },
    pathAgnosticDecorations: [],
    traceGraph: { layoutManagerMemory: 1 },
    traceDiff: { helpLink: "https://help" },
    tracing: { enabled: true },
  });
  assert.deepEqual(warnings, []);
  assert.deepEqual(config.menu, menu);
  assert.deepEqual(config.search, {
    defaultLookback: "1h",
    maxLookback: { label: "1 Week", value: "7d" },
    maxLimit: 99,
    adjustEndTime: "1m",
  });
  assert.deepEqual(config.scripts, ["go()"]);
  assert.equal(config.archiveEnabled, false);
  assert.equal(config.criticalPathEnabled, false);
  assert.equal(config.traceIdDisplayLength, 12);
  assert.deepEqual(config.topTagPrefixes, ["http."]);
  assert.equal(config.linkPatterns.length, 1);
  assert.equal(config.themesEnabled, false);
  assert.equal(config.traceTimeline.defaultDetailPanelMode, "sidepanel");
  assert.equal(config.traceTimeline.enableSidePanel, false);
  assert.equal(config.useOpenTelemetryTerms, false);
});

test("values of the wrong kind keep the default and are told; so are old and unknown keys", () => {
  const { config, warnings } = readUiConfig({
    archiveEnabled: "yes",
    search: { maxLimit: -1, maxLookback: "2d" },
    menu: {},
    gaTrackingID: "UA-1",
    dependenciesMenuEnabled: true,
    serach: {},
  });
  assert.equal(config.archiveEnabled, true);
  assert.equal(config.search.maxLimit, 1500);
  assert.deepEqual(
    warnings.toSorted(),
    [
      "search.maxLookback must be an object",
      "archiveEnabled must be true or false",
      "menu must be a list",
      "search.maxLimit must be a positive number",
      "dependenciesMenuEnabled is deprecated: use dependencies.menuEnabled",
      "gaTrackingID is deprecated: use tracking.gaID",
      "serach is not known",
    ].toSorted(),
  );
  assert.deepEqual(readUiConfig([]).warnings, ["the configuration is no object"]);
});
