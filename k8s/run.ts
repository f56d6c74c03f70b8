import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

/** A program of somebody else's that has to succeed; what it says goes to the terminal. */
export async function run(command: string, args: readonly string[], input?: string): Promise<void> {
  const stdio = [input === undefined ? "ignore" : "pipe", "inherit", "inherit"] as const;
  const child = spawn(command, args, { stdio: [...stdio] });
  child.stdin?.end(input);
  await succeeded(child, command, args);
}

/** The same, for what it says. */
export async function read(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [output] = await Promise.all([text(child.stdout), succeeded(child, command, args)]);
  return output;
}

/** Whether it is there and answers well. */
export async function works(command: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(command, args, { stdio: "ignore" });
  return succeeded(child, command, args).then(
    () => true,
    () => false,
  );
}

function succeeded(child: ReturnType<typeof spawn>, command: string, args: readonly string[]) {
  return new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ${args.slice(0, 3).join(" ")} … ended with ${code}`));
    });
  });
}
