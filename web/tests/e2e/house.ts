import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "../../..");
export const PYTHON = path.join(ROOT, ".venv", "bin", "python");
const SERVICES = path.join(ROOT, "services");
const STAGES = readdirSync(SERVICES).filter((stage) => existsSync(path.join(SERVICES, stage, "stage.py")));

/** A program of ours that serves, started for a test. */
class Server {
  private process: ChildProcess | undefined;

  constructor(
    readonly url: string,
    private readonly command: string[],
    private readonly env: Record<string, string>,
    private readonly log: string,
  ) {}

  async start(): Promise<void> {
    const log = openSync(this.log, "a");
    const options = { cwd: ROOT, env: { ...process.env, ...this.env }, stdio: ["ignore", log, log] as const };
    this.process = spawn(PYTHON, this.command, { ...options, stdio: ["ignore", log, log] });
    closeSync(log);
    for (const deadline = Date.now() + 120_000; Date.now() < deadline; ) {
      if (this.process.exitCode !== null) break;
      const answer = await fetch(`${this.url}/readyz`).catch(() => null);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(`${this.url} did not start:\n${readFileSync(this.log, "utf-8").slice(-3000)}`);
  }

  /** Stand still in the middle of whatever it does, or go on. */
  hold = () => this.process?.kill("SIGSTOP");
  go = () => this.process?.kill("SIGCONT");

  async stop(): Promise<void> {
    const { process } = this;
    if (!process || process.exitCode !== null || process.signalCode !== null) return;
    const ended = new Promise((resolve) => process.once("exit", resolve));
    process.kill("SIGCONT");
    process.kill("SIGTERM");
    const impatience = setTimeout(() => process.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(impatience);
  }
}

/** The gateway with its default engines: all in its process, but the one that dresses, which can be held or taken away. */
export class House {
  private readonly folder = mkdtempSync(path.join(tmpdir(), "howsfit-web-"));
  readonly tryonStage: Server;
  readonly gateway: Server;

  private constructor(
    ports: number[],
    settings: Record<string, string>,
    stages?: Record<string, string>,
    tryon = "services.tryon.app:app",
  ) {
    const [stagePort, port] = ports.map(String) as [string, string];
    const log = (name: string) => path.join(this.folder, `${name}.log`);
    this.tryonStage = new Server(
      `http://127.0.0.1:${stagePort}`,
      ["-m", "stagekit.serve", tryon, "--host", "127.0.0.1", "--port", stagePort],
      {},
      log("tryon"),
    );
    const inside = Object.fromEntries(STAGES.map((stage) => [stage, `inproc://${stage}`]));
    const addresses = stages ?? { ...inside, tryon: this.tryonStage.url };
    const env = {
      HOWSFIT_STAGES: JSON.stringify(addresses),
      HOWSFIT_DATA_DIR: path.join(this.folder, "data"),
      HOWSFIT_STAGE_RETRY_S: "0",
      ...settings,
    };
    this.gateway = new Server(
      `http://127.0.0.1:${port}`,
      ["-m", "howsfit.cli", "serve", "--port", port],
      env,
      log("gateway"),
    );
  }

  get url(): string {
    return this.gateway.url;
  }

  static async open(): Promise<House> {
    const house = new House([await freePort(), await freePort()], {});
    await Promise.all([house.tryonStage.start(), house.gateway.start()]);
    return house;
  }

  /** Another gateway, which asks for a key, in front of this one's stages. */
  async withKey(key: string): Promise<House> {
    const other = new House([0, await freePort()], { HOWSFIT_ADMIN_KEY: key }, this.stages());
    await other.gateway.start();
    return other;
  }

  /** Another gateway in front of this one's stages, which has another engine to dress people beside it. */
  async withEngine(name: "second" | "stepping"): Promise<House> {
    const ports = [await freePort(), await freePort()];
    const settings = { HOWSFIT_TRYON_URLS: `${name}=http://127.0.0.1:${ports[0]}` };
    const other = new House(ports, settings, this.stages(), `web.tests.e2e.${name}_engine:app`);
    await Promise.all([other.tryonStage.start(), other.gateway.start()]);
    return other;
  }

  private stages(): Record<string, string> {
    const mounted = Object.fromEntries(STAGES.map((stage) => [stage, `${this.url}/stages/${stage}`]));
    return { ...mounted, tryon: this.tryonStage.url };
  }

  async close(): Promise<void> {
    await Promise.all([this.gateway.stop(), this.tryonStage.stop()]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
