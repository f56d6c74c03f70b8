import mongoose from "mongoose";
import { type Comparison, line, ratio, times } from "../comparison.ts";
import { type Contender, measureInTurn } from "../load/in-turn.ts";
import { stepwise } from "../load/steps.ts";
import { refreshing } from "../ours.ts";

const fewest = 1_000;

/** Refreshes, each durable before it is answered, against the one write that each has to wait for. */
export const refresh: Comparison = {
  name: "refresh",
  async run({ platform, effort }) {
    await using store = await openStore(platform.ready.stores.mongodb, effort.connections);
    const contenders = [await refreshing(platform, effort.connections), store.advancing];
    const [ours, limit] = await measureInTurn(contenders, effort);
    const perSecond = ours?.perSecond ?? Number.NaN;
    return {
      title: "Refresh tokens, rotated durably",
      lines: [line(contenders[0]?.name ?? "", ours), line(store.advancing.name, limit)],
      verdicts: [
        {
          what: "refreshes a second",
          figure: `${Math.round(perSecond)}/s`,
          bar: `≥ ${fewest}/s`,
          met: perSecond >= fewest,
        },
        { what: "refresh : its one guarded write", figure: times(ratio(ours, limit)) },
      ],
    };
  },
};

interface Counter {
  _id: number;
  generation: number;
}

interface Store extends AsyncDisposable {
  advancing: Contender;
}

/** On the same mongod, with nothing before or after it: each connection its own document. */
async function openStore(uri: string, connections: number): Promise<Store> {
  const client = new mongoose.mongo.MongoClient(uri, {
    maxPoolSize: connections,
    writeConcern: { w: "majority", j: true },
  });
  const counters = client.db("bench").collection<Counter>("counters");
  const all = Array.from({ length: connections }, (_, _id) => ({ _id, generation: 0 }));
  await counters.insertMany(all);

  const advance = ({ _id }: Counter) => {
    let generation = 0;
    return async () => {
      const guard = { _id, generation };
      const before = await counters.findOneAndUpdate(guard, { $inc: { generation: 1 } });
      if (!before) throw new Error("the guard did not hold");
      generation += 1;
    };
  };
  return {
    advancing: stepwise("one guarded findOneAndUpdate, w: majority, j: true", all.map(advance)),
    [Symbol.asyncDispose]: () => client.close(),
  };
}
