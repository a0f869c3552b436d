import { useMutation, useQueryClient } from '@tanstack/react-query'
import { call, type Problem } from '../ui/api.ts'

/** One thing that a person does here: not twice at once, and everything on the screen is asked again afterwards. */
export function useAct<Input, Answer = unknown>(
  send: (input: Input) => { readonly path: string; readonly body?: unknown },
  done?: (answer: Answer) => void,
): {
  readonly run: (input: Input) => void
  readonly isBusy: boolean
  readonly isDone: boolean
  readonly error: Problem | null
} {
  const client = useQueryClient()
  const { mutate, isPending, isSuccess, error } = useMutation<Answer, Problem, Input>({
    mutationFn: (input) => {
      const { path, body = {} } = send(input)
      return call<Answer>(path, { method: 'POST', body })
    },
    onSuccess: async (answer) => {
      done?.(answer)
      await client.invalidateQueries()
    },
  })
  return { run: (input) => mutate(input), isBusy: isPending, isDone: isSuccess, error }
}
