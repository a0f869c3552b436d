import { useCall } from '../../ui/query.tsx'

/** Whose app this is, and how ABHA addresses of it end. */
export type Service = { readonly service: string; readonly suffix: string; readonly sandbox: boolean }

export function useService(): Service | undefined {
  return useCall<Service>('/v1/sign-in').data
}
