import { type Comparison, line, ratio, times } from "../comparison.ts";
import { measureInTurn } from "../load/in-turn.ts";
import { clientCredentials as ours } from "../ours.ts";
import { startBareProvider } from "../peers/oidc-provider/oidc-provider.ts";

/** A client's token, against those of the protocol library alone, which signs them in its own, slower way. */
export const clientCredentials: Comparison = {
  name: "client-credentials",
  async run(bench) {
    await using library = await startBareProvider(bench);
    const contenders = [await ours(bench.platform), library.clientCredentials];
    const measured = await measureInTurn(contenders, bench.effort);
    return {
      title: "Client credentials",
      lines: contenders.map(({ name }, index) => line(name, measured[index])),
      verdicts: [
        {
          what: "client credentials : the library alone",
          figure: times(ratio(measured[0], measured[1])),
        },
      ],
    };
  },
};
