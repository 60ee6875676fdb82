import t from 'tap';
import { kernelTest } from './home.js';

await kernelTest(t, ['path']);
