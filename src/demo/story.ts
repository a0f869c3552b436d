export { StoryFault } from './narrator.ts'
export async function storyCommand(_: unknown): Promise<number> { return 1 }
