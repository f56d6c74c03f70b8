// Run by the Makefile before anything else, with whatever Node the machine has: brings node_modules up to the lock
// file. Plain JavaScript without dependencies, because neither types nor packages are there yet.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const OLDEST_NODE = 20;
const NEEDED_NODE = 24;
const root = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../..");
const modules = join(root, "node_modules");

/** Ends with one line that says what to do. */
function fail(message) {
  console.error(`\n${message}`);
  process.exit(1);
}

function majorOf(version) {
  return Number(version.replace(/^v/, "").split(".")[0]);
}

function requireNode() {
  if (majorOf(process.version) >= OLDEST_NODE) return;
  fail(
    `Node ${process.version} is too old: install Node ${OLDEST_NODE} or newer (https://nodejs.org).`,
  );
}

/** npm records what it installed in this file, as its last act: an installation that was cut off has none. */
function isInstalled() {
  const wanted = readPackages(join(root, "package-lock.json"));
  const installed = readPackages(join(modules, ".package-lock.json"));
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([path, entry]) => matches(path, entry, installed[path]));
}

function readPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).packages : undefined;
}

/** What is optional may be for another platform; our own workspaces are links. */
function matches(path, wanted, installed) {
  if (!path.startsWith("node_modules/") && !path.includes("/node_modules/")) return true;
  if (!installed) return wanted.optional === true || wanted.devOptional === true;
  return wanted.link === true || wanted.integrity === installed.integrity;
}

async function install() {
  const startedAt = Date.now();
  const npm = spawn("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error", ...retries], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.on("data", (text) => {
      output += text;
    });
  }
  const timer = setInterval(() => showGrowth(startedAt), process.stdout.isTTY ? 1000 : 5000);
  const code = await new Promise((resolve) => {
    npm.once("error", (error) => resolve(error.code));
    npm.once("close", resolve);
  });
  clearInterval(timer);
  if (process.stdout.isTTY) process.stdout.write("\r\x1b[2K");
  if (code !== 0) fail(explain(code, output));
  console.log(`  ✓ npm ci  ${seconds(startedAt)}, ${installedMegabytes()} MB`);
}

/** npm's own patience without a network is more than a minute. */
const retries = ["--fetch-retries=3", "--fetch-retry-factor=2", "--fetch-retry-mintimeout=1000"];

function showGrowth(startedAt) {
  const text = `  … npm ci  ${seconds(startedAt)}, ${installedMegabytes()} MB in node_modules`;
  process.stdout.write(process.stdout.isTTY ? `\r\x1b[2K${text}` : `${text}\n`);
}

function seconds(startedAt) {
  return `${((Date.now() - startedAt) / 1000).toFixed(0)} s`;
}

function installedMegabytes() {
  const { stdout } = spawnSync("du", ["-sk", modules], { encoding: "utf8" });
  return Math.round((Number.parseInt(stdout, 10) || 0) / 1024);
}

function explain(code, output) {
  if (code === "ENOENT")
    return "npm is missing: install it (it comes with Node; Debian: apt install npm).";
  const network = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH)\b/.exec(
    output,
  )?.[1];
  if (network)
    return `npm cannot reach its registry (${network}): connect to the network and try again.`;
  const lines = output
    .split("\n")
    .filter((line) => line.startsWith("npm error") && line.length > 10);
  return `npm ci failed: ${lines.slice(0, 4).join(" ").replaceAll("npm error ", "") || output}`;
}

/** The Node that everything else runs on comes from the lock file, where there is one for this platform. */
function requireRunnableNode() {
  const local = join(modules, ".bin", "node");
  const found = existsSync(local)
    ? spawnSync(local, ["--version"], { encoding: "utf8" }).stdout
    : "";
  if (majorOf(found || process.version) >= NEEDED_NODE) return;
  fail(
    `There is no ready-made Node ${NEEDED_NODE} for ${process.platform}-${process.arch}: install Node ` +
      `${NEEDED_NODE} or newer yourself (this is ${process.version}).`,
  );
}

requireNode();
if (!isInstalled()) {
  console.log("Installing what package-lock.json names\n");
  await install();
}
requireRunnableNode();
