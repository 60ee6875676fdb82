/** MQTT check: a session that begins and ends. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  connackCode,
  DISCONNECT_BYTES,
  encodeMqttConnect,
  MQTT_CONNACK,
  MQTT_DISCONNECT,
  MQTT_PINGRESP,
  type MqttPacket,
  MqttReader,
  mqttCodeText,
  PINGREQ_BYTES,
} from '../wire/mqtt.js';
import type { Reason } from './model.js';
import { type LinkHandlers, type Now, type ProbeRun, runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import type { MqttCheck } from './spec-mqtt.js';
import { reasonOfFault } from './talk.js';
import type { TlsClient } from './tls.js';

/**
 * Passes when the broker takes CONNECT, and answers PINGREQ where that is asked for; then says DISCONNECT, so that the
 * broker knows that nothing broke. Phases: `connect`, `tls`, `login`, `request`, `quit`.
 */
export function mqttProber(now: Now, client: TlsClient): Prober<MqttCheck> {
  return (spec, signal) =>
    runProbe(now, signal, (run) => {
      const session = new Session(run, spec);
      if (spec.tls === undefined) run.openTcp(spec.target, session);
      else client.open(run, spec.target, spec.tls, session);
    });
}

class Session implements LinkHandlers {
  readonly #run: ProbeRun;
  readonly #spec: MqttCheck;
  readonly #reader = new MqttReader();
  #socket: Socket | undefined;
  /** All answers are in. */
  #isOver = false;

  constructor(run: ProbeRun, spec: MqttCheck) {
    this.#run = run;
    this.#spec = spec;
  }

  open(socket: Socket): void {
    this.#socket = socket;
    const { level, clientId, login } = this.#spec;
    this.#run.enter('login');
    socket.write(
      encodeMqttConnect({
        level,
        clientId: Buffer.from(clientId ?? ownId()),
        login: login && { user: Buffer.from(login.user), password: Buffer.from(login.password) },
      }),
    );
  }

  data(bytes: Uint8Array): void {
    // What comes behind the last answer is not looked at.
    if (this.#isOver) return;
    this.#reader.push(bytes);
    for (let packet = this.#reader.next(); packet !== undefined; packet = this.#reader.next()) {
      this.#onPacket(packet);
      if (this.#run.ended || this.#isOver) return;
    }
    const { fault } = this.#reader;
    if (fault !== undefined) this.#run.end(reasonOfFault(fault, this.#run.phase));
  }

  end(): void {
    if (this.#isOver) this.#run.end({ kind: 'ok' });
    else this.#run.end({ kind: 'closed', phase: this.#run.phase });
  }

  #onPacket(packet: MqttPacket): void {
    const { phase } = this.#run;
    if (phase === 'login' && packet.type === MQTT_CONNACK) this.#onConnack(packet);
    else if (phase === 'request' && packet.type === MQTT_PINGRESP && packet.body.length === 0) this.#quit();
    else if (phase === 'request' && packet.type === MQTT_DISCONNECT)
      this.#run.end(this.#rejected(packet.body[0] ?? 0));
    else this.#strange(`a packet of type ${packet.type} that does not belong here`);
  }

  #onConnack(packet: MqttPacket): void {
    const code = connackCode(packet, this.#spec.level);
    if (code === undefined) this.#strange('a broken CONNACK');
    else if (code !== 0) this.#run.end(this.#rejected(code));
    else if (this.#spec.ping) {
      this.#run.enter('request');
      this.#socket?.write(PINGREQ_BYTES);
    } else this.#quit();
  }

  /** No answer comes to it: once the kernel has it, the probe is done. */
  #quit(): void {
    this.#isOver = true;
    this.#run.enter('quit');
    this.#socket?.write(DISCONNECT_BYTES, () => this.#run.end({ kind: 'ok' }));
  }

  #rejected(code: number): Reason {
    return { kind: 'rejected', phase: this.#run.phase, code, detail: mqttCodeText(code) };
  }

  #strange(detail: string): void {
    this.#run.end({ kind: 'protocol-error', phase: this.#run.phase, detail });
  }
}

/** MQTT 3.1.1, 3.1.3.1: every broker takes up to 23 letters and digits. One id twice would end the older session. */
function ownId(): string {
  return `lvsentry${randomBytes(7).toString('hex')}`;
}
