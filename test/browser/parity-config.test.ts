/** Parity with Jaeger UI, section 1.11: keys of its configuration that search and trace read. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "../support/temp-folder.ts";
import { onPage, paritySuite } from "./parity.ts";
import type { ParityPage } from "./parity.ts";
import { SHOP_TRACE, shopBatch, shopSpanHex } from "./trace-fixtures.ts";
import { press, rectsOf, rowAt } from "./trace-open.ts";
import { startUi } from "./ui-server.ts";

const SHOP = `/trace/${SHOP_TRACE}`;
const OPEN_QUERY = `${SHOP}?open=${shopSpanHex(4)}`;

/** Runs a test before a server with this configuration: JSON, or the text of a script. */
async function configured(
  { browser }: ParityPage,
  config: object | string,
  run: (given: ParityPage) => Promise<void>,
): Promise<void> {
  const folder = tempFolder("parity");
  const isScript = typeof config === "string";
  const configPath = join(folder, isScript ? "ui.js" : "ui.json");
  writeFileSync(configPath, isScript ? config : JSON.stringify(config));
  const ui = await startUi({ configPath });
  try {
    await ui.store.write(shopBatch());
    await ui.store.settle();
    await onPage(browser, ui, run);
  } finally {
    await ui.close();
  }
}

