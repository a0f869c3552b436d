/** What the tests use of the provider, which ships no types. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  class Grant {
    constructor(properties: { readonly accountId: string; readonly clientId: string })
    addOIDCScope(scope: string): void
    save(): Promise<string>
  }
  export type Ctx = {
    readonly oidc: {
      readonly client: { readonly clientId: string }
      readonly session: { readonly accountId: string }
    }
  }
  export default class Provider {
    constructor(issuer: string, configuration: object)
    readonly Grant: typeof Grant
    readonly Client: {
      find(clientId: string): Promise<{ backchannelLogout(sub: string, sid: string): Promise<void> } | undefined>
    }
    callback(): (req: IncomingMessage, res: ServerResponse) => void
    interactionFinished(req: IncomingMessage, res: ServerResponse, result: object): Promise<void>
  }
}
