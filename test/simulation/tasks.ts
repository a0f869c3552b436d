import { AsyncLocalStorage } from 'node:async_hooks'

const PATIENCE_MS = 60_000

type Task = { readonly name: string; rest: () => void; parked: boolean }

/**
 * Runs one thing at a time: a task goes on until it ends or waits for the network; only then does the next one start or go on. So the
 * order of everything is the order in which the scheduler chose, and a seed gives the same run again.
 */
export class Tasks {
  readonly #current = new AsyncLocalStorage<Task>()

  /** Starts `work`; gives back control when it has ended or is parked. A throw of its own is a fault of the simulation. */
  async start(name: string, work: () => Promise<void>): Promise<void> {
    const task: Task = { name, rest: () => undefined, parked: false }
    let fault: unknown
    await this.#untilRest(task, () => {
      const run = this.#current.run(task, work)
      run.catch((error: unknown) => (fault = error ?? new Error('unknown'))).finally(() => task.rest())
    })
    if (fault !== undefined) throw fault
  }

  /** The task that calls this rests until `resume` of what `register` got is called. */
  park<T>(register: (resume: (value: T) => Promise<void>) => void): Promise<T> {
    const task = this.#current.getStore()
    if (task === undefined) throw new Error('only a task can wait for the network')
    return new Promise<T>((resolve) => {
      register((value) => this.#untilRest(task, () => resolve(value)))
      task.rest()
    })
  }

  async #untilRest(task: Task, go: () => void): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        task.rest = resolve
        timer = setTimeout(() => reject(new Error(`${task.name} neither ends nor waits`)), PATIENCE_MS)
        go()
      })
    } finally {
      clearTimeout(timer)
    }
  }
}
