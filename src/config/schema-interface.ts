/** The name of a network interface, wherever one is configured. */
import { text } from './schema-kit.js';

const INTERFACE_PATTERN = '^[^\\s/:]{1,15}$';
const INTERFACE_EXPECTS = 'the name of an interface (at most 15 characters)';

export const interfaceName = (says: string, example: string) =>
  text(
    { expects: INTERFACE_EXPECTS, type: 'interface', pattern: INTERFACE_PATTERN, longest: 15 },
    { says, example },
  );
