import { memoryOf, type Platform } from "@portico/dev-env";
import { atLeast, type Bench, type Comparison, type Line, line, ratio } from "../comparison.ts";
import { type Contender, measureInTurn } from "../load/in-turn.ts";
import { clientCredentials, refreshing, usersMe } from "../ours.ts";
import { startKeycloak } from "../peers/keycloak/keycloak.ts";

/** Each of three things against Keycloak's, and what either takes in memory after that. */
export const keycloak: Comparison = {
  name: "keycloak",
  async run(bench) {
    await using peer = await startKeycloak(bench);
    const { platform, effort } = bench;
    const pairs: [string, number, Contender, Contender][] = [
      ["users/me : Keycloak's userinfo", 3, usersMe(platform), peer.userinfo],
      [
        "client credentials : Keycloak's",
        5,
        await clientCredentials(platform),
        peer.clientCredentials,
      ],
      [
        "refresh : Keycloak's",
        1,
        await refreshing(platform, effort.connections),
        await peer.refresh(effort.connections),
      ],
    ];
    const measured = [];
    for (const pair of pairs) measured.push(await measurePair(bench, pair));
    return {
      title: "Against Keycloak",
      lines: [...measured.flatMap(({ lines }) => lines), ...(await memory(platform, peer.pid))],
      verdicts: measured.map(({ verdict }) => verdict),
    };
  },
};

async function measurePair(
  { effort }: Bench,
  [what, bar, ours, theirs]: [string, number, Contender, Contender],
) {
  const [one, other] = await measureInTurn([ours, theirs], effort);
  return {
    lines: [line(ours.name, one), line(theirs.name, other)],
    verdict: atLeast(what, ratio(one, other), bar),
  };
}

/** What of ours does what Keycloak does, process by process, and Keycloak, whose database is inside. */
async function memory(platform: Platform, keycloakPid: number): Promise<Line[]> {
  const ours = ["auth", "envoy", "gateway-controller", "mongod", "redis"];
  const processes = platform.processes().filter(({ name }) => ours.some((one) => name === one));
  const all = [...processes, { name: "Keycloak, with its database", pid: keycloakPid }];
  return Promise.all(
    all.map(async ({ name, pid }) => {
      const bytes = (await memoryOf(pid))?.residentBytes ?? Number.NaN;
      return { name: `resident after that: ${name}`, note: `${Math.round(bytes / 2 ** 20)} MiB` };
    }),
  );
}