paritySuite({}, (parity) => {
  parity("1.11.1", async (given) => {
    const archive = { name: "Archive the trace" };
    await given.open(SHOP);
    assert.equal(await given.page.getByRole("button", archive).count(), 1);
    await configured(given, { archiveEnabled: false }, async ({ page, open }) => {
      await open(SHOP);
      assert.equal(await page.getByRole("button", archive).count(), 0);
    });
  });

  parity("1.11.2", async (given) => {
    await configured(given, { criticalPathEnabled: false }, async ({ page, open }) => {
      await open(SHOP);
      await press(page, "c");
      assert.deepEqual(await rectsOf(page, "critical"), []);
    });
  });

  parity("1.11.3", async (given) => {
    const items = [{ label: "Chat", url: "https://chat.example/" }];
    const menu = [
      { label: "Docs", url: "https://docs.example/", anchorTarget: "_blank" },
      { label: "More", items },
    ];
    await configured(given, { menu }, async ({ page, open }) => {
      await open("/search");
      const docs = page.getByRole("link", { name: "Docs" });
      assert.equal(await docs.getAttribute("target"), "_blank");
      await page.getByRole("button", { name: "More" }).click();
      await page.getByRole("menuitem", { name: "Chat" }).waitFor();
      assert.equal(await page.getByRole("button", { name: "About" }).count(), 0);
    });
  });

  parity("1.11.4", async (given) => {
    const search = { maxLookback: { label: "90 Days", value: "90d" }, maxLimit: 50 };
    await configured(given, { search }, async ({ page, open }) => {
      await open("/search");
      const lookback = page.getByLabel("Lookback");
      // What is not given keeps its default.
      assert.equal(await lookback.inputValue(), "1h");
      const options = await lookback.locator("option").allTextContents();
      assert.equal(options.length, 17 + 1);
      assert.equal(options.at(-2), "Last 90 Days");
      await page.getByLabel("Limit results").fill("51");
      await page.getByText("1 to 50").waitFor();
    });
  });

  parity("1.11.5", async (given) => {
    const scripts = [{ type: "inline", text: "document.body.dataset.ran = 'yes'" }];
    await configured(given, { scripts }, async ({ page, open }) => {
      await open("/search");
      await page.locator("body[data-ran=yes]").waitFor();
    });
  });

  parity("1.11.6", async (given) => {
    await configured(given, { traceIdDisplayLength: 12 }, async ({ page, open }) => {
      await open(SHOP);
      const id = page.locator(".trace-id");
      assert.equal((await id.textContent())?.trim(), SHOP_TRACE.slice(0, 12));
    });
  });

  parity("1.11.7", async (given) => {
    await configured(given, { topTagPrefixes: ["server.", "db.sys"] }, async ({ page, open }) => {
      await open(OPEN_QUERY);
      const keys = page.locator(".detail .kv").first().locator("tbody th");
      await keys.first().waitFor();
      const expected = ["server.address", "db.system", "db.statement"];
      assert.deepEqual(await keys.allTextContents(), expected);
    });
  });

  parity("1.11.8", async (given) => {
    const tracking = { gaID: "UA-1", trackErrors: true };
    // Requests to elsewhere would fail the test.
    await configured(given, { tracking }, async ({ page, open }) => {
      await open("/search");
      assert.equal(await page.locator(".toast").count(), 0);
    });
  });

  parity("1.11.9", async (given) => {
    const url = (place: string, parameter: string): string => `https://x/${place}/#{${parameter}}`;
    const linkPatterns = [
      { type: "process", key: "service.name", url: url("process", "service.name"), text: "p" },
      { type: "attributes", key: "db.system", url: url("tags", "db.system"), text: "t" },
      { type: "logs", key: "cache.key", url: url("logs", "cache.key"), text: "l" },
      {
        type: "traces",
        url: "https://x/#{trace.startTime | add 44 | epoch_micros_to_date_iso}",
        text: "#{trace.traceID | pad_start 34 0}",
      },
    ];
    await configured(given, { linkPatterns }, async ({ page, open }) => {
      await open(`${SHOP}?open=${shopSpanHex(3)},${shopSpanHex(4)}`);
      const href = (name: string) => page.getByRole("link", { name, exact: true }).first();
      const resource = page.getByRole("button", { name: /Resource/ }).first();
      await resource.click();
      for (const [name, address] of [
        ["cart", "https://x/process/cart"],
        ["postgresql", "https://x/tags/postgresql"],
        ["cart:42", "https://x/logs/cart%3A42"],
        [`00${SHOP_TRACE}`, "https://x/2025-11-22T08%3A26%3A40.123Z"],
      ] as const) {
        assert.equal(await href(name).getAttribute("href"), address);
      }
    });
  });

  parity("1.11.10", async (given) => {
    const script = `function UIConfig() {
      return {
        linkPatterns: [
          { type: "tags", key: /^db\\.sys/, url: "https://regexp/#{db.system}", text: "a" },
          { type: ["tags", "logs"], key: ["db.system", "x"], url: "https://list/", text: "b" },
          { type: "tags", key: (k) => k === "db.system", value: (v) => v === "postgresql",
            url: "https://function/", text: "c" },
          { type: "tags", key: "db.system", value: "mysql", url: "https://never/", text: "d" },
        ],
      };
    }`;
    await configured(given, script, async ({ page, open }) => {
      await open(OPEN_QUERY);
      const links = page.getByRole("list", { name: "Links" }).getByRole("link");
      await links.first().waitFor();
      assert.deepEqual(await links.allTextContents(), ["a", "b", "c"]);
    });
  });

  parity("1.11.11", async (given) => {
    await configured(given, { disableFileUploadControl: true }, async ({ page, open }) => {
      await open("/search");
      assert.deepEqual(await page.getByRole("tab").allTextContents(), ["Search"]);
    });
  });

  parity("1.11.12", async (given) => {
    await configured(given, { disableJsonView: true }, async ({ page, open }) => {
      await open(SHOP);
      await page.getByRole("button", { name: /^View/ }).click();
      const views = await page.getByRole("menuitemradio").allTextContents();
      assert.ok(!views.join().includes("JSON"), views.join());
      await press(page, "Escape", "g", "j");
      await rowAt(page, 0).waitFor();
    });
  });

  parity("1.11.13", async (given) => {
    const embedded = "/search?service=cart&lookback=custom&start=0&end=9000000000000000&uiEmbed=v0";
    const result = (of: ParityPage) => of.page.locator("td.name a").first();
    await given.open(embedded);
    assert.equal(await result(given).getAttribute("target"), "_blank");
    await configured(given, { forbidNewPage: true }, async (other) => {
      await other.open(embedded);
      assert.equal(await result(other).getAttribute("target"), null);
    });
  });

  parity("1.11.14", async (given) => {
    await configured(given, { themes: { enabled: false } }, async ({ page, open }) => {
      await page.emulateMedia({ colorScheme: "dark" });
      await open("/search");
      assert.equal(await page.getByRole("button", { name: "Theme" }).count(), 0);
    });
  });

  parity("1.11.15", async (given) => {
    const first = { traceTimeline: { defaultDetailPanelMode: "sidepanel" } };
    await configured(given, first, async ({ page, open }) => {
      await open(SHOP);
      await page.locator(".trace-panel h2", { hasText: "POST /checkout" }).waitFor();
    });
    const none = { traceTimeline: { enableSidePanel: false } };
    await configured(given, none, async ({ page, open }) => {
      await open(SHOP);
      await page.getByRole("button", { name: "Settings of the page" }).click();
      assert.equal(await page.getByLabel("Details at the side").count(), 0);
    });
  });

  parity("1.11.16", async (given) => {
    const off = { traceTimeline: { spanPillsEnabled: false } };
    await configured(given, off, async ({ page, open }) => {
      await open(OPEN_QUERY);
      // Its attributes are here, and no pill is.
      await page.locator(".detail .kv").first().waitFor();
      assert.equal(await rowAt(page, 4).locator(".tl-pill").count(), 0);
      await rowAt(page, 4).locator('.tl-icon[title="Database"]').waitFor();
    });
  });

  parity("1.11.17", async (given) => {
    await configured(given, { useOpenTelemetryTerms: false }, async ({ page, open }) => {
      await open("/search");
      await page.getByRole("combobox", { name: "Operation" }).waitFor();
      await page.getByRole("combobox", { name: /^Tags/ }).waitFor();
      await open(`${SHOP}?open=${shopSpanHex(3)}`);
      for (const name of [/Tags/, /Process/, /Logs/]) {
        await page.locator(".detail").getByRole("button", { name }).first().waitFor();
      }
    });
  });

  parity("1.11.18", async (given) => {
    const config = { dependenciesMenuEnabled: true, gaTrackingID: "UA-1", serach: {} };
    await configured(given, config, async ({ page, open }) => {
      await open("/search");
      for (const text of [
        "dependenciesMenuEnabled is deprecated",
        "gaTrackingID is deprecated",
        "serach is not known",
      ]) {
        await page.locator(".toast.bad", { hasText: text }).waitFor();
      }
      // They are the operator's: whoever comes again has been told.
      await open("/search");
      assert.equal(await page.locator(".toast").count(), 0);
    });
  });
});
