/**
 * Makes one call of many that are asked for at nearly the same time: each asker gets the part of the
 * answer that is theirs, and all of them the failure where there is one.
 */
export class Batch<Item, Answer> {
  #waiting: { item: Item; resolve: (answer: Answer) => void; reject: (error: unknown) => void }[] =
    [];

  /** `work` answers for each item, in their order. */
  constructor(
    private readonly work: (items: Item[]) => Promise<Answer[]>,
    private readonly within = 10,
  ) {}

  ask(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ item, resolve, reject }) === 1) {
        setTimeout(() => this.#run(), this.within);
      }
    });
  }

  async #run(): Promise<void> {
    const asked = this.#waiting;
    this.#waiting = [];
    try {
      const answers = await this.work(asked.map(({ item }) => item));
      asked.forEach(({ resolve }, index) => resolve(answers[index]!));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
