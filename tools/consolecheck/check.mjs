// Looks at every page of the console, as a person with a browser does: on the
// real binary, in narrow and wide windows, dark and light, printed, without
// script, by keyboard alone, and with axe-core. Run by `make console-check`.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

const [base, chromium, out] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const widths = [320, 768, 1280, 2560];
const problems = [];
const report = (where, what) => problems.push(`${where}: ${what}`);
if (out) mkdirSync(out, { recursive: true });

const browser = await puppeteer.launch({ executablePath: chromium, headless: true, args: ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"] });
const page = await browser.newPage();
page.on("console", (m) => { if (m.type() === "error") report(page.url(), `the browser says: ${m.text()}`); });
page.on("pageerror", (e) => report(page.url(), `the script says: ${e.message}`));

const open = async (path) => {
  const answer = await page.goto(base + path, { waitUntil: "load" });
  if (answer.status() !== 200 && !path.startsWith("/no-such")) report(path, `status ${answer.status()}`);
};
const first = async (path, selector) => {
  await open(path);
  return page.$eval(selector, (a) => a.pathname + a.search).catch(() => { report(path, `nothing is ${selector}`); return null; });
};

// The pages, those of one finding, execution and request found as a person finds them.
const pages = {
  overview: "/",
  findings: "/findings",
  filtered: "/findings?severity=critical&severity=high&framework=pci-dss-4.0.1&q=group",
  grouped: "/findings?group=stack",
  nothing: "/findings?q=no-such-thing-anywhere",
  finding: await first("/findings", ".item .what a"),
  accepted: await first("/findings?state=suppressed", ".item .what a"),
  rules: "/rules?domain=network",
  rule: "/rules/s3-bucket-versioning",
  framework: "/frameworks/pci-dss-4.0.1",
  executions: "/executions",
  execution: await first("/executions", "table th a"),
  approvals: "/approvals",
};
if (pages.execution) pages.stack = await first(pages.execution, "#others ~ table th a");
await open("/approvals");
const request = await page.$eval("main table a", (a) => a.pathname).catch(() => null);
if (request) pages.request = request;

for (const [name, path] of Object.entries(pages)) {
  if (!path) continue;
  for (const scheme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.setViewport({ width: 1280, height: 900 });
    await open(path);
    await page.$$eval("details", (all) => all.forEach((d) => { d.open = true; }));
    await page.evaluate(axe);
    const found = await page.evaluate(() => globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    for (const v of found.violations) {
      if (v.impact !== "minor") report(`${name} (${scheme})`, `axe ${v.impact} ${v.id}: ${v.help}: ${v.nodes.slice(0, 2).map((n) => n.html.slice(0, 160)).join(" | ")}`);
    }
    if (scheme === "dark" && out) { await open(path); await page.screenshot({ path: join(out, `${name}-dark.png`) }); }
  }
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
  for (const width of widths) {
    await page.setViewport({ width, height: 900 });
    await open(path);
    await page.$$eval("details", (all) => all.forEach((d) => { d.open = true; }));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) {
      const who = await page.evaluate(() => [...document.querySelectorAll("main *, header *, footer *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map((e) => e.outerHTML.slice(0, 120)).join(" | "));
      report(`${name} at ${width} px`, `it is ${wide} px wider than the window: ${who}`);
    }
    if (out) { await open(path); await page.screenshot({ path: join(out, `${name}-${width}.png`) }); }
  }
  await page.emulateMediaType("print");
  await page.setViewport({ width: 800, height: 1100 });
  await open(path);
  if (await page.$eval("nav", (n) => n.offsetHeight).catch(() => 0)) report(`${name} in print`, "the navigation is printed");
  if (out) await page.screenshot({ path: join(out, `${name}-print.png`) });
  await page.emulateMediaType(null);

  // By keyboard: every stop is in view and marked, and Tab gets through the page.
  await page.setViewport({ width: 1280, height: 900 });
  await open(path);
  const stops = await page.$$eval("a[href], button, input:not([type=hidden]), select, summary, textarea, [tabindex='0']", (all) => all.filter((e) => e.checkVisibility()).length);
  let unmarked = "";
  const seen = new Set();
  for (let i = 0; i < Math.min(stops, 60); i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const e = document.activeElement, s = getComputedStyle(e);
      const box = e.getBoundingClientRect();
      e.dataset.n ??= String(performance.now());
      return { id: e.dataset.n, tag: e.tagName, html: e.outerHTML.slice(0, 100), marked: s.outlineStyle !== "none" || e.matches(".skip"), inView: box.bottom > 0 && box.top < innerHeight };
    });
    if (at.tag === "BODY") break;
    seen.add(at.id);
    if (!at.marked || !at.inView) unmarked ||= `${at.html} is ${at.marked ? "out of view" : "not marked"} when it has the focus`;
  }
  if (unmarked) report(`${name} by keyboard`, unmarked);
  if (seen.size < Math.min(stops, 60) - 1) report(`${name} by keyboard`, `Tab reaches ${seen.size} of ${stops} stops`);
}

// By keyboard alone a person filters the findings and opens one.
await open("/findings");
await page.focus("#q");
await page.keyboard.type("bucket");
await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
if (!page.url().includes("q=bucket")) report("search by keyboard", `it led to ${page.url()}`);
await page.focus(".item .what a");
await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
if (!/\/findings\/[0-9a-f]{32}$/.test(page.url())) report("opening by keyboard", `it led to ${page.url()}`);

// Without script the same works.
await page.setJavaScriptEnabled(false);
for (const [name, path] of Object.entries(pages)) {
  if (!path) continue;
  await open(path);
  if (!(await page.$("main h1"))) report(`${name} without script`, "it has no heading");
}
await open("/findings");
await page.setJavaScriptEnabled(true);
await browser.close();

console.log(`console-check: ${Object.values(pages).filter(Boolean).length} pages at ${widths.join(", ")} px, dark and light, printed, by keyboard, without script`);
for (const p of problems) console.log(`  ${p}`);
process.exit(problems.length ? 1 : 0);
