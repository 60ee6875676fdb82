/** The contract of virtual objects on the real kernel. Started in a network namespace of its own. */
import t from 'tap';
import { addressContract } from '../contract/addresses.js';
import { isFreshNamespace, kernelPlace } from './kernel-network.js';

t.setTimeout(300_000);
if (isFreshNamespace()) await addressContract(t, kernelPlace);
else t.fail('this is no namespace of its own');
