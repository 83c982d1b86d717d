// The LUNA under test: its API, and its processes, which the scenarios kill or suspend.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

interface Service { name: string; pid: number | null }

function services(): Service[] {
  const luna = join(import.meta.dirname, "../../luna");
  return (JSON.parse(execFileSync(luna, ["status", "--json"], { encoding: "utf8" })) as { services: Service[] }).services;
}

export function pidOf(name: string): number {
  const pid = services().find((each) => each.name === name)?.pid;
  if (!pid) throw new Error(`${name} is not running`);
  return pid;
}

/** Suspend a process: its connections stay open and silent, as after a fault of the network. */
export function suspended(name: string): { resume: () => void } {
  const pid = pidOf(name);
  process.kill(pid, "SIGSTOP");
  return { resume: () => process.kill(pid, "SIGCONT") };
}

/** Kill a process and each of its successors until told to stop. */
export function keptDown(name: string): { stop: () => void } {
  const kill = () => {
    try {
      process.kill(pidOf(name), "SIGKILL");
    } catch {
      // it is being started
    }
  };
  kill();
  const timer = setInterval(kill, 1000);
  return { stop: () => clearInterval(timer) };
}

/** Call the API as a person, beside the pages. */
export async function call<Data>(person: { email: string; password: string }, method: string, path: string, body?: object): Promise<Data> {
  const send = async (to: string, how: string, token: string, content?: object) => {
    const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
    const response = await fetch(`${process.env.LUNA_ADDRESS ?? ""}/api/v1${to}`, { method: how, headers, body: content && JSON.stringify(content) });
    const answer = (await response.json()) as { data: unknown; error?: { message: string } };
    if (!response.ok) throw new Error(`${how} ${to}: ${answer.error?.message ?? response.status}`);
    return answer.data;
  };
  const { access_token: token } = (await send("/auth/login", "POST", "", person)) as { access_token: string };
  return (await send(path, method, token, body)) as Data;
}
